"""The events of a dataset."""

from soundstage.apis.api import Answer, Call
from soundstage.apis.trieve.access import dataset_of
from soundstage.types import Document
from soundstage.world.page import page_of, pages

PAGE_SIZE = 10
MOST_PAGES = 2**31 - 1  # what the real server's division by a page size of 0 ends as

STORED = {"qdrant_upload_failed": "qdrant_index_failed"}
"""Types that are stored under another name than the one they are asked for by."""


def list_events(call: Call) -> Answer:
    """A page of a dataset's events, the newest first."""
    dataset = dataset_of(call)
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
