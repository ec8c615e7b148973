"""Start runs: validate the whole request first, then apply its commands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.access import find_own, get_own, get_run_to_change
from soundstage.apis.trigger_dev.durations import normalize_ttl, parse_delay, parse_duration
from soundstage.apis.trigger_dev.errors import MAX_TAGS, RejectedRequest, build_tag_limit_error
from soundstage.apis.trigger_dev.idempotency import (
    IdempotencyKey,
    build_key,
    find_record_id,
    find_run_id,
    store_key,
)
from soundstage.apis.trigger_dev.payload_codec import (
    decode_metadata,
    decode_payload,
    encode_metadata,
)
from soundstage.types import Json, JsonObject
from soundstage.world.clock import SECOND, format_rfc3339
from soundstage.world.commands import Patch, Start
from soundstage.world.scenario import ANY_TASK


@dataclass(frozen=True, slots=True)
class TriggerRequest:
    """A validated request for a run: its command, idempotency key and parent run."""

    command: Start
    key: IdempotencyKey | None = None
    parent: JsonObject | None = None


def trigger_task(context: RequestContext) -> Response:
    """Start a run, or return the one that an idempotency key identifies."""
    # Two keys: one of the caller, and one that identifies a request sent again.
    name = context.parameters.get("x-trigger-request-idempotency-key")
    request_key = build_key(context, "request", name)
    if run_id := find_record_id(context, request_key):
        return Response({"id": run_id, "isCached": False})
    request = build_request(context, context.parameters["taskIdentifier"], context.body)
    run_id, is_cached = start_run(context, request)
    store_key(context, request_key, run_id)
    return Response({"id": run_id, "isCached": is_cached})


def replay_run(context: RequestContext) -> Response:
    """Start a run with the options of another one, whatever its status."""
    run = get_run_to_change(context)
    body = context.body or {}
    options: JsonObject = {
        "tags": body.get("tags", run["tags"]),
        "metadata": body.get("metadata", decode_metadata(run.get("metadata", {}))),
        "queue": {"name": body.get("queue", run["queue"])},
        "machine": body.get("machine", run["machine"]),
        "region": body.get("region", run["region"]),
        "lockToVersion": body.get("version", run.get("version")),
        "test": run["isTest"],
        "payloadType": body.get("payloadType"),
    }
    trigger: JsonObject = {"options": _drop_nulls(options)}
    if "payload" in body or "payload" in run:
        trigger["payload"] = body.get("payload", run.get("payload"))
    request = build_request(context, run["taskIdentifier"], trigger)
    return Response({"id": start_run(context, request)[0]})


def _drop_nulls(fields: Mapping[str, Json]) -> JsonObject:
    return {name: value for name, value in fields.items() if value is not None}


def build_request(
    context: RequestContext, identifier: str, body: JsonObject, batch_id: str | None = None
) -> TriggerRequest:
    """Validate the body of a trigger request. Raises ``RejectedRequest``."""
    options: JsonObject = body.get("options") or {}
    environment = context.credential["environment"]
    # The real server ignores a parent that does not exist.
    parent = find_own(context, "runs", options.get("parentRunId"))
    fields = _build_fields(context, options, batch_id, parent)
    # Names are values for the scenario; fields override those of the run's records.
    names: JsonObject = {
        "taskIdentifier": identifier,
        "environment": environment,
        "tags": parse_tags(options.get("tags")),
    }
    payload = decode_payload(body.get("payload"), options.get("payloadType"))
    if payload is None:
        fields["payload"] = None  # removes the scenario's own payload
    else:
        names["payload"] = payload
    names |= _parse_times(options, context.now)
    if "delay" in names:
        fields["delayedUntil"] = format_rfc3339(context.now + names["delay"])
    if "ttl" in names:
        fields["ttl"] = names["ttl"]
    command = Start(
        context.api,
        _find_task(context, identifier, environment),
        names=names,
        fields=fields,
        beginning="delayed" if "delay" in names else None,
        deadlines=_build_deadlines(names),
    )
    return TriggerRequest(command, _build_key(context, identifier, options), parent)


def _parse_times(options: JsonObject, now: int) -> JsonObject:
    """Return the delay (ms), the time to live and the maximum duration of a run."""
    times: JsonObject = {}
    if delay := parse_delay(options.get("delay") or "", now):
        times["delay"] = delay
    if ttl := normalize_ttl(options.get("ttl")):
        times["ttl"] = ttl
    if seconds := options.get("maxDuration"):
        times |= {"maxDuration": seconds, "limit": int(seconds * SECOND)}
    return times


def _build_deadlines(names: JsonObject) -> dict[str, int]:
    """Return the longest times in the queue and in execution, in ms, by ending."""
    deadlines = {"expired": parse_duration(names["ttl"])} if "ttl" in names else {}
    return {**deadlines, "timed_out": names["limit"]} if "limit" in names else deadlines


def start_run(context: RequestContext, request: TriggerRequest) -> tuple[str, bool]:
    """Return the id of the run, and whether its idempotency key existed already."""
    # Another run of the same batch may have used the key, or changed the parent.
    context = context.refreshed()
    if run_id := find_run_id(context, request.key):
        return run_id, True
    run_id = context.world.apply(request.command).id
    store_key(context, request.key, run_id)
    if request.parent:
        parent = get_own(context, "runs", request.parent["id"])
        patch = {"children": [*parent.get("children", ()), run_id]}
        context.world.apply(Patch(context.api, "runs", parent["id"], patch))
    return run_id, False


def parse_tags(value: Json) -> list[str]:
    """Return distinct tags, none blank, from one tag, a list or null.

    Raises ``RejectedRequest`` if there are too many.

    >>> parse_tags(["a", " ", "b", "a"])
    ['a', 'b']
    """
    texts: Iterable[str] = [value] if isinstance(value, str) else value or ()
    tags = list(dict.fromkeys(tag for tag in texts if tag.strip()))
    if len(tags) > MAX_TAGS:
        raise build_tag_limit_error(len(tags))
    return tags


def _find_task(context: RequestContext, identifier: str, environment: str) -> str:
    """Return the name of the fixture's task for an identifier.

    The task of the caller's environment has priority over those of others, and these
    over the task for any identifier. Raises ``RejectedRequest``.
    """
    # The real server accepts an unknown task; its runs wait for a deployment.
    tasks = context.world.state(context.api).definitions.tasks
    names = [n for n, t in tasks.items() if t.get("taskIdentifier", n) == identifier]
    for name in names:
        if tasks[name].get("environment") == environment:
            return name
    if names:
        return names[0]
    if identifier in tasks or ANY_TASK in tasks:
        return identifier
    raise RejectedRequest(404, "Task not found")


def _build_fields(
    context: RequestContext, options: JsonObject, batch_id: str | None, parent: JsonObject | None
) -> JsonObject:
    """Return the fields of a run that a request sets; the fixture has the others."""
    fields: JsonObject = {
        "idempotencyKey": _get_displayed_key(context, options),
        "version": options.get("lockToVersion"),
        "queue": (options.get("queue") or {}).get("name"),
        "concurrencyKey": options.get("concurrencyKey"),
        "machine": options.get("machine"),
        "region": options.get("region"),
        "isTest": options.get("test"),
        "batchId": batch_id,
        "triggerFunction": _get_trigger_function(options, batch_id),
    }
    if metadata := options.get("metadata"):
        fields["metadata"] = encode_metadata(metadata)
    if parent:
        fields |= {
            "depth": parent["depth"] + 1,
            "parentRunId": parent["id"],
            "rootRunId": parent.get("rootRunId", parent["id"]),
        }
    return _drop_nulls(fields)


def _get_trigger_function(options: JsonObject, batch_id: str | None) -> str:
    name = "batchTrigger" if batch_id else "trigger"
    return f"{name}AndWait" if options.get("resumeParentOnCompletion") else name


def _build_key(
    context: RequestContext, identifier: str, options: Mapping[str, Json]
) -> IdempotencyKey | None:
    headers = context.parameters
    name = headers.get("idempotency-key") or options.get("idempotencyKey")
    ttl = headers.get("idempotency-key-ttl") or options.get("idempotencyKeyTTL")
    return build_key(context, "run", identifier, name, ttl=ttl)


def _get_displayed_key(context: RequestContext, options: Mapping[str, Json]) -> Json:
    # The SDK sends a hash as the key, and next to it the key that its user wrote.
    if header := context.parameters.get("idempotency-key"):
        return header
    user = options.get("idempotencyKeyOptions") or {}
    return user.get("key") or options.get("idempotencyKey") or None
