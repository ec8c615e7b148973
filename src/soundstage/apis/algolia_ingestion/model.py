"""The record types of Algolia Ingestion and its timestamp format."""

from typing import Final

from soundstage.world.clock import format_rfc3339
from soundstage.world.ids import uuid
from soundstage.world.record import ApiModel, RecordType

API_NAME: Final = "algolia-ingestion"


def _record_type(name: str, parent_field: str, *, belongs_to_run: bool = False) -> RecordType:
    schema = f"#/components/schemas/{name.capitalize()}"
    collection, id_field = f"{name}s", f"{name}ID"
    return RecordType(name, collection, id_field, uuid, parent_field, schema, belongs_to_run)


MODEL: Final = ApiModel.define(
    _record_type("run", "taskID"),
    _record_type("event", "runID", belongs_to_run=True),
    # The others are listed under the application that owns them.
    _record_type("authentication", "owner"),
    _record_type("transformation", "owner"),
    _record_type("source", "owner"),
    _record_type("destination", "owner"),
    _record_type("task", "owner"),
    at=lambda timestamp, _: format_rfc3339(timestamp),
)

ID_FIELDS: Final = {t.collection: t.id_field for t in MODEL.record_types.values()}
"""The field with a record's id, by collection."""
