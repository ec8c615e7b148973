"""Records: JSON documents whose versions follow a timeline."""

from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from soundstage.types import Json, JsonObject, RecordVersion
from soundstage.world.ids import IdForm

ALWAYS = -(2**62)
"""The instant since which a fixture's own records exist."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record, as a fixture's steps name it.

    ``collection`` keeps it, ``id`` is the field with its identifier, made by ``form``;
    ``parent`` is the field by whose value records are listed (an event's ``runID``);
    ``schema`` points to its schema in the contract, ``None`` where it is never served.
    Those that are ``of_run`` have the run that made them as their parent.
    """

    name: str
    collection: str
    id: str
    form: IdForm
    parent: str | None = None
    schema: str | None = None
    of_run: bool = False


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How one API speaks: its kinds of record, and how it writes moments.

    A moment is drawn from the instant of the step and the one at which the patched
    record began.
    """

    kinds: Mapping[str, Kind]
    moments: Mapping[str, Callable[[int, int], Json]]

    @classmethod
    def of(cls, *kinds: Kind, **moments: Callable[[int, int], Json]) -> "Vocabulary":
        """A vocabulary of these kinds, and of moments by their names."""
        return cls({kind.name: kind for kind in kinds}, moments)


Change: TypeAlias = Callable[[JsonObject], JsonObject]
"""Makes a new version of an old one."""


@dataclass(frozen=True, slots=True)
class Record:
    """A document's versions: ``documents[i]`` holds from ``times[i]`` on.

    The version of a record that was deleted is ``None``.
    """

    kind: Kind
    id: str
    times: tuple[int, ...]
    documents: tuple[JsonObject | None, ...]
    name: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "documents", tuple(map(_version, self.documents)))

    @property
    def began(self) -> int:
        """The instant of the first version."""
        return self.times[0]

    @property
    def settled(self) -> int:
        """The instant of the last version; nothing becomes of it any more."""
        return self.times[-1]

    @property
    def last(self) -> JsonObject | None:
        """The last version."""
        return self.documents[-1]

    @property
    def to_come(self) -> tuple[int, ...]:
        """Instants at which it may change, in any world that it is in."""
        return self.times

    @property
    def parent(self) -> Json:
        """What it is listed under, from first to last."""
        return (self.documents[0] or {}).get(self.kind.parent or "")

    def since(self, now: int) -> int:
        """The instant of the version in force; that of the first before it."""
        if self.times[-1] <= now:
            return self.times[-1]
        return self.times[max(bisect_right(self.times, now) - 1, 0)]

    def as_of(self, now: int) -> JsonObject | None:
        """The version in force; ``None`` before the first. O(log versions)."""
        if self.times[-1] <= now:  # what is over is asked for most
            return self.documents[-1]
        index = bisect_right(self.times, now)
        return self.documents[index - 1] if index else None

    def next_after(self, now: int) -> int | None:
        """The instant of the first version after now."""
        index = bisect_right(self.times, now)
        return self.times[index] if index < len(self.times) else None

    def until(self, now: int) -> "Record | None":
        """The record without what comes after ``now``; ``None`` if nothing is left."""
        index = bisect_right(self.times, now)
        if index == 0:
            return None
        return self._of(self.times[:index], self.documents[:index])

    def changed(self, now: int, change: Change) -> "Record":
        """The record with ``change`` made to its version of now and all later ones."""
        index = max(bisect_right(self.times, now), 1)
        old = self.documents[index - 1 :]
        times = (*self.times[:index], now, *self.times[index:])
        new = (None if document is None else change(document) for document in old)
        return self._of(times, (*self.documents[:index], *new))

    def ended(self, now: int, last: JsonObject | None) -> "Record":
        """The record with ``last`` as its only version from now on."""
        index = bisect_right(self.times, now)
        return self._of((*self.times[:index], now), (*self.documents[:index], last))

    def _of(
        self, times: tuple[int, ...], documents: tuple[JsonObject | None, ...]
    ) -> "Record":
        return Record(self.kind, self.id, times, documents, self.name)


def _version(document: JsonObject | None) -> RecordVersion | None:
    if document is None or isinstance(document, RecordVersion):
        return document
    return RecordVersion(document)


def began(record: Record) -> int:
    """When a record begins; what lists of them are in the order of."""
    return record.began
