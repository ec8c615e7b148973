"""Lists of records: filters, order, pagination and time windows."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from soundstage.apis.api import RequestContext
from soundstage.types import Json, JsonObject
from soundstage.world.clock import clamp_timestamp, format_rfc3339, parse_rfc3339
from soundstage.world.query import (
    Field,
    In,
    Page,
    Predicate,
    Query,
    count_pages,
    nulls_first,
    slice_page,
    sort_documents,
)

FilterValues = Callable[[RequestContext, JsonObject], Iterable[Json]]
"""Returns the values of a record, one of which must be among those of a filter."""


def field_values(name: str) -> FilterValues:
    """Return a filter by the value of a field."""
    return lambda _, record: (record.get(name),)


def filter_records(
    context: RequestContext, records: Iterable[JsonObject], filters: Mapping[str, FilterValues]
) -> list[JsonObject]:
    """Return the records that match every filter of the request."""
    requested = _parse_filters(context, filters)
    return [
        record
        for record in records
        if all(
            any(value in values for value in filters[name](context, record))
            for name, values in requested.items()
        )
    ]


def build_query(
    context: RequestContext,
    predicates: Iterable[tuple[Field, Predicate]],
    sort_keys: Mapping[str, Field],
) -> Query:
    """Build the query of a sorted page from the request's ``sort`` and ``page``.

    ``sort_keys`` are the values of ``sort`` that are no field of a record.
    """
    parameters = context.parameters
    sort, size = parameters["sort"], parameters["itemsPerPage"]
    return Query(
        conditions=tuple(predicates),
        order_by=sort_keys.get(sort, sort),
        descending=parameters["order"] == "desc",
        offset=(parameters["page"] - 1) * size,
        limit=size,
    )


def build_predicates(
    context: RequestContext, fields: Iterable[str]
) -> Iterator[tuple[Field, Predicate]]:
    """Yield a predicate for each of these fields that the request filters by."""
    for name, values in _parse_filters(context, fields).items():
        yield name, In(frozenset(values))


def _parse_filters(context: RequestContext, names: Iterable[str]) -> dict[str, list[Json]]:
    """Return the values of each filter of the request; an empty list is no filter."""
    return {
        name: value if isinstance(value, list) else [value]
        for name in names
        if (value := context.parameters.get(name)) not in (None, [])
    }


def render_page(context: RequestContext, key: str, page: Page) -> JsonObject:
    """Render a page of a query under a key."""
    return {key: page.items, "pagination": _render_pagination(context, page.total)}


def sort_and_render_page(
    context: RequestContext,
    key: str,
    records: Iterable[JsonObject],
    sort_keys: Mapping[str, Callable[[JsonObject], Json]],
) -> JsonObject:
    """Sort records and render a page of them under a key.

    ``sort_keys`` are the values of ``sort`` that are no field of a record.
    """
    parameters = context.parameters
    sort, is_descending = parameters["sort"], parameters["order"] == "desc"

    def sort_key(record: JsonObject) -> Json:
        get_value = sort_keys.get(sort)
        return nulls_first(get_value(record) if get_value else record.get(sort))

    ordered = sort_documents(records, sort_key, descending=is_descending)
    return {
        key: slice_page(ordered, parameters["page"], parameters["itemsPerPage"]),
        "pagination": _render_pagination(context, len(ordered)),
    }


def _render_pagination(context: RequestContext, total: int) -> JsonObject:
    page, size = context.parameters["page"], context.parameters["itemsPerPage"]
    return {
        # An empty list has one page too: the contract's minimum is 1.
        "nbPages": max(1, count_pages(total, size)),
        "page": page,
        "nbItems": total,
        "itemsPerPage": size,
    }


def parse_window(context: RequestContext, default_duration: int) -> JsonObject:
    """Return the requested window of time, in RFC 3339.

    By default it ends now and is ``default_duration`` ms long.
    """
    start, end = context.parameters.get("startDate"), context.parameters.get("endDate")
    default_start = clamp_timestamp(context.now - default_duration)
    first = default_start if start is None else parse_rfc3339(start)
    last = context.now if end is None else parse_rfc3339(end)
    return {"startDate": format_rfc3339(first), "endDate": format_rfc3339(last)}
