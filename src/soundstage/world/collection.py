"""Collections: all records of one kind, found by id, by parent and by query."""

from collections.abc import Callable, Iterator, MutableMapping, Sequence

from soundstage.types import Json, JsonObject
from soundstage.world.change_times import Instants
from soundstage.world.copy_on_write import Layered
from soundstage.world.query import Page, Query
from soundstage.world.record import Kind, Record
from soundstage.world.record_index import Rows


class Collection:
    """Records of one kind, in the order in which they begin (ties: as they were added).

    Records that have not begun yet are kept too; every question takes ``now``. A copy
    is made in O(1) and keeps only what differs from the one ``below``, which must not
    change any more. What is listed under a parent and not kept, ``recall`` gives.
    """

    def __init__(self, kind: Kind, below: "Collection | None" = None) -> None:
        self.kind = kind
        self._below = below
        self.by_id: MutableMapping[str, Record] = Layered(below.by_id) if below else {}
        self.rows: Rows = below.rows.copy() if below else Rows()
        self._families: dict[Json, Rows] = {}
        self._instants: Instants | None = None
        self.recall: Callable[[Json], Rows | None] = _nobody_knows

    def __iter__(self) -> Iterator[Record]:
        return iter(self.rows.records)

    def copy(self) -> "Collection":
        """A collection that changes on its own; the records are shared."""
        return Collection(self.kind, self)

    def record(self, record_id: str, parent: Json = None) -> Record | None:
        """The record with this id, all its versions. O(1).

        One that is not kept is found if its parent is named, in O(its siblings).
        """
        found = self.by_id.get(record_id)
        if found is None and parent is not None:
            there = (r for r in self.listed(parent) if r.id == record_id)
            found = next(there, None)
        return found

    def get(self, record_id: str, now: int, parent: Json = None) -> JsonObject | None:
        """The document with this id, as of now; found as ``record`` does."""
        record = self.record(record_id, parent)
        return record.as_of(now) if record else None

    def all(self, now: int) -> list[JsonObject]:
        """Every document that has begun, the oldest first. O(documents)."""
        return self.rows.all(now)

    def children(self, parent: Json, now: int) -> list[JsonObject]:
        """Those listed under this parent, the oldest first. O(children)."""
        return self.family(parent).all(now)

    def find(self, query: Query, now: int, parent: Json = None) -> Page:
        """A page of what is asked for, of one parent if it is named."""
        rows = self.rows if parent is None else self.family(parent)
        return rows.find(query, now)

    def said(self, field: str, now: int, parent: Json) -> frozenset[Json]:
        """Every value of a field among those listed under this parent."""
        return self.family(parent).said(field, now)

    def newest(self, now: int, parent: Json = None) -> Iterator[Record]:
        """Those that have begun, the newest first. O(those that are looked at)."""
        rows = self.rows if parent is None else self.family(parent)
        return rows.newest(now)

    def listed(self, parent: Json) -> Sequence[Record]:
        """The records under this parent as they begin, those to come too. O(1)."""
        return self.family(parent).records

    def next_change(self, now: int) -> int | None:
        """The next instant at which any record changes or begins.

        O(log n), but O(n) for the first time in worlds that share these records.
        """
        return self.changes().next_after(now)

    def add(self, record: Record) -> None:
        """Take a record in. O(log n), when it begins after the ones already here."""
        self.by_id[record.id] = record
        self.rows.add(record)
        if self.kind.parent is not None:
            self._own_family(record.parent).add(record)
        self._retime((), record.to_come)

    def replace(self, old: Record, new: Record | None) -> None:
        """Put ``new``, which begins at the same instant, where ``old`` stood."""
        self.rows.replace(old, new)
        if self.kind.parent is not None:
            self._own_family(old.parent).replace(old, new)
        if new:
            self.by_id[old.id] = new
        else:
            del self.by_id[old.id]
        self._retime(old.to_come, new.to_come if new else ())

    def family(self, parent: Json) -> Rows:
        """The records under this parent, to be read."""
        found = self._families.get(parent)
        if found is None and self._below:
            return self._below.family(parent)
        return found or self.recall(parent) or NOBODY

    def _own_family(self, parent: Json) -> Rows:
        """The records under this parent, to be changed."""
        if parent not in self._families:
            self._families[parent] = self.family(parent).copy()
        return self._families[parent]

    def changes(self) -> Instants:
        """When anything changes."""
        if self._instants is None:
            if self._below:
                return self._below.changes()
            self._instants = Instants(at for record in self for at in record.to_come)
        return self._instants

    def _retime(self, old: Sequence[int], new: Sequence[int]) -> None:
        if self._below is None:
            self._instants = None
            return
        if self._instants is None:
            self._instants = Instants(below=self._below.changes)
        self._instants.remove(old)
        self._instants.add(new)


NOBODY = Rows()
"""Nothing is listed under whoever has nothing."""


def _nobody_knows(_parent: Json) -> Rows | None:
    return None
