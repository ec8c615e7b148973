"""Lists: what was asked for, in which order, which page of it, from which time."""

from collections.abc import Callable, Iterable, Iterator, Mapping

from soundstage.apis.api import Call
from soundstage.types import Document, Json
from soundstage.world.clock import instant_of, rfc3339, within_years
from soundstage.world.page import nulls_first, ordered, page_of, pages
from soundstage.world.query import Among, Aspect, Page, Query, Test

Values = Callable[[Call, Document], Iterable[Json]]
"""What a document has to offer to a filter."""


def field(name: str) -> Values:
    """A filter by the value of a field."""
    return lambda _, document: (document.get(name),)


def chosen(
    call: Call, documents: Iterable[Document], filters: Mapping[str, Values]
) -> list[Document]:
    """Those that satisfy every filter that the call has; an empty one is none."""
    wanted = _wanted(call, filters)
    return [
        document
        for document in documents
        if all(
            any(value in values for value in filters[name](call, document))
            for name, values in wanted.items()
        )
    ]


def asked(
    call: Call, tests: Iterable[tuple[Aspect, Test]], keys: Mapping[str, Aspect]
) -> Query:
    """A sorted page; ``keys`` are what is no field of a document."""
    given = call.parameters
    size = given["itemsPerPage"]
    return Query(
        tests=tuple(tests),
        order=keys.get(given["sort"], given["sort"]),
        descending=given["order"] == "desc",
        start=(given["page"] - 1) * size,
        size=size,
    )


def tests_of(call: Call, fields: Iterable[str]) -> Iterator[tuple[Aspect, Test]]:
    """The filters of these fields that the call has; an empty one is none."""
    for name, values in _wanted(call, fields).items():
        yield name, Among(frozenset(values))


def _wanted(call: Call, names: Iterable[str]) -> dict[str, list[Json]]:
    return {
        name: value if isinstance(value, list) else [value]
        for name in names
        if (value := call.parameters.get(name)) not in (None, [])
    }


def told(call: Call, name: str, page: Page) -> Document:
    """A page under this name."""
    return {name: page.documents, "pagination": _pagination(call, page.total)}


def listed(
    call: Call,
    name: str,
    documents: Iterable[Document],
    keys: Mapping[str, Callable[[Document], Json]],
) -> Document:
    """A sorted page under this name; ``keys`` are what is no field of a document."""
    given = call.parameters
    sort, down = given["sort"], given["order"] == "desc"

    def key(document: Document) -> Json:
        own = keys.get(sort)
        return nulls_first(own(document) if own else document.get(sort))

    found = ordered(documents, key, descending=down)
    return {
        name: page_of(found, given["page"], given["itemsPerPage"]),
        "pagination": _pagination(call, len(found)),
    }


def _pagination(call: Call, total: int) -> Document:
    given = call.parameters
    size = given["itemsPerPage"]
    return {
        "nbPages": max(1, pages(total, size)),  # its minimum in the contract
        "page": given["page"],
        "nbItems": total,
        "itemsPerPage": size,
    }


def window(call: Call, width: int) -> Document:
    """The first and last instant asked for, as the API writes them."""
    start, end = call.parameters.get("startDate"), call.parameters.get("endDate")
    first = within_years(call.now - width) if start is None else instant_of(start)
    last = call.now if end is None else instant_of(end)
    return {"startDate": rfc3339(first), "endDate": rfc3339(last)}
