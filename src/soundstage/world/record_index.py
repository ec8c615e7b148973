"""Lists of records in the order in which they begin, many of them perhaps."""

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

if TYPE_CHECKING:
    from soundstage.world.columnar import ColumnStore

COLUMNAR_THRESHOLD = 400
"""So many records are looked at one by one; the default world has no longer list."""

MAX_CACHED_RESULTS = 300
"""So many answers about few records are remembered."""

MAX_PENDING = 200
"""So many that were changed or added are, before there is a new block."""


class Segment:
    """Records that stay as they are; worlds share them."""

    def __init__(self, records: Sequence[Record]) -> None:
        self.records = records

    @cached_property
    def columns(self) -> "ColumnStore":
        """What queries look at where there are many. O(n log n), once."""
        from soundstage.world.columnar import ColumnStore

        return ColumnStore(self.records)


class RecordIndex:
    """Records in the order in which they begin (ties: as they were added).

    Most are in a block that others may share; what has become of them, and what was
    added since, is kept beside it until it is too much, and a new block is made. A copy
    is made in O(1). ``replaced`` counts how often a record was put in another's place.
    """

    __slots__ = (
        "__weakref__",
        "_answers",
        "_block",
        "_changed",
        "_epoch",
        "_epochs",
        "_later",
        "_merged",
        "replaced",
    )

    def __init__(self, records: Sequence[Record] = ()) -> None:
        self.replaced = 0
        self._block = Segment(records)
        self._changed: dict[str, Record | None] = {}
        self._later: list[Record] = []
        self._merged: list[Record] | None = None
        self._epochs: list[int] | None = None
        self._epoch = 0
        self._answers: dict[Hashable, Json] = {}

    def copy(self) -> "RecordIndex":
        """Rows that change on their own; the records are shared."""
        self._settle()
        other = RecordIndex()
        other._block = self._block
        return other

    @property
    def records(self) -> Sequence[Record]:
        """All of them. O(n) once after others were shared, then O(1)."""
        if not self._changed and not self._later:
            return self._block.records
        if not self._changed and not self._block.records:
            return self._later
        if self._merged is None:
            # Timsort merges two runs in linear time, and keeps ties as they are.
            self._merged = sorted(
                [*self._unchanged(), *self._later], key=get_created_at
            )
        return self._merged

    def visible_at(self, now: int, start: int = 0) -> Sequence[Record]:
        """Those that have begun, the oldest (or ``first``) first. O(those)."""
        records = self.records
        return records[start : bisect_right(records, now, key=get_created_at)]

    def all(self, now: int) -> list[JsonObject]:
        """Their documents as of now, the oldest first. O(those)."""
        seen = (record.as_of(now) for record in self.visible_at(now))
        return [document for document in seen if document is not None]

    def newest_first(self, now: int) -> Iterator[Record]:
        """Those that have begun, the newest first. O(those that are looked at)."""
        later, block = self._later, self._block.records
        i, j = (
            bisect_right(each, now, key=get_created_at) - 1 for each in (block, later)
        )
        while i >= 0 or j >= 0:
            if j >= 0 and (i < 0 or later[j].created_at >= block[i].created_at):
                yield later[j]
                j -= 1
            else:
                record = self._changed.get(block[i].id, block[i])
                if record is not None:
                    yield record
                i -= 1

    def find(self, query: Query, now: int) -> Page:
        """A page of those that are asked for.

        O(n) where there are few, and O(1) when the same is asked again before any of
        them has changed; where there are many, O(n) of about 1 ns each, and O(n log n)
        once in so many changes.
        """
        if self._is_long():
            return self._block.columns.find(query, now, self._changed, self._later)
        page: Page = self._remembered(query, now, lambda: self._found(query, now))
        return page

    def _found(self, query: Query, now: int) -> Page:
        """The page; ranges in which the same values lie find the same.

        So a window that ends now is not looked through anew with every tick.
        """
        tests = tuple(
            self._lying_in(aspect, test, now) for aspect, test in query.conditions
        )
        page: Page = self._remembered(
            (tests, *query[1:]), now, lambda: execute_query(self._seen(now), query)
        )
        return page

    def _seen(self, now: int) -> list[Snapshot]:
        there: list[Snapshot] = self._remembered(
            take_snapshots, now, lambda: take_snapshots(self.visible_at(now), now)
        )
        return there

    def _lying_in(
        self, aspect: Field, test: Predicate, now: int
    ) -> tuple[Hashable, ...]:
        if not isinstance(test, Between) or not isinstance(aspect, str):
            return aspect, test
        values: list[Json] = self._remembered(
            (aspect, "in order"),
            now,
            lambda: sorted(
                each for each in self.distinct_values(aspect, now) if each is not None
            ),
        )
        least, most = test.minimum, test.maximum
        first = 0 if least is None else bisect_left(values, least)
        return (
            aspect,
            first,
            len(values) if most is None else bisect_right(values, most),
        )

    def distinct_values(self, field: str, now: int) -> frozenset[Json]:
        """Every value of a field, as of now; as quick as ``find``."""
        if self._is_long():
            return self._block.columns.distinct_values(
                field, now, self._changed, self._later
            )
        values: frozenset[Json] = self._remembered(
            field,
            now,
            lambda: frozenset([each.get(field) for each, _ in self._seen(now)]),
        )
        return values

    def _is_long(self) -> bool:
        """Whether columns are looked at; then there is not too much beside them."""
        if len(self._block.records) + len(self._later) <= COLUMNAR_THRESHOLD:
            return False
        if len(self._later) + len(self._changed) > MAX_PENDING:
            self._settle()
        return True

    def _remembered(
        self, asked: Hashable, now: int, answer: Callable[[], Json]
    ) -> Json:
        """The answer; between two changes of any record it is one and the same."""
        if self._epochs is None:
            self._epochs = sorted({at for r in self.records for at in r.change_times})
        epoch = bisect_right(self._epochs, now)
        if epoch != self._epoch or len(self._answers) >= MAX_CACHED_RESULTS:
            self._epoch, self._answers = epoch, {}
        found = self._answers.get(asked)
        if found is None:
            found = self._answers[asked] = answer()
        return found

    def _forget(self) -> None:
        self._epochs, self._answers = None, {}

    def add(self, record: Record) -> None:
        """Take a record in. O(log n), when it begins after the ones already here."""
        self._forget()
        insort_right(self._later, record, key=get_created_at)
        if self._merged is not None:
            insort_right(self._merged, record, key=get_created_at)

    def replace(self, old: Record, new: Record | None) -> None:
        """Put ``new``, which begins at the same instant, where ``old`` stood."""
        self.replaced += 1
        self._forget()
        if not _replaced(self._later, old, new):
            self._changed[old.id] = new
        if self._merged is not None:
            _replaced(self._merged, old, new)

    def _unchanged(self) -> Iterator[Record]:
        for record in self._block.records:
            present = self._changed.get(record.id, record)
            if present is not None:
                yield present

    def _settle(self) -> None:
        """Make a new block of what there is. O(n)."""
        if self._changed or self._later:
            self._block = Segment(self.records)
            self._changed, self._later, self._merged = {}, [], None


def _replaced(records: list[Record], old: Record, new: Record | None) -> bool:
    """Whether the old one is among these, and has been replaced. O(log n)."""
    for i in range(
        bisect_right(records, old.created_at, key=get_created_at) - 1, -1, -1
    ):
        if records[i].created_at != old.created_at:
            break
        if records[i].id == old.id:
            records[i : i + 1] = [new] if new else []
            return True
    return False
