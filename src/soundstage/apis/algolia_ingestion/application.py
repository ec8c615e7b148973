"""Access to the records of the application that sends a request, and to no others."""

from collections.abc import Iterator

from soundstage.apis.algolia_ingestion.model import ID_FIELDS
from soundstage.apis.api import NotFound, RequestContext
from soundstage.types import Json, JsonObject

OWNER_FIELDS = {"runs": "appID"}
"""By collection, the field with the owner's application id, if it is not ``owner``."""


def application_id(context: RequestContext) -> str:
    """Return the id of the application that sends the request."""
    return context.credential["appId"]


def get_requested(context: RequestContext, collection: str) -> JsonObject:
    """Return the record that the path identifies. Raises ``NotFound``.

    The records of other applications are not found either.
    """
    record_id = context.parameters[ID_FIELDS[collection]]
    record = context.get(collection, record_id)
    if record[OWNER_FIELDS.get(collection, "owner")] != application_id(context):
        raise NotFound(collection, record_id)
    return record


def list_own_records(context: RequestContext, collection: str) -> list[JsonObject]:
    """Return the application's records, the oldest first. O(these)."""
    return context.collection(collection).children(application_id(context), context.now)


def iter_values(value: Json) -> Iterator[Json]:
    """Yield the values of a field that holds a list, one value or null."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value
