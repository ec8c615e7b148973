"""Records: JSON documents whose versions follow a timeline."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from soundstage.types import Json, JsonObject, RecordVersion
from soundstage.world.ids import IdFormat

BEGINNING = -(2**62)
"""The instant since which a fixture's own records exist."""


@dataclass(frozen=True, slots=True)
class RecordType:
    """A kind of record, as a fixture's steps name it.

    ``collection`` keeps it, ``id`` is the field with its identifier, made by ``form``;
    ``parent`` is the field by whose value records are listed (an event's ``runID``);
    ``schema`` points to its schema in the contract, ``None`` where it is never served.
    Those that are ``of_run`` have the run that made them as their parent.
    """

    name: str
    collection: str
    id_field: str
    id_format: IdFormat
    parent_field: str | None = None
    schema: str | None = None
    belongs_to_run: bool = False


@dataclass(frozen=True, slots=True)
class ApiModel:
    """How one API speaks: its kinds of record, and how it writes moments.

    A moment is drawn from the instant of the step and the one at which the patched
    record began.
    """

    record_types: Mapping[str, RecordType]
    timestamp_formats: Mapping[str, Callable[[int, int], Json]]

    @classmethod
    def define(
        cls, *record_types: RecordType, **timestamp_formats: Callable[[int, int], Json]
    ) -> "ApiModel":
        """A vocabulary of these kinds, and of moments by their names."""
        return cls({kind.name: kind for kind in record_types}, timestamp_formats)


VersionUpdate: TypeAlias = Callable[[JsonObject], JsonObject]
"""Makes a new version of an old one."""


@dataclass(frozen=True, slots=True)
class Record:
    """A document's versions: ``documents[i]`` holds from ``times[i]`` on.

    The version of a record that was deleted is ``None``.
    """

    record_type: RecordType
    id: str
    timestamps: tuple[int, ...]
    versions: tuple[JsonObject | None, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "versions", tuple(map(_freeze, self.versions)))

    @property
    def created_at(self) -> int:
        """The instant of the first version."""
        return self.timestamps[0]

    @property
    def last_changed_at(self) -> int:
        """The instant of the last version; nothing becomes of it any more."""
        return self.timestamps[-1]

    @property
    def last_version(self) -> JsonObject | None:
        """The last version."""
        return self.versions[-1]

    @property
    def change_times(self) -> tuple[int, ...]:
        """Instants at which it may change, in any world that it is in."""
        return self.timestamps

    @property
    def parent_id(self) -> Json:
        """What it is listed under, from first to last."""
        return (self.versions[0] or {}).get(self.record_type.parent_field or "")

    def version_timestamp(self, now: int) -> int:
        """The instant of the version in force; that of the first before it."""
        if self.timestamps[-1] <= now:
            return self.timestamps[-1]
        return self.timestamps[max(bisect_right(self.timestamps, now) - 1, 0)]

    def as_of(self, now: int) -> JsonObject | None:
        """The version in force; ``None`` before the first. O(log versions)."""
        if self.timestamps[-1] <= now:  # what is over is asked for most
            return self.versions[-1]
        index = bisect_right(self.timestamps, now)
        return self.versions[index - 1] if index else None

    def next_change(self, now: int) -> int | None:
        """The instant of the first version after now."""
        index = bisect_right(self.timestamps, now)
        return self.timestamps[index] if index < len(self.timestamps) else None

    def truncate(self, timestamp: int) -> "Record | None":
        """The record without what comes after ``now``; ``None`` if nothing is left."""
        index = bisect_right(self.timestamps, timestamp)
        if index == 0:
            return None
        return self._with_versions(self.timestamps[:index], self.versions[:index])

    def apply_change(self, now: int, change: VersionUpdate) -> "Record":
        """The record with ``change`` made to its version of now and all later ones."""
        index = max(bisect_right(self.timestamps, now), 1)
        old = self.versions[index - 1 :]
        times = (*self.timestamps[:index], now, *self.timestamps[index:])
        new = (None if document is None else change(document) for document in old)
        return self._with_versions(times, (*self.versions[:index], *new))

    def replace_from(self, now: int, version: JsonObject | None) -> "Record":
        """The record with ``last`` as its only version from now on."""
        index = bisect_right(self.timestamps, now)
        return self._with_versions(
            (*self.timestamps[:index], now), (*self.versions[:index], version)
        )

    def _with_versions(
        self, timestamps: tuple[int, ...], versions: tuple[JsonObject | None, ...]
    ) -> "Record":
        return Record(self.record_type, self.id, timestamps, versions, self.name)


def _freeze(document: JsonObject | None) -> RecordVersion | None:
    if document is None or isinstance(document, RecordVersion):
        return document
    return RecordVersion(document)


def get_created_at(record: Record) -> int:
    """When a record begins; what lists of them are in the order of."""
    return record.created_at
