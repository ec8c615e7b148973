"""What there is at Algolia Ingestion, and how it writes time."""

from soundstage.world.clock import rfc3339
from soundstage.world.ids import uuid
from soundstage.world.record import Kind, Vocabulary


def _schema(name: str) -> str:
    return f"#/components/schemas/{name}"


def _owned(name: str) -> Kind:
    """A plain record, listed under the application that owns it."""
    schema = _schema(name.capitalize())
    return Kind(name, f"{name}s", f"{name}ID", uuid, "owner", schema)


VOCABULARY = Vocabulary.of(
    Kind("run", "runs", "runID", uuid, "taskID", _schema("Run")),
    Kind("event", "events", "eventID", uuid, "runID", _schema("Event"), of_run=True),
    _owned("authentication"),
    _owned("transformation"),
    _owned("source"),
    _owned("destination"),
    _owned("task"),
    at=lambda at, _: rfc3339(at),
)
