"""What an application sees: its own records, and nobody else's."""

from collections.abc import Iterator

from soundstage.apis.api import Call, NotFound
from soundstage.types import Document, Json

OWNERS = {"runs": "appID"}
"""The field that says whose a record is, where that is not ``owner``."""


def own(call: Call, collection: str, record_id: str) -> Document:
    """A record of the caller's application. Raises ``NotFound``."""
    document = call.get(collection, record_id)
    if document[OWNERS.get(collection, "owner")] != caller(call):
        raise NotFound(collection, record_id)
    return document


def all_own(call: Call, collection: str) -> list[Document]:
    """The plain records of the caller's application, the oldest first. O(these)."""
    return call.collection(collection).children(caller(call), call.now)


def caller(call: Call) -> str:
    """The application that asks."""
    return call.credential["appId"]


def values_of(field: Json) -> Iterator[Json]:
    """The values of a field that holds one, many or none."""
    if isinstance(field, list):
        yield from field
    elif field is not None:
        yield field
