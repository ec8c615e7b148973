"""Starting runs: what was asked for is checked first, then carried out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.durations import (
    normalize_ttl,
    parse_delay,
    parse_duration,
)
from soundstage.apis.trigger_dev.errors import (
    MAX_TAGS,
    RejectedRequest,
    build_tag_limit_error,
    get_own_record,
)
from soundstage.apis.trigger_dev.idempotency import (
    IdempotencyKey,
    find_record_id,
    find_run_id,
    store_key,
)
from soundstage.apis.trigger_dev.payload_codec import (
    decode_metadata,
    decode_payload,
    encode_metadata,
)
from soundstage.types import Document, Json
from soundstage.world.clock import SECOND, rfc3339
from soundstage.world.commands import Patch, Start
from soundstage.world.scenario import ANY


@dataclass(frozen=True, slots=True)
class TriggerRequest:
    """A run that is to be started; nothing is wrong with it any more."""

    command: Start
    key: IdempotencyKey | None = None
    parent: Document | None = None


def trigger_task(context: RequestContext) -> Response:
    """A new run; or the one that an idempotency key, or this very request, led to."""
    identifier = context.parameters["taskIdentifier"]
    environment = context.credential["environment"]
    request = context.parameters.get("x-trigger-request-idempotency-key")
    again = IdempotencyKey.create("request", environment, request) if request else None
    if again and (run := find_record_id(context, again)):
        return Response({"id": run, "isCached": False})
    run, cached = start_run(context, build_request(context, identifier, context.body))
    if again:
        store_key(context, again, run)
    return Response({"id": run, "isCached": cached})


def replay_run(context: RequestContext) -> Response:
    """A new run like another, whatever has become of that one."""
    run = get_own_run(context, context.parameters["runId"])
    given = context.body or {}
    options: Document = {
        "tags": given.get("tags", run["tags"]),
        "metadata": given.get("metadata", decode_metadata(run.get("metadata", {}))),
        "queue": {"name": given.get("queue", run["queue"])},
        "machine": given.get("machine", run["machine"]),
        "region": given.get("region", run["region"]),
        "lockToVersion": given.get("version", run.get("version")),
        "test": run["isTest"],
        "payloadType": given.get("payloadType"),
    }
    body: Document = {
        "options": {name: value for name, value in options.items() if value is not None}
    }
    if "payload" in given or "payload" in run:
        body["payload"] = given.get("payload", run.get("payload"))
    id_, _ = start_run(context, build_request(context, run["taskIdentifier"], body))
    return Response({"id": id_})


def get_own_run(
    context: RequestContext, run_id: str, message: str = "Run not found"
) -> Document:
    """A run that is to be changed. Raises ``Declined``, in the words of ``missing``.

    The server tells clients to ask again for a run that they read and that is not
    there yet, but not to change it again.
    """
    run = context.collection("runs").get(run_id, context.now)
    if run is None or run["environment"] != context.credential["environment"]:
        raise RejectedRequest(404, message)
    return run


def build_request(
    context: RequestContext,
    identifier: str,
    body: Document,
    batch_id: str | None = None,
) -> TriggerRequest:
    """What a body asks for. Raises ``Declined``."""
    options: Document = body.get("options") or {}
    environment = context.credential["environment"]
    parent = _find_parent(context, options.get("parentRunId"))
    fields = {
        **_build_fields(context, options, batch_id),
        **_build_parent_fields(parent),
    }
    names: Document = {
        "taskIdentifier": identifier,
        "environment": environment,
        "tags": parse_tags(options.get("tags")),
    }
    payload = decode_payload(body.get("payload"), options.get("payloadType"))
    if payload is None:
        fields["payload"] = None  # which leaves it out
    else:
        names["payload"] = payload
    if delay := parse_delay(options.get("delay") or "", context.now):
        names["delay"] = delay
        fields["delayedUntil"] = rfc3339(context.now + delay)
    if ttl := normalize_ttl(options.get("ttl")):
        names["ttl"] = fields["ttl"] = ttl
    if limit := options.get("maxDuration"):
        names |= {"maxDuration": limit, "limit": int(limit * SECOND)}
    start = Start(
        context.api,
        _find_task(context, identifier, environment),
        names=names,
        fields=fields,
        beginning="delayed" if delay else None,
        deadlines=_build_deadlines(names),
    )
    return TriggerRequest(start, _build_key(context, identifier, options), parent)


def _build_deadlines(names: Document) -> dict[str, int]:
    """How long it may wait in its queue, and how long execute."""
    deadlines = {"expired": parse_duration(names["ttl"])} if "ttl" in names else {}
    return {**deadlines, "timed_out": names["limit"]} if "limit" in names else deadlines


def start_run(context: RequestContext, request: TriggerRequest) -> tuple[str, bool]:
    """The run of an order, and whether its key had led to it before."""
    context = context.refreshed()
    if request.key and (run := find_run_id(context, request.key)):
        return run, True
    id_ = context.world.apply(request.command).id
    if request.key:
        store_key(context, request.key, id_)
    if request.parent:
        above = get_own_record(context, "runs", request.parent["id"])
        children = [*above.get("children", ()), id_]
        context.world.apply(
            Patch(context.api, "runs", above["id"], {"children": children})
        )
    return id_, False


def parse_tags(given: Json) -> list[str]:
    """Tags, each once, none blank. Raises ``Declined`` for too many."""
    several: Iterable[str] = [given] if isinstance(given, str) else given or ()
    tags = list(dict.fromkeys(tag for tag in several if tag.strip()))
    if len(tags) > MAX_TAGS:
        raise build_tag_limit_error(len(tags))
    return tags


def _find_task(context: RequestContext, identifier: str, environment: str) -> str:
    """The fixture's task: of this environment, of another, or any. Raises ``Declined``.

    The real server takes every task, and runs of one that nobody deployed wait.
    """
    tasks = context.world.state(context.api).script.tasks
    found = [n for n, t in tasks.items() if t.get("taskIdentifier", n) == identifier]
    for name in found:
        if tasks[name].get("environment") == environment:
            return name
    if found:
        return found[0]
    if identifier in tasks or ANY in tasks:
        return identifier
    raise RejectedRequest(404, "Task not found")


def _build_fields(
    context: RequestContext, options: Document, batch_id: str | None
) -> Document:
    """What a run is told of itself only if somebody said so."""
    queue = options.get("queue") or {}
    said: Document = {
        "idempotencyKey": _get_displayed_key(context, options),
        "version": options.get("lockToVersion"),
        "queue": queue.get("name"),
        "concurrencyKey": options.get("concurrencyKey"),
        "machine": options.get("machine"),
        "region": options.get("region"),
        "isTest": options.get("test"),
        "batchId": batch_id,
        "triggerFunction": _get_trigger_function(options, batch_id),
    }
    fields = {name: value for name, value in said.items() if value is not None}
    if metadata := options.get("metadata"):
        fields["metadata"] = encode_metadata(metadata)
    return fields


def _get_trigger_function(options: Document, batch_id: str | None) -> str:
    name = "batchTrigger" if batch_id else "trigger"
    return f"{name}AndWait" if options.get("resumeParentOnCompletion") else name


def _find_parent(context: RequestContext, run_id: str | None) -> Document | None:
    """The run that starts another; the server minds none that is not there."""
    run = context.collection("runs").get(run_id or "", context.now)
    if run is None or run["environment"] != context.credential["environment"]:
        return None
    return run


def _build_parent_fields(parent: Document | None) -> Document:
    if parent is None:
        return {}
    return {
        "depth": parent["depth"] + 1,
        "parentRunId": parent["id"],
        "rootRunId": parent.get("rootRunId", parent["id"]),
    }


def _build_key(
    context: RequestContext, identifier: str, options: Mapping[str, Json]
) -> IdempotencyKey | None:
    name = context.parameters.get("idempotency-key") or options.get("idempotencyKey")
    if not name:
        return None
    ttl = context.parameters.get("idempotency-key-ttl") or options.get(
        "idempotencyKeyTTL"
    )
    return IdempotencyKey.create(
        "run", context.credential["environment"], identifier, name, ttl=ttl
    )


def _get_displayed_key(context: RequestContext, options: Mapping[str, Json]) -> Json:
    """The key as its user wrote it; the SDK sends a hash, and this besides."""
    if header := context.parameters.get("idempotency-key"):
        return header
    user = options.get("idempotencyKeyOptions") or {}
    return user.get("key") or options.get("idempotencyKey") or None
