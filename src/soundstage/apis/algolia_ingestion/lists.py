"""Lists: what was asked for, in which order, which page of it, from which time."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from soundstage.apis.api import RequestContext
from soundstage.types import Json, JsonObject
from soundstage.world.clock import instant_of, rfc3339, within_years
from soundstage.world.query import (
    Among,
    Aspect,
    Page,
    Query,
    Test,
    nulls_first,
    ordered,
    page_of,
    pages,
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
    predicates: Iterable[tuple[Aspect, Test]],
    sort_keys: Mapping[str, Aspect],
) -> Query:
    """A sorted page; ``keys`` are what is no field of a document."""
    given = context.parameters
    size = given["itemsPerPage"]
    return Query(
        tests=tuple(predicates),
        order=sort_keys.get(given["sort"], given["sort"]),
        descending=given["order"] == "desc",
        start=(given["page"] - 1) * size,
        size=size,
    )


def build_predicates(
    context: RequestContext, fields: Iterable[str]
) -> Iterator[tuple[Aspect, Test]]:
    """The filters of these fields that the call has; an empty one is none."""
    for name, values in _parse_filters(context, fields).items():
        yield name, Among(frozenset(values))


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
    return {key: page.documents, "pagination": _render_pagination(context, page.total)}


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

    found = ordered(records, sort_key, descending=down)
    return {
        key: page_of(found, given["page"], given["itemsPerPage"]),
        "pagination": _render_pagination(context, len(found)),
    }


def _render_pagination(context: RequestContext, total: int) -> JsonObject:
    given = context.parameters
    size = given["itemsPerPage"]
    return {
        "nbPages": max(1, pages(total, size)),  # its minimum in the contract
        "page": given["page"],
        "nbItems": total,
        "itemsPerPage": size,
    }


def parse_window(context: RequestContext, default_duration: int) -> JsonObject:
    """The first and last instant asked for, as the API writes them."""
    start, end = context.parameters.get("startDate"), context.parameters.get("endDate")
    first = (
        within_years(context.now - default_duration)
        if start is None
        else instant_of(start)
    )
    last = context.now if end is None else instant_of(end)
    return {"startDate": rfc3339(first), "endDate": rfc3339(last)}
