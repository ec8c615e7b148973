"""Collections: all records of one type, by id, by parent and by query."""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence

from soundstage.types import Json, JsonObject
from soundstage.world.copy_on_write import CopyOnWriteDict
from soundstage.world.query import Page, Query
from soundstage.world.record import Record, RecordType
from soundstage.world.record_index import RecordIndex


class Collection:
    """Records of one type, in the order of their creation (ties: as they were added).

    It also has records that are created later, so every method takes ``now``. A copy
    takes O(1) and stores only its differences from ``base``, which must not change any
    more. ``regenerate_children`` returns the children of a parent that are not stored.
    """

    def __init__(self, record_type: RecordType, base: "Collection | None" = None) -> None:
        self.record_type = record_type
        self._base = base
        self.by_id: MutableMapping[str, Record] = CopyOnWriteDict(base.by_id) if base else {}
        self.index: RecordIndex = base.index.copy() if base else RecordIndex()
        self._child_indexes: dict[Json, RecordIndex] = {}
        self._change_times: ChangeTimes | None = None
        self.regenerate_children: Callable[[Json], RecordIndex | None] = _no_regenerated_records

    def __iter__(self) -> Iterator[Record]:
        return iter(self.index.records)

    def copy(self) -> "Collection":
        """Return an independent collection that shares the records."""
        return Collection(self.record_type, self)

    def get_record(self, record_id: str, parent: Json = None) -> Record | None:
        """Return a record with all its versions, or None. O(1).

        A record that is not stored is found only if ``parent`` is given, in
        O(siblings).
        """
        record = self.by_id.get(record_id)
        if record is None and parent is not None:
            siblings = self.child_records(parent)
            record = next((each for each in siblings if each.id == record_id), None)
        return record

    def get(self, record_id: str, now: int, parent: Json = None) -> JsonObject | None:
        """Return the current version of a record, or None; see ``get_record``."""
        record = self.get_record(record_id, parent)
        return record.as_of(now) if record else None

    def all(self, now: int) -> list[JsonObject]:
        """Return the current version of every record, the oldest first. O(records)."""
        return self.index.all(now)

    def children(self, parent: Json, now: int) -> list[JsonObject]:
        """Return the current versions of a parent's records, the oldest first."""
        return self.children_index(parent).all(now)

    def find(self, query: Query, now: int, parent: Json = None) -> Page:
        """Execute a query on all records, or on those of one parent."""
        index = self.index if parent is None else self.children_index(parent)
        return index.find(query, now)

    def distinct_values(self, field: str, now: int, parent: Json) -> frozenset[Json]:
        """Return every value of a field among the records of a parent."""
        return self.children_index(parent).distinct_values(field, now)

    def newest_first(self, now: int, parent: Json = None) -> Iterator[Record]:
        """Yield created records, the newest first. O(records that are consumed)."""
        index = self.index if parent is None else self.children_index(parent)
        return index.newest_first(now)

    def child_records(self, parent: Json) -> Sequence[Record]:
        """Return the records of a parent, including those created later. O(1)."""
        return self.children_index(parent).records

    def next_change(self, now: int) -> int | None:
        """Return the next timestamp at which any record is created or changes.

        O(log n), but O(n) for the first call among worlds that share the records.
        """
        return self.change_times().next_after(now)

    def add(self, record: Record) -> None:
        """Add a record. O(log n) if it is created after the others."""
        self.by_id[record.id] = record
        self.index.add(record)
        if self.record_type.parent_field is not None:
            self._writable_children_index(record.parent_id).add(record)
        self._update_change_times((), record.change_times)

    def replace(self, old: Record, new: Record | None) -> None:
        """Replace a record by one with the same id and creation time, or remove it."""
        self.index.replace(old, new)
        if self.record_type.parent_field is not None:
            self._writable_children_index(old.parent_id).replace(old, new)
        if new:
            self.by_id[old.id] = new
        else:
            del self.by_id[old.id]
        self._update_change_times(old.change_times, new.change_times if new else ())

    def children_index(self, parent: Json) -> RecordIndex:
        """Return the index of a parent's records, for reading."""
        index = self._child_indexes.get(parent)
        # A parent that this world has not changed has the index of the base.
        if index is None and self._base:
            return self._base.children_index(parent)
        return index or self.regenerate_children(parent) or EMPTY_INDEX

    def _writable_children_index(self, parent: Json) -> RecordIndex:
        if parent not in self._child_indexes:
            self._child_indexes[parent] = self.children_index(parent).copy()
        return self._child_indexes[parent]

    def change_times(self) -> "ChangeTimes":
        """Return the timestamps at which any record is created or changes."""
        if self._change_times is None:
            if self._base:
                return self._base.change_times()
            self._change_times = ChangeTimes(
                timestamp for record in self for timestamp in record.change_times
            )
        return self._change_times

    def _update_change_times(self, old: Sequence[int], new: Sequence[int]) -> None:
        if self._base is None:
            # Adding the history calls this once a record: compute them all when needed.
            self._change_times = None
            return
        if self._change_times is None:
            self._change_times = ChangeTimes(base=self._base.change_times)
        # Only the difference is stored: the times of the base are shared.
        self._change_times.remove(old)
        self._change_times.add(new)


EMPTY_INDEX = RecordIndex()
"""The shared index of parents without records."""


def _no_regenerated_records(_parent: Json) -> RecordIndex | None:
    return None


class ChangeTimes:
    """A multiset of timestamps; those of ``base`` are shared and included.

    >>> times = ChangeTimes([10, 20])
    >>> times.next_after(10)
    20
    """

    def __init__(
        self, timestamps: Iterable[int] = (), base: "Callable[[], ChangeTimes] | None" = None
    ) -> None:
        self._base = base
        # A count may be negative: that removes a timestamp of the base.
        self._counts = Counter(timestamps)
        self.timestamps = sorted(self._counts)

    def add(self, timestamps: Iterable[int]) -> None:
        """Add each timestamp once. O(log n) each if they are late ones."""
        for timestamp in timestamps:
            if timestamp not in self._counts:
                insort(self.timestamps, timestamp)
            self._counts[timestamp] += 1

    def remove(self, timestamps: Iterable[int]) -> None:
        """Remove each timestamp once."""
        self._counts.subtract(timestamps)

    def next_after(self, now: int) -> int | None:
        """Return the first timestamp after ``now``, or None.

        O(log n), and O(1) for each removed timestamp on the way.
        """
        shared = self._base().timestamps if self._base else ()
        firsts = (self._first_after(each, now) for each in (self.timestamps, shared))
        return min((first for first in firsts if first is not None), default=None)

    def _first_after(self, timestamps: Sequence[int], now: int) -> int | None:
        for i in range(bisect_right(timestamps, now), len(timestamps)):
            if self.count(timestamps[i]) > 0:
                return timestamps[i]
        return None

    def count(self, timestamp: int) -> int:
        """Return how often a timestamp is contained."""
        base = self._base().count(timestamp) if self._base else 0
        return self._counts[timestamp] + base
