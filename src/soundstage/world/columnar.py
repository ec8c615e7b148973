"""One aspect of many records as numbers, and the orders that records stand in."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from soundstage.types import Json, JsonObject, RecordPage
from soundstage.world.query import (
    Between,
    Field,
    GreaterThan,
    In,
    Page,
    Predicate,
    Query,
    SortKey,
    matches,
    nulls_first,
    sort_key,
)
from soundstage.world.record import Record, get_created_at

Mask: TypeAlias = npt.NDArray[np.bool_]
Numbers: TypeAlias = npt.NDArray[np.int64]
Codes: TypeAlias = npt.NDArray[np.unsignedinteger]

MAX_COMPARISONS = 8
"""So many values are compared quicker than looked up."""


@dataclass(frozen=True)
class Column:
    """One aspect of all records: each as the number of its key among the ``keys``."""

    keys: Sequence[SortKey]
    codes: Codes

    @classmethod
    def of(cls, keys: Iterable[SortKey]) -> "Column":
        """A column of these, in numbers as small as they may be. O(n log n)."""
        each = list(keys)
        known = sorted(set(each))
        codes = {key: code for code, key in enumerate(known)}
        small = np.min_scalar_type(len(known))
        return cls(known, np.array([codes[key] for key in each], small))

    def evaluate(self, predicate: Predicate, codes: Codes) -> Mask | bool:
        """Which of these pass a test; one word for all of them. O(n), 0.1 ns each."""
        match predicate:
            case Between(least, most):
                low = bisect_left(
                    self.keys, (True,) if least is None else (True, least)
                )
                high = len(self.keys)
                if most is not None:
                    high = bisect_right(self.keys, (True, most))
                return self._in_code_range(low, high, codes)
            case GreaterThan(least):
                low = bisect_right(self.keys, (True, least))
                return self._in_code_range(low, len(self.keys), codes)
            case In(values) if len(values) == 1:
                (key,) = map(nulls_first, values)
                low = bisect_left(self.keys, key)
                known = self.keys[low : low + 1] == [key]
                return self._in_code_range(low, low + known, codes)
            case _:
                given = [
                    predicate(value if there else None) for there, value in self.keys
                ]
                return _select_codes(given, codes)

    def _in_code_range(self, low: int, high: int, codes: Codes) -> Mask | bool:
        if low >= high:
            return False
        if high == len(self.keys):
            return codes >= low if low > 0 else True
        below: Mask = codes < high
        return (codes >= low) & below if low > 0 else below


def _select_codes(given: list[bool], codes: Codes) -> Mask | bool:
    """Which of the codes are given; a few of them are compared, many looked up."""
    passing = [code for code, is_given in enumerate(given) if is_given]
    if len(passing) in {0, len(given)}:
        return bool(passing)
    if len(passing) <= MAX_COMPARISONS:
        some: Mask = reduce(np.logical_or, (codes == code for code in passing))
        return some
    looked_up: Mask = np.take(np.array(given, np.bool_), codes)
    return looked_up


class Ordering:
    """All records in one order, and their columns in that order.

    ``places[k]`` is the number of the k-th of them; ``ranks`` is the way back.
    """

    def __init__(self, places: Numbers) -> None:
        self.places = places
        self._codes: dict[Field, Codes] = {}

    @cached_property
    def ranks(self) -> Numbers:
        """Where each record stands. O(n) once."""
        ranks = np.empty_like(self.places)
        ranks[self.places] = np.arange(len(ranks))
        return ranks

    def codes(self, aspect: Field, column: Column) -> Codes:
        """A column in this order. O(n) once."""
        codes = self._codes.get(aspect)
        if codes is None:
            codes = self._codes[aspect] = np.take(column.codes, self.places)
        return codes


Position: TypeAlias = tuple[int, int]
"""Where a record stands: (i, -1) is the i-th of the columns, (i, j) the j-th of those
that were added later, somewhere behind it."""

PositionedRecord: TypeAlias = tuple[Position, Record]

PositionedMatch: TypeAlias = tuple[SortKey, Position, JsonObject]

NO_KEY: SortKey = nulls_first(None)


class ColumnStore:
    """Records that stay as they are, in the order in which they begin.

    A column is made when it is first asked for, of the last version of every record. A
    record that has not come to it as of now is looked at by itself, as are those that
    somebody has changed.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._began = np.array([record.created_at for record in records], np.int64)
        settled = np.array([record.last_changed_at for record in records], np.int64)
        self._there = np.array([r.last_version is not None for r in records], np.bool_)
        self._all_there = bool(self._there.all())
        moving = np.flatnonzero(settled > self._began)
        self._moving = moving[np.argsort(settled[moving], kind="stable")]
        self._ends = settled[self._moving]
        self._columns: dict[Field, Column] = {}
        self._orderings: dict[Field | None, Ordering] = {}

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

        O(n) with about 1 ns a record, and O(log n) Python for each that is changed,
        later, or under way. The first query of an order or an aspect is O(n log n).
        """
        begun = self._begun(now)
        alone = self._alone(now, changed)
        there = (((i, -1), record) for i, record in _still_there(alone, begun))
        loose = _chosen(query, now, [*there, *self._behind(later, now)])
        ordering = self._ordering(query.order_by)
        found = self._found(query, begun, alone, ordering)
        return self._page(query, ordering.places, found, loose)

    def distinct_values(
        self,
        field: str,
        now: int,
        changed: Mapping[str, Record | None],
        later: Sequence[Record],
    ) -> frozenset[Json]:
        """Every value of a field as of now. O(n), as ``find``."""
        begun, column = self._begun(now), self._column(field)
        alone = self._alone(now, changed)
        there = self._there[:begun].copy()
        there[[i for i in alone if i < begun]] = False
        codes = column.codes[:begun][there]
        keys = (
            column.keys[code] for code in np.flatnonzero(np.bincount(codes)).tolist()
        )
        others = (record for _, record in _still_there(alone, begun))
        loose = (record.as_of(now) for record in (*others, *later))
        return frozenset(
            [
                *(value if is_there else None for is_there, value in keys),
                *(document.get(field) for document in loose if document is not None),
            ]
        )

    def _begun(self, now: int) -> int:
        return int(np.searchsorted(self._began, now, "right"))

    def _alone(
        self, now: int, changed: Mapping[str, Record | None]
    ) -> dict[int, Record | None]:
        """Those to look at one by one: changed, or not what they will be at last.

        O(log n + those).
        """
        first = int(np.searchsorted(self._ends, now, "right"))
        going_on = {i: self._records[i] for i in self._moving[first:].tolist()}
        return going_on | {self._places[name]: r for name, r in changed.items()}

    def _found(
        self, query: Query, begun: int, alone: Collection[int], ordering: Ordering
    ) -> Sequence[int] | Numbers:
        """The ranks of those that are asked for, as they are at last."""
        masks = [*self._masks(query, begun, ordering)]
        if any(mask is False for mask in masks):
            return ()
        chosen = [mask for mask in masks if not isinstance(mask, bool)]
        if not chosen and not alone:
            return range(len(self._records))
        mask = reduce(np.logical_and, chosen or [np.ones_like(self._there)])
        if alone:
            mask[ordering.ranks[list(alone)]] = False
        return np.flatnonzero(mask)

    def _masks(
        self, query: Query, begun: int, ordering: Ordering
    ) -> Iterator[Mask | bool]:
        if begun < len(self._records):
            yield ordering.places < begun
        if not self._all_there:
            yield self._there[ordering.places]
        for aspect, test in query.conditions:
            column = self._column(aspect)
            yield column.evaluate(test, ordering.codes(aspect, column))

    def _behind(self, later: Sequence[Record], now: int) -> Iterator[PositionedRecord]:
        for j, record in enumerate(
            later[: bisect_right(later, now, key=get_created_at)]
        ):
            behind = int(np.searchsorted(self._began, record.created_at, "right")) - 1
            yield (behind, j), record

    def _page(
        self,
        query: Query,
        places: Numbers,
        found: Sequence[int] | Numbers,
        loose: list[PositionedMatch],
    ) -> Page:
        """The page of what is found in the columns, with what was looked at alone."""
        total = len(found) + len(loose)
        first, last = min(query.offset, total), min(query.offset + query.limit, total)
        if query.descending:
            first, last = total - last, total - first
        if loose:
            stands = self._stands(query, places, found, loose)
            documents = [*self._merged(places, found, stands, range(first, last))]
        else:
            ranks = np.asarray(found[first:last], np.intp)
            documents = [self._last(i) for i in places[ranks].tolist()]
        if query.descending:
            documents.reverse()
        return Page(RecordPage(documents), total)

    def _stands(
        self,
        query: Query,
        places: Numbers,
        found: Sequence[int] | Numbers,
        loose: list[PositionedMatch],
    ) -> dict[int, JsonObject]:
        """Where those that were looked at alone stand among all that are found."""
        standing = self._standing(query, places)
        return {
            bisect_left(found, (key, place), key=standing) + k: document
            for k, (key, place, document) in enumerate(loose)
        }

    def _merged(
        self,
        places: Numbers,
        found: Sequence[int] | Numbers,
        stands: dict[int, JsonObject],
        page: range,
    ) -> Iterator[JsonObject]:
        before = sum(1 for place in stands if place < page.start)
        for place in page:
            if place in stands:
                before += 1
                yield stands[place]
            else:
                yield self._last(int(places[found[place - before]]))

    def _standing(
        self, query: Query, places: Numbers
    ) -> Callable[[int], tuple[SortKey, Position]]:
        """By what a record of the columns is put in order."""
        column = None if query.order_by is None else self._column(query.order_by)

        def standing(rank: int) -> tuple[SortKey, Position]:
            i = int(places[rank])
            key = NO_KEY if column is None else column.keys[column.codes[i]]
            return key, (i, -1)

        return standing

    def _last(self, i: int) -> JsonObject:
        document = self._records[i].last_version
        if document is None:
            raise LookupError(i)
        return document

    def _column(self, aspect: Field) -> Column:
        column = self._columns.get(aspect)
        if column is None:
            keys = (
                NO_KEY
                if r.last_version is None
                else sort_key(aspect, r.last_version, r.last_changed_at)
                for r in self._records
            )
            column = self._columns[aspect] = Column.of(keys)
        return column

    def _ordering(self, aspect: Field | None) -> Ordering:
        ordering = self._orderings.get(aspect)
        if ordering is None:
            places = np.arange(len(self._records))
            if aspect is not None:
                places = np.argsort(self._column(aspect).codes, kind="stable")
            ordering = self._orderings[aspect] = Ordering(places)
        return ordering


def _still_there(
    alone: Mapping[int, Record | None], begun: int
) -> Iterator[tuple[int, Record]]:
    return ((i, r) for i, r in alone.items() if r is not None and i < begun)


def _chosen(
    query: Query, now: int, records: Iterable[PositionedRecord]
) -> list[PositionedMatch]:
    """What is asked for among records that are looked at one by one, in order."""
    found = [
        (sort_key(query.order_by, document, at), place, document)
        for place, record in records
        if (document := record.as_of(now)) is not None
        and matches(query, document, at := record.version_timestamp(now))
    ]
    return sorted(found, key=lambda each: each[:2])
