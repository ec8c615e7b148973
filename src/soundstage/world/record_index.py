"""Indexed lists of records in the order of their creation."""

from bisect import bisect_left, bisect_right, insort_right
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from soundstage.types import Json, JsonObject
from soundstage.world.query import (
    Between,
    Field,
    Page,
    Predicate,
    Query,
    Snapshot,
    execute_query,
    take_snapshots,
)
from soundstage.world.record import Record, get_created_at

# Importing numpy is slow, and the default world is too small to need it: the column
# store is imported when a long list is queried first.
if TYPE_CHECKING:
    from soundstage.world.columnar import ColumnStore

COLUMNAR_THRESHOLD = 400
"""Up to this number of records, queries check each one; above, they use columns."""

MAX_CACHED_RESULTS = 300
"""The most query results of a short list that are cached."""

MAX_PENDING = 200
"""The most records changed or added beside a segment before a new one is made."""


class Segment:
    """An immutable list of records that worlds share."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records

    @cached_property
    def columns(self) -> "ColumnStore":
        """The columns of these records. O(n log n) once."""
        from soundstage.world.columnar import ColumnStore

        return ColumnStore(self.records)


class RecordIndex:
    """Records in the order of their creation (ties: as they were added).

    Most are in a segment that other indexes may share. Changed and added records are
    kept beside it; if there are too many, a new segment is made. A copy takes O(1).
    ``replaced_count`` is how often a record was replaced.
    """

    __slots__ = (
        "__weakref__",
        "_added",
        "_changed",
        "_epoch",
        "_epochs",
        "_merged",
        "_results",
        "_segment",
        "replaced_count",
    )

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.replaced_count = 0
        self._segment = Segment(records)
        self._changed: dict[str, Record | None] = {}
        self._added: list[Record] = []
        self._merged: list[Record] | None = None
        self._epochs: list[int] | None = None
        self._epoch = 0
        self._results: dict[Hashable, Json] = {}

    def copy(self) -> "RecordIndex":
        """Return an independent index that shares the records."""
        self._make_segment()
        other = RecordIndex()
        other._segment = self._segment
        return other

    @property
    def records(self) -> Sequence[Record]:
        """All records. O(n) once after a copy, then O(1)."""
        if not self._changed and not self._added:
            return self._segment.records
        if not self._changed and not self._segment.records:
            return self._added
        if self._merged is None:
            # Timsort merges two runs in linear time, and keeps ties as they are.
            self._merged = sorted([*self._current_segment(), *self._added], key=get_created_at)
        return self._merged

    def visible_at(self, now: int, start: int = 0) -> Sequence[Record]:
        """Return the created records from number ``start`` on, the oldest first."""
        records = self.records
        return records[start : bisect_right(records, now, key=get_created_at)]

    def all(self, now: int) -> list[JsonObject]:
        """Return the current versions of all records, the oldest first. O(n)."""
        versions = (record.as_of(now) for record in self.visible_at(now))
        return [version for version in versions if version is not None]

    def newest_first(self, now: int) -> Iterator[Record]:
        """Yield the created records, the newest first. O(records that are consumed)."""
        # A merge from the end, which does not need the whole merged list.
        added, segment = self._added, self._segment.records
        i, j = (bisect_right(each, now, key=get_created_at) - 1 for each in (segment, added))
        while i >= 0 or j >= 0:
            if j >= 0 and (i < 0 or added[j].created_at >= segment[i].created_at):
                yield added[j]
                j -= 1
            else:
                record = self._changed.get(segment[i].id, segment[i])
                if record is not None:
                    yield record
                i -= 1

    def find(self, query: Query, now: int) -> Page:
        """Execute a query.

        Short lists: O(n), and O(1) for the same query until any record changes. Long
        lists: O(n) of about 1 ns each, and O(n log n) once in ``MAX_PENDING`` changes.
        """
        if self._is_long():
            return self._segment.columns.find(query, now, self._changed, self._added)
        page: Page = self._cached(query, now, lambda: self._find_in_short(query, now))
        return page

    def _find_in_short(self, query: Query, now: int) -> Page:
        # Ranges that contain the same values have the same results. So a time window
        # that ends now, which differs in each request, is served from the cache too.
        conditions = tuple(
            self._normalize_range(field, predicate, now) for field, predicate in query.conditions
        )
        page: Page = self._cached(
            (conditions, *query[1:]), now, lambda: execute_query(self._snapshots(now), query)
        )
        return page

    def _snapshots(self, now: int) -> list[Snapshot]:
        snapshots: list[Snapshot] = self._cached(
            take_snapshots, now, lambda: take_snapshots(self.visible_at(now), now)
        )
        return snapshots

    def _normalize_range(
        self, field: Field, predicate: Predicate, now: int
    ) -> tuple[Hashable, ...]:
        """Return a cache key: ranges are replaced by the positions of their ends."""
        if not isinstance(predicate, Between) or not isinstance(field, str):
            return field, predicate
        values: list[Json] = self._cached(
            (field, "sorted values"),
            now,
            lambda: sorted(
                value for value in self.distinct_values(field, now) if value is not None
            ),
        )
        low, high = predicate.minimum, predicate.maximum
        start = 0 if low is None else bisect_left(values, low)
        end = len(values) if high is None else bisect_right(values, high)
        return field, start, end

    def distinct_values(self, field: str, now: int) -> frozenset[Json]:
        """Return every current value of a field; as fast as ``find``."""
        if self._is_long():
            return self._segment.columns.distinct_values(field, now, self._changed, self._added)
        values: frozenset[Json] = self._cached(
            field,
            now,
            lambda: frozenset([document.get(field) for document, _ in self._snapshots(now)]),
        )
        return values

    def _is_long(self) -> bool:
        """Whether to use columns; if so, at most ``MAX_PENDING`` records are beside."""
        if len(self._segment.records) + len(self._added) <= COLUMNAR_THRESHOLD:
            return False
        if len(self._added) + len(self._changed) > MAX_PENDING:
            self._make_segment()
        return True

    def _cached(self, key: Hashable, now: int, compute: Callable[[], Json]) -> Json:
        """Return a result that is valid until the next change of any record."""
        # An epoch is the time between two changes. Versions never change, so a result
        # is valid for the whole epoch.
        if self._epochs is None:
            self._epochs = sorted({at for r in self.records for at in r.change_times})
        epoch = bisect_right(self._epochs, now)
        if epoch != self._epoch or len(self._results) >= MAX_CACHED_RESULTS:
            self._epoch, self._results = epoch, {}
        result = self._results.get(key)
        if result is None:
            result = self._results[key] = compute()
        return result

    def _clear_cache(self) -> None:
        self._epochs, self._results = None, {}

    def add(self, record: Record) -> None:
        """Add a record. O(log n) if it is created after the others."""
        self._clear_cache()
        insort_right(self._added, record, key=get_created_at)
        if self._merged is not None:
            insort_right(self._merged, record, key=get_created_at)

    def replace(self, old: Record, new: Record | None) -> None:
        """Replace a record by one with the same id and creation time, or remove it."""
        self.replaced_count += 1
        self._clear_cache()
        if not _replace_in(self._added, old, new):
            self._changed[old.id] = new
        if self._merged is not None:
            _replace_in(self._merged, old, new)

    def _current_segment(self) -> Iterator[Record]:
        """Yield the records of the segment as they are now."""
        for record in self._segment.records:
            current = self._changed.get(record.id, record)
            if current is not None:
                yield current

    def _make_segment(self) -> None:
        """Make a new segment of all records. O(n)."""
        if self._changed or self._added:
            self._segment = Segment(self.records)
            self._changed, self._added, self._merged = {}, [], None


def _replace_in(records: list[Record], old: Record, new: Record | None) -> bool:
    """Replace or remove a record of the list; False if it has none. O(log n)."""
    last = bisect_right(records, old.created_at, key=get_created_at) - 1
    for i in range(last, -1, -1):
        if records[i].created_at != old.created_at:
            break
        if records[i].id == old.id:
            records[i : i + 1] = [new] if new else []
            return True
    return False
