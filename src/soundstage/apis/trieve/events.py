"""The events of a dataset."""

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.world.query import Among, Holds, Query, Test, pages

PAGE_SIZE = 10
PAGE_COUNT_OF_EMPTY_PAGES = (
    2**31 - 1
)  # what the real server's division by a page size of 0 ends as

STORED_TYPES = {"qdrant_upload_failed": "qdrant_index_failed"}
"""Types that are stored under another name than the one they are asked for by."""

IS_LISTED_TYPE = Holds(lambda event_type: event_type not in STORED_TYPES.values())


def list_events(context: RequestContext) -> Response:
    """A page of a dataset's events, the newest first.

    As quick as the world's ``find``, like all the types that there are.
    """
    dataset = resolve_dataset(context)
    given = context.body
    page, size = given.get("page"), given.get("page_size")
    # JSON's 1.0 is a whole number too.
    page = 1 if page is None else int(page)
    size = PAGE_SIZE if size is None else int(size)
    query = Query(
        (("event_type", _build_type_filter(given.get("event_types"))),),
        descending=True,
        start=max(page - 1, 0) * size,
        size=size if page > 0 else 0,
    )
    events = context.collection("events")
    found = events.find(query, context.now, dataset["id"])
    return Response(
        {
            "events": found.documents,
            "event_types": sorted(
                events.said("event_type", context.now, dataset["id"])
            ),
            "page_count": _count_pages(found.total, size),
        }
    )


def _build_type_filter(types: list[str] | None) -> Test:
    """Without types: all but those that the real server's own list leaves out."""
    return (
        Among(frozenset(STORED_TYPES.get(name, name) for name in types))
        if types
        else IS_LISTED_TYPE
    )


def _count_pages(count: int, size: int) -> int:
    if size == 0:
        return PAGE_COUNT_OF_EMPTY_PAGES if count else 0
    return pages(count, size)
