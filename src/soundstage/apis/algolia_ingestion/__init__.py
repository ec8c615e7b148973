"""Algolia Ingestion: runs of tasks, and the events that tell how they went."""

from collections.abc import Mapping

from soundstage.apis.api import (
    Answer,
    Api,
    ApiError,
    Call,
    Forbidden,
    NotFound,
    Sample,
    status_of,
)
from soundstage.contract.violation import Refused, Unauthorized
from soundstage.types import Document, Json
from soundstage.world.clock import HOUR, instant_of, rfc3339, within_years
from soundstage.world.ids import uuid
from soundstage.world.page import nulls_first, ordered, page_of, pages
from soundstage.world.record import Kind, Vocabulary

EVENTS_WINDOW = 3 * HOUR  # the default startDate of listEvents: now minus three hours

VOCABULARY = Vocabulary.of(
    Kind("run", "runs", "runID", uuid, None, "#/components/schemas/Run"),
    Kind("event", "events", "eventID", uuid, "runID", "#/components/schemas/Event"),
    at=lambda at, _: rfc3339(at),
)


def retrieve_run(call: Call) -> Answer:
    """One run, as it is now."""
    return Answer(_run(call))


def list_events(call: Call) -> Answer:
    """A page of a run's events inside a window of time."""
    run = _run(call)
    given = call.parameters
    start, end = _window(call, EVENTS_WINDOW)
    events = [
        event
        for event in call.collection("events").children(run["runID"], call.now)
        if start <= event["publishedAt"] <= end
        and _chosen(event, given, "status")
        and _chosen(event, given, "type")
    ]
    field = given["sort"]
    events = ordered(
        events,
        key=lambda event: nulls_first(event[field]),
        descending=given["order"] == "desc",
    )
    return Answer({**_paged("events", events, given), "window": _as_window(start, end)})


def _run(call: Call) -> Document:
    """The run in the path, if it is of the caller's application."""
    run = call.get("runs", call.parameters["runID"])
    if run["appID"] != call.credential["appId"]:
        raise NotFound("runs", run["runID"])
    return run


def _window(call: Call, width: int) -> tuple[str, str]:
    """The first and last instant asked for, as the API writes them."""
    start, end = call.parameters.get("startDate"), call.parameters.get("endDate")
    first = within_years(call.now - width) if start is None else instant_of(start)
    last = call.now if end is None else instant_of(end)
    return rfc3339(first), rfc3339(last)


def _as_window(start: str, end: str) -> Document:
    return {"startDate": start, "endDate": end}


def _chosen(document: Document, given: Mapping[str, Json], field: str) -> bool:
    wanted = given.get(field)
    return not wanted or document[field] in wanted


def _paged(name: str, items: list[Document], given: Mapping[str, Json]) -> Document:
    page, size = given["page"], given["itemsPerPage"]
    return {
        name: page_of(items, page, size),
        "pagination": {
            "nbPages": max(1, pages(len(items), size)),  # its minimum in the contract
            "page": page,
            "nbItems": len(items),
            "itemsPerPage": size,
        },
    }


def problem(error: Refused | ApiError) -> Answer:
    """Algolia's error body: a message."""
    match error:
        case Unauthorized() | Forbidden():
            return _message(403, "Invalid Application-Id or API-Key")
        case _:
            return _message(status_of(error), str(error))


def _message(status: int, message: str) -> Answer:
    return Answer({"message": message}, status)


API = Api(
    name="algolia-ingestion",
    title="Algolia Ingestion",
    vocabulary=VOCABULARY,
    handlers={"getRun": retrieve_run, "listEvents": list_events},
    problem=problem,
    sample=Sample(
        "GET", "/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f/events?itemsPerPage=3"
    ),
)
