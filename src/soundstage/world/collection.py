"""Collections: all records of one kind, found by id, by parent and by query."""

from collections.abc import Callable, Iterator, MutableMapping, Sequence

from soundstage.types import Json, JsonObject
from soundstage.world.change_times import ChangeTimes
from soundstage.world.copy_on_write import CopyOnWriteDict
from soundstage.world.query import Page, Query
from soundstage.world.record import Record, RecordType
from soundstage.world.record_index import RecordIndex


class Collection:
    """Records of one kind, in the order in which they begin (ties: as they were added).

    Records that have not begun yet are kept too; every question takes ``now``. A copy
    is made in O(1) and keeps only what differs from the one ``below``, which must not
    change any more. What is listed under a parent and not kept, ``recall`` gives.
    """

    def __init__(
        self, record_type: RecordType, base: "Collection | None" = None
    ) -> None:
        self.record_type = record_type
        self._base = base
        self.by_id: MutableMapping[str, Record] = (
            CopyOnWriteDict(base.by_id) if base else {}
        )
        self.index: RecordIndex = base.index.copy() if base else RecordIndex()
        self._child_indexes: dict[Json, RecordIndex] = {}
        self._change_times: ChangeTimes | None = None
        self.regenerate_children: Callable[[Json], RecordIndex | None] = (
            _no_regenerated_records
        )

    def __iter__(self) -> Iterator[Record]:
        return iter(self.index.records)

    def copy(self) -> "Collection":
        """A collection that changes on its own; the records are shared."""
        return Collection(self.record_type, self)

    def get_record(self, record_id: str, parent: Json = None) -> Record | None:
        """The record with this id, all its versions. O(1).

        One that is not kept is found if its parent is named, in O(its siblings).
        """
        found = self.by_id.get(record_id)
        if found is None and parent is not None:
            there = (r for r in self.child_records(parent) if r.id == record_id)
            found = next(there, None)
        return found

    def get(self, record_id: str, now: int, parent: Json = None) -> JsonObject | None:
        """The document with this id, as of now; found as ``record`` does."""
        record = self.get_record(record_id, parent)
        return record.as_of(now) if record else None

    def all(self, now: int) -> list[JsonObject]:
        """Every document that has begun, the oldest first. O(documents)."""
        return self.index.all(now)

    def children(self, parent: Json, now: int) -> list[JsonObject]:
        """Those listed under this parent, the oldest first. O(children)."""
        return self.children_index(parent).all(now)

    def find(self, query: Query, now: int, parent: Json = None) -> Page:
        """A page of what is asked for, of one parent if it is named."""
        rows = self.index if parent is None else self.children_index(parent)
        return rows.find(query, now)

    def distinct_values(self, field: str, now: int, parent: Json) -> frozenset[Json]:
        """Every value of a field among those listed under this parent."""
        return self.children_index(parent).distinct_values(field, now)

    def newest_first(self, now: int, parent: Json = None) -> Iterator[Record]:
        """Those that have begun, the newest first. O(those that are looked at)."""
        rows = self.index if parent is None else self.children_index(parent)
        return rows.newest_first(now)

    def child_records(self, parent: Json) -> Sequence[Record]:
        """The records under this parent as they begin, those to come too. O(1)."""
        return self.children_index(parent).records

    def next_change(self, now: int) -> int | None:
        """The next instant at which any record changes or begins.

        O(log n), but O(n) for the first time in worlds that share these records.
        """
        return self.change_times().next_after(now)

    def add(self, record: Record) -> None:
        """Take a record in. O(log n), when it begins after the ones already here."""
        self.by_id[record.id] = record
        self.index.add(record)
        if self.record_type.parent_field is not None:
            self._writable_children_index(record.parent_id).add(record)
        self._update_change_times((), record.change_times)

    def replace(self, old: Record, new: Record | None) -> None:
        """Put ``new``, which begins at the same instant, where ``old`` stood."""
        self.index.replace(old, new)
        if self.record_type.parent_field is not None:
            self._writable_children_index(old.parent_id).replace(old, new)
        if new:
            self.by_id[old.id] = new
        else:
            del self.by_id[old.id]
        self._update_change_times(old.change_times, new.change_times if new else ())

    def children_index(self, parent: Json) -> RecordIndex:
        """The records under this parent, to be read."""
        found = self._child_indexes.get(parent)
        if found is None and self._base:
            return self._base.children_index(parent)
        return found or self.regenerate_children(parent) or EMPTY_INDEX

    def _writable_children_index(self, parent: Json) -> RecordIndex:
        """The records under this parent, to be changed."""
        if parent not in self._child_indexes:
            self._child_indexes[parent] = self.children_index(parent).copy()
        return self._child_indexes[parent]

    def change_times(self) -> ChangeTimes:
        """When anything changes."""
        if self._change_times is None:
            if self._base:
                return self._base.change_times()
            self._change_times = ChangeTimes(
                at for record in self for at in record.change_times
            )
        return self._change_times

    def _update_change_times(self, old: Sequence[int], new: Sequence[int]) -> None:
        if self._base is None:
            self._change_times = None
            return
        if self._change_times is None:
            self._change_times = ChangeTimes(base=self._base.change_times)
        self._change_times.remove(old)
        self._change_times.add(new)


EMPTY_INDEX = RecordIndex()
"""Nothing is listed under whoever has nothing."""


def _no_regenerated_records(_parent: Json) -> RecordIndex | None:
    return None
