"""Lists: what was asked for, in which order, which page of it, from which time."""

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
"""What a document has to offer to a filter."""


def field_values(name: str) -> FilterValues:
    """A filter by the value of a field."""
    return lambda _, document: (document.get(name),)


def filter_records(
    context: RequestContext,
    records: Iterable[JsonObject],
    filters: Mapping[str, FilterValues],
) -> list[JsonObject]:
    """Those that satisfy every filter that the call has; an empty one is none."""
    wanted = _parse_filters(context, filters)
    return [
        document
        for document in records
        if all(
            any(value in values for value in filters[name](context, document))
            for name, values in wanted.items()
        )
    ]


def build_query(
    context: RequestContext,
    predicates: Iterable[tuple[Field, Predicate]],
    sort_keys: Mapping[str, Field],
) -> Query:
    """A sorted page; ``keys`` are what is no field of a document."""
    given = context.parameters
    size = given["itemsPerPage"]
    return Query(
        conditions=tuple(predicates),
        order_by=sort_keys.get(given["sort"], given["sort"]),
        descending=given["order"] == "desc",
        offset=(given["page"] - 1) * size,
        limit=size,
    )


def build_predicates(
    context: RequestContext, fields: Iterable[str]
) -> Iterator[tuple[Field, Predicate]]:
    """The filters of these fields that the call has; an empty one is none."""
    for name, values in _parse_filters(context, fields).items():
        yield name, In(frozenset(values))


def _parse_filters(
    context: RequestContext, names: Iterable[str]
) -> dict[str, list[Json]]:
    return {
        name: value if isinstance(value, list) else [value]
        for name in names
        if (value := context.parameters.get(name)) not in (None, [])
    }


def render_page(context: RequestContext, key: str, page: Page) -> JsonObject:
    """A page under this name."""
    return {key: page.items, "pagination": _render_pagination(context, page.total)}


def sort_and_render_page(
    context: RequestContext,
    key: str,
    records: Iterable[JsonObject],
    sort_keys: Mapping[str, Callable[[JsonObject], Json]],
) -> JsonObject:
    """A sorted page under this name; ``keys`` are what is no field of a document."""
    given = context.parameters
    sort, down = given["sort"], given["order"] == "desc"

    def sort_key(record: JsonObject) -> Json:
        own = sort_keys.get(sort)
        return nulls_first(own(record) if own else record.get(sort))

    found = sort_documents(records, sort_key, descending=down)
    return {
        key: slice_page(found, given["page"], given["itemsPerPage"]),
        "pagination": _render_pagination(context, len(found)),
    }


def _render_pagination(context: RequestContext, total: int) -> JsonObject:
    given = context.parameters
    size = given["itemsPerPage"]
    return {
        "nbPages": max(1, count_pages(total, size)),  # its minimum in the contract
        "page": given["page"],
        "nbItems": total,
        "itemsPerPage": size,
    }


def parse_window(context: RequestContext, default_duration: int) -> JsonObject:
    """The first and last instant asked for, as the API writes them."""
    start, end = context.parameters.get("startDate"), context.parameters.get("endDate")
    first = (
        clamp_timestamp(context.now - default_duration)
        if start is None
        else parse_rfc3339(start)
    )
    last = context.now if end is None else parse_rfc3339(end)
    return {"startDate": format_rfc3339(first), "endDate": format_rfc3339(last)}
