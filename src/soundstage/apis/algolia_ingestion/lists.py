"""Lists: what was asked for, in which order, which page of it, from which time."""

from collections.abc import Callable, Iterable, Mapping

from soundstage.apis.api import Call
from soundstage.types import Document, Json
from soundstage.world.clock import instant_of, rfc3339, within_years
from soundstage.world.page import nulls_first, ordered, page_of, pages

Values = Callable[[Call, Document], Iterable[Json]]
"""What a document has to offer to a filter."""


def field(name: str) -> Values:
    """A filter by the value of a field."""
    return lambda _, document: (document.get(name),)


def chosen(
    call: Call, documents: Iterable[Document], filters: Mapping[str, Values]
) -> list[Document]:
    """Those that satisfy every filter that the call has; an empty one is none."""
    given = call.parameters
    wanted = {
        name: value if isinstance(value, list) else [value]
        for name in filters
        if (value := given.get(name)) not in (None, [])
    }
    return [
        document
        for document in documents
        if all(
            any(value in values for value in filters[name](call, document))
            for name, values in wanted.items()
        )
    ]


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
    page, size = given["page"], given["itemsPerPage"]
    return {
        name: page_of(found, page, size),
        "pagination": {
            "nbPages": max(1, pages(len(found), size)),  # its minimum in the contract
            "page": page,
            "nbItems": len(found),
            "itemsPerPage": size,
        },
    }


def window(call: Call, width: int) -> Document:
    """The first and last instant asked for, as the API writes them."""
    start, end = call.parameters.get("startDate"), call.parameters.get("endDate")
    first = within_years(call.now - width) if start is None else instant_of(start)
    last = call.now if end is None else instant_of(end)
    return {"startDate": rfc3339(first), "endDate": rfc3339(last)}


def inside(
    documents: Iterable[Document], moment: str, period: Document
) -> list[Document]:
    """Those whose moment is in the period; both of its ends belong to it."""
    start, end = period["startDate"], period["endDate"]
    return [document for document in documents if start <= document[moment] <= end]
