"""What there is at Algolia Ingestion, and how it writes time."""

from soundstage.world.clock import format_rfc3339
from soundstage.world.ids import uuid
from soundstage.world.record import ApiModel, RecordType


def _schema_reference(name: str) -> str:
    return f"#/components/schemas/{name}"


def _owned_record_type(name: str) -> RecordType:
    """A plain record, listed under the application that owns it."""
    schema = _schema_reference(name.capitalize())
    return RecordType(name, f"{name}s", f"{name}ID", uuid, "owner", schema)


MODEL = ApiModel.define(
    RecordType("run", "runs", "runID", uuid, "taskID", _schema_reference("Run")),
    RecordType(
        "event",
        "events",
        "eventID",
        uuid,
        "runID",
        _schema_reference("Event"),
        belongs_to_run=True,
    ),
    _owned_record_type("authentication"),
    _owned_record_type("transformation"),
    _owned_record_type("source"),
    _owned_record_type("destination"),
    _owned_record_type("task"),
    at=lambda at, _: format_rfc3339(at),
)
