"""Trieve: datasets, and the events of the work done on them."""

from datetime import timedelta

from soundstage.apis.api import Answer, Api, ApiError, Call, Forbidden, NotFound, Sample
from soundstage.contract.violation import Refused, TooLarge, Unauthorized, Unrouted
from soundstage.types import Document
from soundstage.world.clock import EPOCH
from soundstage.world.ids import uuid
from soundstage.world.page import page_of, pages
from soundstage.world.record import Kind, Vocabulary

PAGE_SIZE = 10
MOST_PAGES = 2**31 - 1  # what the real server's division by a page size of 0 ends as

STORED = {"qdrant_upload_failed": "qdrant_index_failed"}
"""Types that are stored under another name than the one they are asked for by."""


def odd_time(at: int) -> str:
    """``2025-09-12 8:02:44.0 +00:00:00``: whole seconds, the hour without a zero."""
    moment = EPOCH + timedelta(milliseconds=at)
    return f"{moment.date()} {moment.hour}:{moment:%M:%S}.0 +00:00:00"


EVENT = "#/components/schemas/WorkerEvent"

VOCABULARY = Vocabulary.of(
    Kind("dataset", "datasets", "id", uuid),
    Kind("run", "jobs", "id", uuid, "dataset_id"),
    Kind("event", "events", "id", uuid, "dataset_id", EVENT),
    at=lambda at, _: odd_time(at),
)


def list_events(call: Call) -> Answer:
    """A page of a dataset's events, the newest first."""
    dataset = _dataset(call)
    given = call.body
    page, size = given.get("page"), given.get("page_size")
    # JSON's 1.0 is a whole number too.
    page = 1 if page is None else int(page)
    size = PAGE_SIZE if size is None else int(size)
    events = call.collection("events").children(dataset["id"], call.now)
    found = [event for event in events if _asked_for(event, given.get("event_types"))]
    found.reverse()
    return Answer(
        {
            "events": page_of(found, page, size),
            "event_types": sorted({event["event_type"] for event in events}),
            "page_count": _page_count(len(found), size),
        }
    )


def _asked_for(event: Document, types: list[str] | None) -> bool:
    """Without types: all but those that the real server's own list leaves out."""
    if not types:
        return event["event_type"] not in STORED.values()
    return event["event_type"] in {STORED.get(name, name) for name in types}


def _page_count(count: int, size: int) -> int:
    if size == 0:
        return MOST_PAGES if count else 0
    return pages(count, size)


def _dataset(call: Call) -> Document:
    """The dataset of the request, if it is of the caller's organization."""
    dataset = call.get("datasets", call.parameters["TR-Dataset"].lower())
    if dataset["organization_id"] != call.credential["organization_id"]:
        raise Forbidden
    return dataset


def problem(error: Refused | ApiError) -> Answer:
    """Trieve's error body: a message that begins with the kind of error."""
    match error:
        case Unauthorized():
            return _message(401, "Unauthorized")
        case Forbidden():
            return _message(403, "Forbidden")
        case Unrouted(allowed=allowed) if allowed:
            return _message(405, str(error))
        case Unrouted():
            return _message(404, f"Not Found: {error}")
        case TooLarge():
            return _message(413, str(error))
        case NotFound():
            return _message(404, "Not Found: Could not find dataset")
        case Refused(violations=violations) if violations[0].place == "body":
            kind = "Syntax" if violations[0].rule == "json" else "Data"
            return _message(
                400,
                f"Json Deserialization Error: *Type* : {kind} error in JSON | "
                f"*Message* : {error}",
            )
        case _:
            return _message(400, f"BadRequest: {error}")


def _message(status: int, message: str) -> Answer:
    return Answer({"message": message}, status)


API = Api(
    name="trieve",
    title="Trieve",
    vocabulary=VOCABULARY,
    handlers={"get_events": list_events},
    problem=problem,
    sample=Sample(
        "POST",
        "/api/dataset/events",
        {"page_size": 3},
        (("TR-Dataset", "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"),),
    ),
)
