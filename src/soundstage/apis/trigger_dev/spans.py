"""The spans of a run's trace, as a list and as a tree."""

from collections.abc import Mapping

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.access import get_run
from soundstage.apis.trigger_dev.model import NS_PER_MS
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339
from soundstage.world.query import sort_documents

MAX_SPANS = 25_000
"""Spans of one run in a response, by default of the real server's store."""

_COPIED_FIELDS = ("duration", "isError", "isPartial", "isCancelled", "level", "events")


def list_run_events(context: RequestContext) -> Response:
    """Return the spans of a run, the earliest first."""
    return Response({"events": list_spans(context, get_run(context))})


def get_run_trace(context: RequestContext) -> Response:
    """Return the spans of a run as a tree."""
    run = get_run(context)
    nodes: dict[str, JsonObject] = {}
    for span in list_spans(context, run):
        node = nodes[span["spanId"]] = _build_node(span, run)
        if parent := nodes.get(span["parentId"] or ""):
            parent["children"].append(node)
    root = next(iter(nodes.values()), None) or _build_placeholder(run)
    return Response({"trace": {"traceId": run["traceId"], "rootSpan": root}})


def list_spans(context: RequestContext, run: JsonObject) -> list[JsonObject]:
    """Return a run's spans, the earliest first. O(spans log spans)."""
    spans = context.collection("spans").children(run["id"], context.now)
    by_start = sort_documents(spans, lambda s: int(s["startTime"]), descending=False)
    return close_descendants(by_start)[:MAX_SPANS]


def _build_node(span: JsonObject, run: JsonObject) -> JsonObject:
    """Return a span as a node of a tree: times as text, and no null."""
    data = {
        "message": span["message"],
        "taskSlug": run["taskIdentifier"],
        "startTime": format_rfc3339(int(span["startTime"]) // NS_PER_MS),
        **{name: span[name] for name in _COPIED_FIELDS},
        "properties": {},
    }
    if span["attemptNumber"] is not None:
        data["attemptNumber"] = span["attemptNumber"]
    node = {"id": span["spanId"], "runId": span["runId"], "data": data, "children": []}
    return {**node, "parentId": span["parentId"]} if span["parentId"] else node


def _build_placeholder(run: JsonObject) -> JsonObject:
    """Return the root of a run that has no span yet."""
    span = {
        "spanId": "",
        "runId": run["id"],
        "parentId": None,
        "attemptNumber": None,
        "message": run["taskIdentifier"],
        "startTime": "0",
        "duration": 0,
        "isError": False,
        "isPartial": True,
        "isCancelled": False,
        "level": "TRACE",
        "events": [],
    }
    return _build_node(span, run)


def close_descendants(spans: list[JsonObject]) -> list[JsonObject]:
    """Return the spans; an open one ends with its closest closed ancestor.

    Spans are open while ``isPartial`` is true.
    """
    # The real store does the same when it reads ("ancestor override"), as a cancelled
    # run writes only its root span.
    by_id = {span["spanId"]: span for span in spans}
    return [
        _close_span(span, ancestor)
        if span["isPartial"] and (ancestor := _find_closed_ancestor(span, by_id))
        else span
        for span in spans
    ]


def _find_closed_ancestor(span: JsonObject, by_id: Mapping[str, JsonObject]) -> JsonObject | None:
    parent = by_id.get(span.get("parentId") or "")
    while parent is not None and parent["isPartial"]:
        parent = by_id.get(parent.get("parentId") or "")
    return parent


def _close_span(span: JsonObject, ancestor: JsonObject) -> JsonObject:
    if ancestor["isCancelled"]:
        new = [e for e in ancestor.get("events", ()) if e["name"] == "cancellation"]
        flag = {"isCancelled": True}
    else:
        new = _find_failure_events(span, ancestor)
        flag = {"isError": True}
        if not new:
            return span
    # Times are in ns. A span may start after its ancestor has ended.
    end = int(ancestor["startTime"]) + ancestor["duration"]
    duration = max(0, end - int(span["startTime"]))
    events = [*span.get("events", ()), *new]
    return {**span, **flag, "isPartial": False, "duration": duration, "events": events}


def _find_failure_events(span: JsonObject, ancestor: JsonObject) -> list[JsonObject]:
    """Return the events of a failed ancestor about the attempt of a span."""
    if not ancestor["isError"] or span.get("attemptNumber") is None:
        return []
    for event in ancestor.get("events", ()):
        properties = event.get("properties", {})
        if (
            event["name"] == "attempt_failed"
            and properties.get("attemptNumber") == span["attemptNumber"]
        ):
            # The span has the exception itself, then the event of the failed attempt.
            exception = {"exception": properties.get("exception", {})}
            return [{**event, "name": "exception", "properties": exception}, event]
    return []
