"""What refers to what: nothing may refer to what is not there."""

from collections.abc import Iterator
from typing import Final

from soundstage.apis.algolia_ingestion.application import all_own, caller, values_of
from soundstage.apis.algolia_ingestion.vocabulary import VOCABULARY
from soundstage.apis.api import Call, Impossible
from soundstage.types import Document

REFERENCES: Final = (
    ("sources", "authenticationID", "authentications"),
    ("destinations", "authenticationID", "authentications"),
    ("destinations", "transformationIDs", "transformations"),
    ("transformations", "authenticationIDs", "authentications"),
    ("tasks", "sourceID", "sources"),
    ("tasks", "destinationID", "destinations"),
)
"""A collection, the field in which its records refer to others, and to which."""

IDS: Final = {kind.collection: kind.id for kind in VOCABULARY.kinds.values()}


def check_references(call: Call, collection: str, document: Document) -> None:
    """Raise ``Impossible`` for a reference to nothing of the application's own."""
    for holder, field, target in REFERENCES:
        if holder == collection:
            for named in values_of(document.get(field)):
                there = call.collection(target).get(named, call.now)
                if there is None or there["owner"] != caller(call):
                    msg = f"{field} refers to {named!r}, which {target} does not have"
                    raise Impossible(msg)


def check_unused(call: Call, collection: str, record_id: str) -> None:
    """Raise ``Impossible`` for a record that others refer to."""
    users = ", ".join(_users(call, collection, record_id))
    if users:
        msg = f"{record_id!r} is still used by {users}"
        raise Impossible(msg)


def _users(call: Call, collection: str, record_id: str) -> Iterator[str]:
    """Those that refer to a record. O(records that may)."""
    for holder, field, target in REFERENCES:
        if target == collection:
            for document in all_own(call, holder):
                if record_id in values_of(document.get(field)):
                    yield f"{holder} {document[IDS[holder]]}"
