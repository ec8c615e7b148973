"""What there is at Algolia Ingestion, and how it writes time."""

from soundstage.world.clock import rfc3339
from soundstage.world.ids import uuid
from soundstage.world.record import Kind, Vocabulary


def _schema_reference(name: str) -> str:
    return f"#/components/schemas/{name}"


def _owned_record_type(name: str) -> Kind:
    """A plain record, listed under the application that owns it."""
    schema = _schema_reference(name.capitalize())
    return Kind(name, f"{name}s", f"{name}ID", uuid, "owner", schema)


MODEL = Vocabulary.of(
    Kind("run", "runs", "runID", uuid, "taskID", _schema_reference("Run")),
    Kind(
        "event",
        "events",
        "eventID",
        uuid,
        "runID",
        _schema_reference("Event"),
        of_run=True,
    ),
    _owned_record_type("authentication"),
    _owned_record_type("transformation"),
    _owned_record_type("source"),
    _owned_record_type("destination"),
    _owned_record_type("task"),
    at=lambda at, _: rfc3339(at),
)
