"""The events of a dataset."""

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.world.query import In, Matches, Predicate, Query, count_pages

PAGE_SIZE = 10

# The real server divides by the page size; this is its result for a size of 0.
PAGE_COUNT_OF_EMPTY_PAGES = 2**31 - 1

STORED_TYPES = {"qdrant_upload_failed": "qdrant_index_failed"}
"""Stored names of the event types that requests call by another name."""

IS_LISTED_TYPE = Matches(lambda event_type: event_type not in STORED_TYPES.values())


def list_events(context: RequestContext) -> Response:
    """Return a page of a dataset's events, the newest first, and all their types.

    As fast as ``Collection.find``.
    """
    dataset, body = resolve_dataset(context), context.body
    page, size = body.get("page"), body.get("page_size")
    # JSON Schema accepts 1.0 as an integer.
    page = 1 if page is None else int(page)
    size = PAGE_SIZE if size is None else int(size)
    query = Query(
        (("event_type", _build_type_filter(body.get("event_types"))),),
        descending=True,
        offset=max(page - 1, 0) * size,
        limit=size if page > 0 else 0,
    )
    events, dataset_id = context.collection("events"), dataset.id
    result = events.find(query, context.now, dataset_id)
    types = events.distinct_values("event_type", context.now, dataset_id)
    return Response(
        {
            "events": result.items,
            "event_types": sorted(types),
            "page_count": _count_pages(result.total, size),
        }
    )


def _build_type_filter(types: list[str] | None) -> Predicate:
    # Without types, the real server matches against a list that lacks some types.
    if not types:
        return IS_LISTED_TYPE
    return In(frozenset(STORED_TYPES.get(name, name) for name in types))


def _count_pages(count: int, size: int) -> int:
    if size == 0:
        return PAGE_COUNT_OF_EMPTY_PAGES if count else 0
    return count_pages(count, size)
