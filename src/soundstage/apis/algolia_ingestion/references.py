"""References between records: each must lead to an existing record."""

from collections.abc import Iterator
from typing import Final

from soundstage.apis.algolia_ingestion.application import (
    application_id,
    iter_values,
    list_own_records,
)
from soundstage.apis.algolia_ingestion.model import ID_FIELDS
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
"""A collection, the field with which its records refer, and the target collection."""


def check_references(context: RequestContext, collection: str, record: JsonObject) -> None:
    """Raise ``BadRequest`` if a reference leads to no record of the application."""
    for source, field, target in REFERENCES:
        if source != collection:
            continue
        for target_id in iter_values(record.get(field)):
            found = context.collection(target).get(target_id, context.now)
            if found is None or found["owner"] != application_id(context):
                msg = f"{field} refers to {target_id!r}, which {target} does not have"
                raise BadRequest(msg)


def check_unreferenced(context: RequestContext, collection: str, record_id: str) -> None:
    """Raise ``BadRequest`` if other records refer to a record."""
    users = ", ".join(_find_references(context, collection, record_id))
    if users:
        msg = f"{record_id!r} is still used by {users}"
        raise BadRequest(msg)


def _find_references(context: RequestContext, collection: str, record_id: str) -> Iterator[str]:
    """Yield the records that refer to a record. O(records that may)."""
    for source, field, target in REFERENCES:
        if target == collection:
            for record in list_own_records(context, source):
                if record_id in iter_values(record.get(field)):
                    yield f"{source} {record[ID_FIELDS[source]]}"
