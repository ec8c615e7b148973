"""What refers to what: nothing may refer to what is not there."""

from collections.abc import Iterator
from typing import Final

from soundstage.apis.algolia_ingestion.application import (
    application_id,
    iter_values,
    list_own_records,
)
from soundstage.apis.algolia_ingestion.model import MODEL
from soundstage.apis.api import BadRequest, RequestContext
from soundstage.types import JsonObject

REFERENCES: Final = (
    ("sources", "authenticationID", "authentications"),
    ("destinations", "authenticationID", "authentications"),
    ("destinations", "transformationIDs", "transformations"),
    ("transformations", "authenticationIDs", "authentications"),
    ("tasks", "sourceID", "sources"),
    ("tasks", "destinationID", "destinations"),
)
"""A collection, the field in which its records refer to others, and to which."""

ID_FIELDS: Final = {
    kind.collection: kind.id_field for kind in MODEL.record_types.values()
}


def check_references(
    context: RequestContext, collection: str, record: JsonObject
) -> None:
    """Raise ``Impossible`` for a reference to nothing of the application's own."""
    for holder, field, target in REFERENCES:
        if holder == collection:
            for named in iter_values(record.get(field)):
                there = context.collection(target).get(named, context.now)
                if there is None or there["owner"] != application_id(context):
                    msg = f"{field} refers to {named!r}, which {target} does not have"
                    raise BadRequest(msg)


def check_unreferenced(
    context: RequestContext, collection: str, record_id: str
) -> None:
    """Raise ``Impossible`` for a record that others refer to."""
    users = ", ".join(_find_references(context, collection, record_id))
    if users:
        msg = f"{record_id!r} is still used by {users}"
        raise BadRequest(msg)


def _find_references(
    context: RequestContext, collection: str, record_id: str
) -> Iterator[str]:
    """Those that refer to a record. O(records that may)."""
    for holder, field, target in REFERENCES:
        if target == collection:
            for document in list_own_records(context, holder):
                if record_id in iter_values(document.get(field)):
                    yield f"{holder} {document[ID_FIELDS[holder]]}"
