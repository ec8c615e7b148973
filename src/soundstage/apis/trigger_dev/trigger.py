"""Starting runs: what was asked for is checked first, then carried out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from soundstage.apis.api import Answer, Call
from soundstage.apis.trigger_dev.duration import delay_of, span_of, ttl_text
from soundstage.apis.trigger_dev.idempotency import Key, known, known_run, remember
from soundstage.apis.trigger_dev.packet import decoded, kept, told
from soundstage.apis.trigger_dev.refusals import MOST_TAGS, Declined, own, too_many_tags
from soundstage.types import Document, Json
from soundstage.world.clock import SECOND, rfc3339
from soundstage.world.log import Patch, Start
from soundstage.world.scenario import ANY


@dataclass(frozen=True, slots=True)
class Order:
    """A run that is to be started; nothing is wrong with it any more."""

    start: Start
    key: Key | None = None
    parent: Document | None = None


def trigger_task(call: Call) -> Answer:
    """A new run; or the one that an idempotency key, or this very request, led to."""
    identifier = call.parameters["taskIdentifier"]
    environment = call.credential["environment"]
    request = call.parameters.get("x-trigger-request-idempotency-key")
    again = Key.of("request", environment, request) if request else None
    if again and (run := known(call, again)):
        return Answer({"id": run, "isCached": False})
    run, cached = placed(call, order_of(call, identifier, call.body))
    if again:
        remember(call, again, run)
    return Answer({"id": run, "isCached": cached})


def replay_run(call: Call) -> Answer:
    """A new run like another, whatever has become of that one."""
    run = own_run(call, call.parameters["runId"])
    given = call.body or {}
    options: Document = {
        "tags": given.get("tags", run["tags"]),
        "metadata": given.get("metadata", told(run.get("metadata", {}))),
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
    id_, _ = placed(call, order_of(call, run["taskIdentifier"], body))
    return Answer({"id": id_})


def own_run(call: Call, run_id: str, missing: str = "Run not found") -> Document:
    """A run that is to be changed. Raises ``Declined``, in the words of ``missing``.

    The server tells clients to ask again for a run that they read and that is not
    there yet, but not to change it again.
    """
    run = call.collection("runs").get(run_id, call.now)
    if run is None or run["environment"] != call.credential["environment"]:
        raise Declined(404, missing)
    return run


def order_of(
    call: Call, identifier: str, body: Document, batch: str | None = None
) -> Order:
    """What a body asks for. Raises ``Declined``."""
    options: Document = body.get("options") or {}
    environment = call.credential["environment"]
    parent = _parent(call, options.get("parentRunId"))
    fields = {**_fields(call, options, batch), **_below(parent)}
    names: Document = {
        "taskIdentifier": identifier,
        "environment": environment,
        "tags": tags_of(options.get("tags")),
    }
    payload = decoded(body.get("payload"), options.get("payloadType"))
    if payload is None:
        fields["payload"] = None  # which leaves it out
    else:
        names["payload"] = payload
    if delay := delay_of(options.get("delay") or "", call.now):
        names["delay"] = delay
        fields["delayedUntil"] = rfc3339(call.now + delay)
    if ttl := ttl_text(options.get("ttl")):
        names["ttl"] = fields["ttl"] = ttl
    if limit := options.get("maxDuration"):
        names |= {"maxDuration": limit, "limit": int(limit * SECOND)}
    start = Start(
        call.api,
        _task(call, identifier, environment),
        names=names,
        fields=fields,
        beginning="delayed" if delay else None,
        deadlines=_deadlines(names),
    )
    return Order(start, _key(call, identifier, options), parent)


def _deadlines(names: Document) -> dict[str, int]:
    """How long it may wait in its queue, and how long execute."""
    deadlines = {"expired": span_of(names["ttl"])} if "ttl" in names else {}
    return {**deadlines, "timed_out": names["limit"]} if "limit" in names else deadlines


def placed(call: Call, order: Order) -> tuple[str, bool]:
    """The run of an order, and whether its key had led to it before."""
    call = call.as_of_now()
    if order.key and (run := known_run(call, order.key)):
        return run, True
    id_ = call.world.apply(order.start).id
    if order.key:
        remember(call, order.key, id_)
    if order.parent:
        above = own(call, "runs", order.parent["id"])
        children = [*above.get("children", ()), id_]
        call.world.apply(Patch(call.api, "runs", above["id"], {"children": children}))
    return id_, False


def tags_of(given: Json) -> list[str]:
    """Tags, each once, none blank. Raises ``Declined`` for too many."""
    several: Iterable[str] = [given] if isinstance(given, str) else given or ()
    tags = list(dict.fromkeys(tag for tag in several if tag.strip()))
    if len(tags) > MOST_TAGS:
        raise too_many_tags(len(tags))
    return tags


def _task(call: Call, identifier: str, environment: str) -> str:
    """The fixture's task: of this environment, of another, or any. Raises ``Declined``.

    The real server takes every task, and runs of one that nobody deployed wait.
    """
    tasks = call.world.state(call.api).script.tasks
    found = [n for n, t in tasks.items() if t.get("taskIdentifier", n) == identifier]
    for name in found:
        if tasks[name].get("environment") == environment:
            return name
    if found:
        return found[0]
    if identifier in tasks or ANY in tasks:
        return identifier
    raise Declined(404, "Task not found")


def _fields(call: Call, options: Document, batch: str | None) -> Document:
    """What a run is told of itself only if somebody said so."""
    queue = options.get("queue") or {}
    said: Document = {
        "idempotencyKey": _shown_key(call, options),
        "version": options.get("lockToVersion"),
        "queue": queue.get("name"),
        "concurrencyKey": options.get("concurrencyKey"),
        "machine": options.get("machine"),
        "region": options.get("region"),
        "isTest": options.get("test"),
        "batchId": batch,
        "triggerFunction": _function(options, batch),
    }
    fields = {name: value for name, value in said.items() if value is not None}
    if metadata := options.get("metadata"):
        fields["metadata"] = kept(metadata)
    return fields


def _function(options: Document, batch: str | None) -> str:
    name = "batchTrigger" if batch else "trigger"
    return f"{name}AndWait" if options.get("resumeParentOnCompletion") else name


def _parent(call: Call, run_id: str | None) -> Document | None:
    """The run that starts another; the server minds none that is not there."""
    run = call.collection("runs").get(run_id or "", call.now)
    if run is None or run["environment"] != call.credential["environment"]:
        return None
    return run


def _below(parent: Document | None) -> Document:
    if parent is None:
        return {}
    return {
        "depth": parent["depth"] + 1,
        "parentRunId": parent["id"],
        "rootRunId": parent.get("rootRunId", parent["id"]),
    }


def _key(call: Call, identifier: str, options: Mapping[str, Json]) -> Key | None:
    name = call.parameters.get("idempotency-key") or options.get("idempotencyKey")
    if not name:
        return None
    ttl = call.parameters.get("idempotency-key-ttl") or options.get("idempotencyKeyTTL")
    return Key.of("run", call.credential["environment"], identifier, name, ttl=ttl)


def _shown_key(call: Call, options: Mapping[str, Json]) -> Json:
    """The key as its user wrote it; the SDK sends a hash, and this besides."""
    if header := call.parameters.get("idempotency-key"):
        return header
    user = options.get("idempotencyKeyOptions") or {}
    return user.get("key") or options.get("idempotencyKey") or None
