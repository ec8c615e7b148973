"""Trigger.dev v3: runs, and the spans of their traces."""

from collections.abc import Mapping

from soundstage.apis.api import (
    Answer,
    Api,
    ApiError,
    Call,
    Headers,
    NotFound,
    Sample,
)
from soundstage.contract.violation import Refused, TooLarge, Unauthorized, Unrouted
from soundstage.types import Document
from soundstage.world.clock import SECOND, rfc3339
from soundstage.world.ids import friendly, hex16
from soundstage.world.page import ordered
from soundstage.world.record import Kind, Vocabulary

NS = 1_000_000  # nanoseconds in a millisecond
MOST_EVENTS = 25_000  # of one run; the real store's default
REQUESTS = 1_200  # in a minute, what x-ratelimit-limit says

SPAN = (
    "#/paths/~1api~1v1~1runs~1{runId}~1events/get/responses/200/content"
    "/application~1json/schema/properties/events/items"
)

VOCABULARY = Vocabulary.of(
    Kind("run", "runs", "id", friendly("run_")),
    Kind("span", "spans", "spanId", hex16, "runId", SPAN),
    at=lambda at, _: rfc3339(at),
    at_ns=lambda at, _: str(at * NS),
    elapsed_ms=lambda at, began: at - began,
    elapsed_ns=lambda at, began: (at - began) * NS,
)


def list_run_events(call: Call) -> Answer:
    """All spans of a run, the earliest first."""
    run = call.get("runs", call.parameters["runId"])
    if run["environment"] != call.credential["environment"]:
        raise NotFound("runs", run["id"])
    spans = call.collection("spans").children(run["id"], call.now)
    by_start = ordered(spans, lambda s: int(s["startTime"]), descending=False)
    return Answer({"events": settled(by_start)[:MOST_EVENTS]})


def settled(spans: list[Document]) -> list[Document]:
    """The spans, with those still open under a closed one told how that one ended.

    The real store does so when it reads (its ancestor override): a cancelled run
    writes only its root span.
    """
    by_id = {span["spanId"]: span for span in spans}
    return [
        _closed(span, ancestor)
        if span["isPartial"] and (ancestor := _closed_ancestor(span, by_id))
        else span
        for span in spans
    ]


def _closed_ancestor(span: Document, by_id: Mapping[str, Document]) -> Document | None:
    parent = by_id.get(span.get("parentId") or "")
    while parent is not None and parent["isPartial"]:
        parent = by_id.get(parent.get("parentId") or "")
    return parent


def _closed(span: Document, ancestor: Document) -> Document:
    if ancestor["isCancelled"]:
        said = [e for e in ancestor.get("events", ()) if e["name"] == "cancellation"]
        ended = {"isCancelled": True}
    else:
        said = _failure(span, ancestor)
        ended = {"isError": True}
        if not said:
            return span
    end = int(ancestor["startTime"]) + ancestor["duration"]
    duration = max(0, end - int(span["startTime"]))
    events = [*span.get("events", ()), *said]
    return {**span, **ended, "isPartial": False, "duration": duration, "events": events}


def _failure(span: Document, ancestor: Document) -> list[Document]:
    """What a failed ancestor says of the attempt that the span belongs to."""
    if not ancestor["isError"] or span.get("attemptNumber") is None:
        return []
    for event in ancestor.get("events", ()):
        properties = event.get("properties", {})
        if (
            event["name"] == "attempt_failed"
            and properties.get("attemptNumber") == span["attemptNumber"]
        ):
            exception = {"exception": properties.get("exception", {})}
            return [{**event, "name": "exception", "properties": exception}, event]
    return []


_PARTS = {"path": "Params Error", "query": "Query Error", "header": "Headers Error"}


def problem(error: Refused | ApiError) -> Answer:
    """Trigger.dev's error body: ``error``, and ``details`` of a bad request.

    Where the real server's words differ from the enums of its contract, the contract
    wins: generated clients parse by it.
    """
    match error:
        case Unauthorized():
            return Answer({"error": "Invalid or Missing API key"}, 401)
        case Unrouted(allowed=allowed) if allowed:
            return Answer({"error": "Method not allowed"}, 405)
        case Unrouted():
            return Answer({"error": "Not found"}, 404)
        case TooLarge():
            return Answer({"error": str(error)}, 413)
        case NotFound():
            retry = (("x-should-retry", "true"),)
            return Answer({"error": "Run not found"}, 404, headers=retry)
        case Refused(violations=violations):
            details = [
                {"code": v.rule, "path": [v.name, *v.path], "message": v.message}
                for v in violations
            ]
            part = _PARTS.get(violations[0].place, "Params Error")
            return Answer({"error": part, "details": details}, 400)
        case _:
            return Answer({"error": str(error)}, 400)


def rate_limit(seconds: int, now: int) -> Headers:
    """Of a 429; the official client waits until ``x-ratelimit-reset``, in unix ms."""
    return (
        ("x-ratelimit-limit", str(REQUESTS)),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", str(now + seconds * SECOND)),
    )


API = Api(
    name="trigger-dev",
    title="Trigger.dev v3",
    vocabulary=VOCABULARY,
    handlers={"get_run_events_v1": list_run_events},
    problem=problem,
    sample=Sample("GET", "/api/v1/runs/run_1234/events"),
    rate_limit=rate_limit,
)
