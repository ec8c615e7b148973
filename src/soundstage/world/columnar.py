"""A column store of records for queries of long lists, with numpy.

Records that no longer change are compared as integer codes, about 1 ns each. The few
that still change are checked one by one and merged into the result.
"""

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
"""Up to this number of codes, comparing with each is faster than a lookup table."""


@dataclass(frozen=True)
class Column:
    """One field of all records: ``keys`` are its sorted distinct values.

    ``codes`` has one integer for each record, the position of its value in ``keys``.
    """

    keys: Sequence[SortKey]
    codes: Codes

    @classmethod
    def of(cls, keys: Iterable[SortKey]) -> "Column":
        """Encode the values in the smallest sufficient integer type. O(n log n)."""
        values = list(keys)
        distinct = sorted(set(values))
        codes = {key: code for code, key in enumerate(distinct)}
        dtype = np.min_scalar_type(len(distinct))
        return cls(distinct, np.array([codes[key] for key in values], dtype))

    def evaluate(self, predicate: Predicate, codes: Codes) -> Mask | bool:
        """Return which codes satisfy a predicate; a bool if all or none do.

        O(n), about 0.1 ns each.
        """
        # The keys are sorted, so a range of values is a range of codes.
        match predicate:
            case Between(minimum, maximum):
                start = (True,) if minimum is None else (True, minimum)
                low, high = bisect_left(self.keys, start), len(self.keys)
                if maximum is not None:
                    high = bisect_right(self.keys, (True, maximum))
                return self._in_code_range(low, high, codes)
            case GreaterThan(bound):
                low = bisect_right(self.keys, (True, bound))
                return self._in_code_range(low, len(self.keys), codes)
            case In(values) if len(values) == 1:
                (key,) = map(nulls_first, values)
                low = bisect_left(self.keys, key)
                exists = self.keys[low : low + 1] == [key]
                return self._in_code_range(low, low + exists, codes)
            case _:
                selected = [predicate(value if not_null else None) for not_null, value in self.keys]
                return _select_codes(selected, codes)

    def _in_code_range(self, low: int, high: int, codes: Codes) -> Mask | bool:
        if low >= high:
            return False
        if high == len(self.keys):
            return codes >= low if low > 0 else True
        below: Mask = codes < high
        return (codes >= low) & below if low > 0 else below


def _select_codes(selected: list[bool], codes: Codes) -> Mask | bool:
    """Return which of the codes are selected; ``selected`` has a bool for each code."""
    wanted = [code for code, is_selected in enumerate(selected) if is_selected]
    if len(wanted) in {0, len(selected)}:
        return bool(wanted)
    if len(wanted) <= MAX_COMPARISONS:
        compared: Mask = reduce(np.logical_or, (codes == code for code in wanted))
        return compared
    looked_up: Mask = np.take(np.array(selected, np.bool_), codes)
    return looked_up


class Ordering:
    """All records in one order, and the codes of columns in that order.

    ``numbers[rank]`` is the number of the record with that rank; ``ranks`` is the
    inverse.
    """

    def __init__(self, numbers: Numbers) -> None:
        self.numbers = numbers
        self._codes: dict[Field, Codes] = {}

    @cached_property
    def ranks(self) -> Numbers:
        """The rank of each record. O(n) once."""
        ranks = np.empty_like(self.numbers)
        ranks[self.numbers] = np.arange(len(ranks))
        return ranks

    def codes(self, field: Field, column: Column) -> Codes:
        """Return the codes of a column in this order. O(n) once."""
        codes = self._codes.get(field)
        if codes is None:
            codes = self._codes[field] = np.take(column.codes, self.numbers)
        return codes


Position: TypeAlias = tuple[int, int]
"""The order of creation: (i, -1) is record number i of the columns, (i, j) is number j
of the added records, which was created after number i of the columns."""

PositionedRecord: TypeAlias = tuple[Position, Record]

PositionedMatch: TypeAlias = tuple[SortKey, Position, JsonObject]

NO_KEY: SortKey = nulls_first(None)


class ColumnStore:
    """Columns of the last versions of records, in the order of their creation.

    The records are immutable. Those that were replaced or added since are passed to
    each query as ``changed`` (None for a removed one) and ``added``.
    """

    def __init__(self, records: Sequence[Record]) -> None:
        self._records = records
        self._created = np.array([record.created_at for record in records], np.int64)
        settled = np.array([record.last_changed_at for record in records], np.int64)
        self._exists = np.array([record.last_version is not None for record in records], np.bool_)
        self._all_exist = bool(self._exists.all())
        # Records with more than one version, by the time of their last change: those
        # that still change after a timestamp are at the end.
        changing = np.flatnonzero(settled > self._created)
        self._changing = changing[np.argsort(settled[changing], kind="stable")]
        self._last_changes = settled[self._changing]
        self._columns: dict[Field, Column] = {}
        self._orderings: dict[Field | None, Ordering] = {}

    @cached_property
    def _number_by_id(self) -> Mapping[str, int]:
        return {record.id: i for i, record in enumerate(self._records)}

    def find(
        self, query: Query, now: int, changed: Mapping[str, Record | None], added: Sequence[Record]
    ) -> Page:
        """Execute a query; ``added`` are in the order of their creation.

        O(n) with about 1 ns a record, and O(log n) Python for each record that is
        changed, added, or still changes. The first query of an order or a field takes
        O(n log n).
        """
        visible = self._count_visible(now)
        checked = self._individually_checked(now, changed)
        remaining = (((i, -1), record) for i, record in _existing(checked, visible))
        loose = _find_matches(query, now, [*remaining, *self._positions_of(added, now)])
        ordering = self._ordering(query.order_by)
        ranks = self._matching_ranks(query, visible, checked, ordering)
        return self._page(query, ordering.numbers, ranks, loose)

    def distinct_values(
        self, field: str, now: int, changed: Mapping[str, Record | None], added: Sequence[Record]
    ) -> frozenset[Json]:
        """Return every current value of a field. O(n), as ``find``."""
        visible, column = self._count_visible(now), self._column(field)
        checked = self._individually_checked(now, changed)
        # The columns have last versions: records that still change are added below.
        exists = self._exists[:visible].copy()
        exists[[i for i in checked if i < visible]] = False
        codes = column.codes[:visible][exists]
        keys = (column.keys[code] for code in np.flatnonzero(np.bincount(codes)).tolist())
        others = (record for _, record in _existing(checked, visible))
        versions = (record.as_of(now) for record in (*others, *added))
        return frozenset(
            [
                *(value if not_null else None for not_null, value in keys),
                *(version.get(field) for version in versions if version is not None),
            ]
        )

    def _count_visible(self, now: int) -> int:
        return int(np.searchsorted(self._created, now, "right"))

    def _individually_checked(
        self, now: int, changed: Mapping[str, Record | None]
    ) -> dict[int, Record | None]:
        """Return the records, by number, whose columns are not valid at ``now``.

        They were changed, or have not reached their last version. O(log n + those).
        """
        first = int(np.searchsorted(self._last_changes, now, "right"))
        unsettled = {i: self._records[i] for i in self._changing[first:].tolist()}
        replaced = {self._number_by_id[name]: r for name, r in changed.items()}
        return unsettled | replaced

    def _matching_ranks(
        self, query: Query, visible: int, checked: Collection[int], ordering: Ordering
    ) -> Sequence[int] | Numbers:
        """Return the ranks of matches, except for individually checked records."""
        all_masks = [*self._masks(query, visible, ordering)]
        # A mask that is a bool needs no work of numpy; False means that nothing matches.
        if any(mask is False for mask in all_masks):
            return ()
        masks = [mask for mask in all_masks if not isinstance(mask, bool)]
        if not masks and not checked:
            return range(len(self._records))
        mask = reduce(np.logical_and, masks or [np.ones_like(self._exists)])
        if checked:
            mask[ordering.ranks[list(checked)]] = False
        return np.flatnonzero(mask)

    def _masks(self, query: Query, visible: int, ordering: Ordering) -> Iterator[Mask | bool]:
        if visible < len(self._records):
            yield ordering.numbers < visible
        if not self._all_exist:
            yield self._exists[ordering.numbers]
        for field, predicate in query.conditions:
            column = self._column(field)
            yield column.evaluate(predicate, ordering.codes(field, column))

    def _positions_of(self, added: Sequence[Record], now: int) -> Iterator[PositionedRecord]:
        visible = added[: bisect_right(added, now, key=get_created_at)]
        for j, record in enumerate(visible):
            i = int(np.searchsorted(self._created, record.created_at, "right")) - 1
            yield (i, j), record

    def _page(
        self,
        query: Query,
        numbers: Numbers,
        ranks: Sequence[int] | Numbers,
        loose: list[PositionedMatch],
    ) -> Page:
        """Build the page from column matches and individually checked ones."""
        total = len(ranks) + len(loose)
        first = min(query.offset, total)
        last = min(query.offset + query.limit, total)
        # Descending is ascending reversed, so the page is cut from the other end.
        if query.descending:
            first, last = total - last, total - first
        if loose:
            inserted = self._insertions(query, numbers, ranks, loose)
            page = range(first, last)
            items = [*self._merged_items(numbers, ranks, inserted, page)]
        else:
            selected = np.asarray(ranks[first:last], np.intp)
            items = [self._last_version(i) for i in numbers[selected].tolist()]
        if query.descending:
            items.reverse()
        return Page(RecordPage(items), total)

    def _insertions(
        self,
        query: Query,
        numbers: Numbers,
        ranks: Sequence[int] | Numbers,
        loose: list[PositionedMatch],
    ) -> dict[int, JsonObject]:
        """Map the place of each individually checked match in the result to it."""
        key_of_rank = self._rank_sort_key(query, numbers)
        return {
            bisect_left(ranks, (key, position), key=key_of_rank) + k: document
            for k, (key, position, document) in enumerate(loose)
        }

    def _merged_items(
        self,
        numbers: Numbers,
        ranks: Sequence[int] | Numbers,
        inserted: dict[int, JsonObject],
        page: range,
    ) -> Iterator[JsonObject]:
        inserted_before = sum(1 for place in inserted if place < page.start)
        for place in page:
            if place in inserted:
                inserted_before += 1
                yield inserted[place]
            else:
                rank = ranks[place - inserted_before]
                yield self._last_version(int(numbers[rank]))

    def _rank_sort_key(
        self, query: Query, numbers: Numbers
    ) -> Callable[[int], tuple[SortKey, Position]]:
        """Return the sort key function of ranks in this query's order."""
        column = None if query.order_by is None else self._column(query.order_by)

        def key_of_rank(rank: int) -> tuple[SortKey, Position]:
            i = int(numbers[rank])
            key = NO_KEY if column is None else column.keys[column.codes[i]]
            return key, (i, -1)

        return key_of_rank

    def _last_version(self, i: int) -> JsonObject:
        version = self._records[i].last_version
        if version is None:
            raise LookupError(i)
        return version

    def _column(self, field: Field) -> Column:
        column = self._columns.get(field)
        if column is None:
            keys = (
                NO_KEY
                if record.last_version is None
                else sort_key(field, record.last_version, record.last_changed_at)
                for record in self._records
            )
            column = self._columns[field] = Column.of(keys)
        return column

    def _ordering(self, field: Field | None) -> Ordering:
        ordering = self._orderings.get(field)
        if ordering is None:
            numbers = np.arange(len(self._records))
            if field is not None:
                # Stable: ties stay in the order of creation.
                numbers = np.argsort(self._column(field).codes, kind="stable")
            ordering = self._orderings[field] = Ordering(numbers)
        return ordering


def _existing(checked: Mapping[int, Record | None], visible: int) -> Iterator[tuple[int, Record]]:
    return ((i, r) for i, r in checked.items() if r is not None and i < visible)


def _find_matches(
    query: Query, now: int, records: Iterable[PositionedRecord]
) -> list[PositionedMatch]:
    """Return the matches among individually checked records, in order."""
    found = [
        (sort_key(query.order_by, document, timestamp), position, document)
        for position, record in records
        if (document := record.as_of(now)) is not None
        and matches(query, document, timestamp := record.version_timestamp(now))
    ]
    return sorted(found, key=lambda match: match[:2])
