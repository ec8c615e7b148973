"""Many records as columns of numbers, so that a query looks at all of them at once."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from soundstage.types import Document
from soundstage.world.page import nulls_first
from soundstage.world.query import (
    Above,
    Among,
    Aspect,
    Between,
    Key,
    Page,
    Query,
    Test,
    key_of,
    passes,
)
from soundstage.world.record import Record, began

Mask: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.int64]

Place: TypeAlias = tuple[int, int]
"""Where a record stands: (i, -1) is the i-th of the columns, (i, j) the j-th of those
that were added later, somewhere behind it."""

Placed: TypeAlias = tuple[Place, Record]

Found: TypeAlias = tuple[Key, Place, Document]

NO_KEY: Key = nulls_first(None)


@dataclass(frozen=True)
class Column:
    """One aspect of all records: each as the number of its key among the ``keys``."""

    keys: Sequence[Key]
    codes: npt.NDArray[np.int32]

    @classmethod
    def of(cls, keys: Iterable[Key]) -> "Column":
        """A column of these. O(n log n)."""
        each = list(keys)
        known = sorted(set(each))
        codes = {key: code for code, key in enumerate(known)}
        return cls(known, np.array([codes[key] for key in each], np.int32))

    @cached_property
    def order(self) -> Numbers:
        """The records by their keys; ties as they begin. O(n log n)."""
        return np.argsort(self.codes, kind="stable")

    def passing(self, test: Test) -> Mask:
        """Which records pass a test. O(n), about 1 ns each."""
        match test:
            case Between(least, most):
                low = bisect_left(
                    self.keys, (True,) if least is None else (True, least)
                )
                high = len(self.keys)
                if most is not None:
                    high = bisect_right(self.keys, (True, most))
                return (self.codes >= low) & (self.codes < high)
            case Above(least):
                above: Mask = self.codes >= bisect_right(self.keys, (True, least))
                return above
            case Among(values) if len(values) == 1:
                (key,) = map(nulls_first, values)
                place = bisect_left(self.keys, key)
                known = self.keys[place : place + 1] == [key]
                alike: Mask = self.codes == (place if known else -1)
                return alike
            case _:
                given = (test(value if there else None) for there, value in self.keys)
                table: Mask = np.fromiter(given, np.bool_, len(self.keys))
                passing: Mask = np.take(table, self.codes)
                return passing


class Columns:
    """Records that stay as they are, in the order in which they begin.

    A column is made when it is first asked for, of the last version of every record. A
    record that has not come to it as of now is looked at by itself, as are those that
    somebody has changed.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._began = np.array([record.began for record in records], np.int64)
        self._settled = np.array([record.settled for record in records], np.int64)
        self._there = np.array([r.last is not None for r in records], np.bool_)
        self._latest = max((record.settled for record in records), default=0)
        self._columns: dict[Aspect, Column] = {}

    @cached_property
    def _places(self) -> Mapping[str, int]:
        return {record.id: i for i, record in enumerate(self._records)}

    def find(
        self,
        query: Query,
        now: int,
        changed: Mapping[str, Record | None],
        later: Sequence[Record],
    ) -> Page:
        """The page as of now. ``later`` are more records, in the order of beginning.

        O(n) with about 10 ns a record, and O(log n) Python for each that is changed,
        later, or under way.
        """
        begun = int(np.searchsorted(self._began, now, "right"))
        alone = {self._places[name]: record for name, record in changed.items()}
        mask = self._mask(query, begun)
        if now < self._latest:
            going_on = np.flatnonzero(self._settled[:begun] > now)
            alone = {**{i: self._records[i] for i in going_on.tolist()}, **alone}
        there = (((i, -1), r) for i, r in alone.items() if r is not None and i < begun)
        loose = _chosen(query, now, [*there, *self._behind(later, now)])
        mask[list(alone)] = False
        if query.order is None:
            found = np.flatnonzero(mask)
        else:
            order = self._column(query.order).order
            found = order[mask[order]]
        return self._page(query, found, loose)

    def _mask(self, query: Query, begun: int) -> Mask:
        """Which of the first so many records are asked for, as they are at last."""
        mask = self._there.copy()
        mask[begun:] = False
        for aspect, test in query.tests:
            mask &= self._column(aspect).passing(test)
        return mask

    def _behind(self, later: Sequence[Record], now: int) -> Iterator[Placed]:
        for j, record in enumerate(later[: bisect_right(later, now, key=began)]):
            behind = int(np.searchsorted(self._began, record.began, "right")) - 1
            yield (behind, j), record

    def _page(self, query: Query, found: Numbers, loose: list[Found]) -> Page:
        """The page of what is found in the columns, with what was looked at alone."""
        total = len(found) + len(loose)
        first, last = min(query.start, total), min(query.start + query.count, total)
        if query.descending:
            first, last = total - last, total - first
        stands = {
            bisect_left(found, each[:2], key=self._standing(query)) + k: each[2]
            for k, each in enumerate(loose)
        }
        before = sum(1 for place in stands if place < first)
        documents: list[Document] = []
        for place in range(first, last):
            if place in stands:
                documents.append(stands[place])
                before += 1
            else:
                documents.append(self._last(int(found[place - before])))
        if query.descending:
            documents.reverse()
        return Page(documents, total)

    def _standing(self, query: Query) -> Callable[[np.int64], tuple[Key, Place]]:
        """By what a record of the columns is put in order."""
        column = None if query.order is None else self._column(query.order)

        def standing(i: np.int64) -> tuple[Key, Place]:
            key = NO_KEY if column is None else column.keys[column.codes[i]]
            return key, (int(i), -1)

        return standing

    def _last(self, i: int) -> Document:
        document = self._records[i].last
        if document is None:
            raise LookupError(i)
        return document

    def _column(self, aspect: Aspect) -> Column:
        column = self._columns.get(aspect)
        if column is None:
            keys = (
                NO_KEY if r.last is None else key_of(aspect, r.last, r.settled)
                for r in self._records
            )
            column = self._columns[aspect] = Column.of(keys)
        return column


def _chosen(query: Query, now: int, records: Iterable[Placed]) -> list[Found]:
    """What is asked for among records that are looked at one by one, in order."""
    found = [
        (key_of(query.order, document, at), place, document)
        for place, record in records
        if (document := record.as_of(now)) is not None
        and passes(query, document, at := record.since(now))
    ]
    return sorted(found, key=lambda each: each[:2])
