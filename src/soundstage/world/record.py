"""Records, JSON documents whose versions follow a timeline, and collections of them."""

from bisect import bisect_right, insort_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from soundstage.types import Document, Json
from soundstage.world.ids import IdForm

ALWAYS = -(2**62)
"""The instant since which a fixture's own records exist."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record, as a fixture's steps name it.

    ``collection`` keeps it, ``id`` is the field with its identifier, made by ``form``;
    ``parent`` is the field by whose value records are listed (an event's ``runID``);
    ``schema`` points to its schema in the contract, ``None`` where it is never served.
    """

    name: str
    collection: str
    id: str
    form: IdForm
    parent: str | None = None
    schema: str | None = None


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


Change: TypeAlias = Callable[[Document], Document]
"""Makes a new version of an old one."""


@dataclass(frozen=True, slots=True)
class Record:
    """A document's versions: ``documents[i]`` holds from ``times[i]`` on.

    The version of a record that was deleted is ``None``.
    """

    kind: Kind
    id: str
    times: tuple[int, ...]
    documents: tuple[Document | None, ...]
    name: str | None = None

    @property
    def began(self) -> int:
        """The instant of the first version."""
        return self.times[0]

    def as_of(self, now: int) -> Document | None:
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

    def ended(self, now: int, last: Document | None) -> "Record":
        """The record with ``last`` as its only version from now on."""
        index = bisect_right(self.times, now)
        return self._of((*self.times[:index], now), (*self.documents[:index], last))

    def _of(
        self, times: tuple[int, ...], documents: tuple[Document | None, ...]
    ) -> "Record":
        return Record(self.kind, self.id, times, documents, self.name)


def _began(record: Record) -> int:
    return record.began


@dataclass(slots=True)
class Collection:
    """Records of one kind, in the order in which they begin (ties: as they were added).

    Records that have not begun yet are kept too; every question takes ``now``.
    """

    kind: Kind
    _by_id: dict[str, Record] = field(default_factory=dict)
    _all: list[Record] = field(default_factory=list)
    _by_parent: dict[Json, list[Record]] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Record]:
        return iter(self._all)

    def copy(self) -> "Collection":
        """A collection that changes on its own; the records are shared."""
        lists = {parent: list(records) for parent, records in self._by_parent.items()}
        return Collection(self.kind, dict(self._by_id), list(self._all), lists)

    def record(self, record_id: str) -> Record | None:
        """The record with this id, all its versions. O(1)."""
        return self._by_id.get(record_id)

    def get(self, record_id: str, now: int) -> Document | None:
        """The document with this id, as of now. O(1)."""
        record = self._by_id.get(record_id)
        return record.as_of(now) if record else None

    def all(self, now: int) -> list[Document]:
        """Every document that has begun, the oldest first. O(documents)."""
        return _seen(self._all, now)

    def children(self, parent: Json, now: int) -> list[Document]:
        """Those listed under this parent, the oldest first. O(children)."""
        return _seen(self._by_parent.get(parent, []), now)

    def listed(self, parent: Json) -> Sequence[Record]:
        """The records under this parent as they begin, those to come too. O(1)."""
        return self._by_parent.get(parent, ())

    def add(self, record: Record) -> None:
        """Take a record in. O(log n), when it begins after the ones already here."""
        self._by_id[record.id] = record
        insort_right(self._all, record, key=_began)
        if self.kind.parent is not None:
            siblings = self._by_parent.setdefault(self._parent(record), [])
            insort_right(siblings, record, key=_began)

    def replace(self, old: Record, new: Record | None) -> None:
        """Put ``new``, which begins at the same instant, where ``old`` stood."""
        lists = [self._all]
        if self.kind.parent is not None:
            lists.append(self._by_parent[self._parent(old)])
        for records in lists:
            index = next(
                i
                for i in range(bisect_right(records, old.began, key=_began) - 1, -1, -1)
                if records[i] is old
            )
            records[index : index + 1] = [new] if new else []
        if new:
            self._by_id[old.id] = new
        else:
            del self._by_id[old.id]

    def _parent(self, record: Record) -> Json:
        first = record.documents[0] or {}
        return first.get(self.kind.parent or "")


def _seen(records: list[Record], now: int) -> list[Document]:
    begun = bisect_right(records, now, key=_began)
    return [
        document
        for record in records[:begun]
        if (document := record.as_of(now)) is not None
    ]
