"""The events of a dataset."""

from soundstage.apis.api import Answer, Call
from soundstage.apis.trieve.access import dataset_of
from soundstage.world.page import pages
from soundstage.world.query import Among, Holds, Query, Test

PAGE_SIZE = 10
MOST_PAGES = 2**31 - 1  # what the real server's division by a page size of 0 ends as

STORED = {"qdrant_upload_failed": "qdrant_index_failed"}
"""Types that are stored under another name than the one they are asked for by."""

TOLD = Holds(lambda event_type: event_type not in STORED.values())


def list_events(call: Call) -> Answer:
    """A page of a dataset's events, the newest first.

    As quick as the world's ``find``, like all the types that there are.
    """
    dataset = dataset_of(call)
    given = call.body
    page, size = given.get("page"), given.get("page_size")
    # JSON's 1.0 is a whole number too.
    page = 1 if page is None else int(page)
    size = PAGE_SIZE if size is None else int(size)
    query = Query(
        (("event_type", _asked_for(given.get("event_types"))),),
        descending=True,
        start=max(page - 1, 0) * size,
        size=size if page > 0 else 0,
    )
    events = call.collection("events")
    found = events.find(query, call.now, dataset["id"])
    return Answer(
        {
            "events": found.documents,
            "event_types": sorted(events.said("event_type", call.now, dataset["id"])),
            "page_count": _page_count(found.total, size),
        }
    )


def _asked_for(types: list[str] | None) -> Test:
    """Without types: all but those that the real server's own list leaves out."""
    return Among(frozenset(STORED.get(name, name) for name in types)) if types else TOLD


def _page_count(count: int, size: int) -> int:
    if size == 0:
        return MOST_PAGES if count else 0
    return pages(count, size)
