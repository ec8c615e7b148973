"""What an application sees: its own records, and nobody else's."""

from collections.abc import Iterator

from soundstage.apis.api import NotFound, RequestContext
from soundstage.types import Json, JsonObject

OWNER_FIELDS = {"runs": "appID"}
"""The field that says whose a record is, where that is not ``owner``."""


def get_own_record(
    context: RequestContext, collection: str, record_id: str
) -> JsonObject:
    """A record of the caller's application. Raises ``NotFound``."""
    document = context.get(collection, record_id)
    if document[OWNER_FIELDS.get(collection, "owner")] != application_id(context):
        raise NotFound(collection, record_id)
    return document


def list_own_records(context: RequestContext, collection: str) -> list[JsonObject]:
    """The plain records of the caller's application, the oldest first. O(these)."""
    return context.collection(collection).children(application_id(context), context.now)


def application_id(context: RequestContext) -> str:
    """The application that asks."""
    return context.credential["appId"]


def iter_values(value: Json) -> Iterator[Json]:
    """The values of a field that holds one, many or none."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value
