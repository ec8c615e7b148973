"""Queries of record lists: predicates, an order, and a page."""

from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import NamedTuple, TypeAlias, TypeVar

from soundstage.types import Json, JsonObject, RecordPage
from soundstage.world.record import Record

Field: TypeAlias = str | Callable[[JsonObject, int], Json]
"""What a query reads from a record: a field, or a function of the current version and
its timestamp. Its values can be hashed and, except for null, ordered. A function must
be pure, since its results are cached."""

SortKey: TypeAlias = tuple[bool, Json]


class In(NamedTuple):
    """Whether a value is one of ``values``."""

    values: frozenset[Json]

    def __call__(self, value: Json) -> bool:
        return value in self.values


class Between(NamedTuple):
    """Whether a value is in a range, which includes both ends but never null.

    None as an end means no limit.
    """

    minimum: Json = None
    maximum: Json = None

    def __call__(self, value: Json) -> bool:
        return (
            value is not None
            and (self.minimum is None or self.minimum <= value)
            and (self.maximum is None or value <= self.maximum)
        )


class GreaterThan(NamedTuple):
    """Whether a value is greater than ``bound``; null is not."""

    bound: Json

    def __call__(self, value: Json) -> bool:
        return value is not None and bool(self.bound < value)


class Matches(NamedTuple):
    """Whether a function returns true for a value."""

    predicate: Callable[[Json], bool]

    def __call__(self, value: Json) -> bool:
        return self.predicate(value)


Predicate: TypeAlias = In | Between | GreaterThan | Matches


class Query(NamedTuple):
    """A filtered, sorted page of records: all conditions must be true.

    Without ``order_by``, records are in the order of their creation, which is also the
    order of ties. Descending is exactly the reverse of ascending.

    >>> query = Query([("state", In(frozenset({"done"})))], order_by="n", limit=10)
    >>> snapshots = [({"n": 2, "state": "done"}, 0), ({"n": 1, "state": "done"}, 0)]
    >>> execute_query(snapshots, query).items
    [{'n': 1, 'state': 'done'}, {'n': 2, 'state': 'done'}]
    """

    conditions: Sequence[tuple[Field, Predicate]] = ()
    order_by: Field | None = None
    descending: bool = False
    offset: int = 0
    limit: int = 0


class Page(NamedTuple):
    """One page of the current versions of records, and the total number of matches."""

    items: RecordPage
    total: int


def get_value(field: Field, document: JsonObject, timestamp: int) -> Json:
    """Return the value of a field in a version that is valid from ``timestamp`` on."""
    return document.get(field) if isinstance(field, str) else field(document, timestamp)


def sort_key(field: Field | None, document: JsonObject, timestamp: int) -> SortKey:
    """Return the sort key of a version; the same one for all if ``field`` is None."""
    return nulls_first(None if field is None else get_value(field, document, timestamp))


def matches(query: Query, document: JsonObject, timestamp: int) -> bool:
    """Whether a version satisfies all conditions of a query."""
    return all(
        predicate(get_value(field, document, timestamp)) for field, predicate in query.conditions
    )


Snapshot: TypeAlias = tuple[JsonObject, int]
"""The current version of a record, and the timestamp from which it is valid."""


def take_snapshots(records: Iterable[Record], now: int) -> list[Snapshot]:
    """Return the current versions of created records. O(records)."""
    return [
        (document, record.version_timestamp(now))
        for record in records
        if (document := record.as_of(now)) is not None
    ]


def execute_query(snapshots: list[Snapshot], query: Query) -> Page:
    """Execute a query by checking each snapshot. O(n log n)."""
    for field, predicate in query.conditions:
        values = _get_values(field, snapshots)
        snapshots = list(compress(snapshots, _evaluate(predicate, values)))
    if query.order_by is not None:
        keys = _get_values(query.order_by, snapshots)
        if None in keys:
            keys = list(map(nulls_first, keys))
        order = sorted(range(len(snapshots)), key=keys.__getitem__)
        snapshots = [snapshots[i] for i in order]
    if query.descending:
        snapshots = snapshots[::-1]
    end = query.offset + query.limit
    items = RecordPage(document for document, _ in snapshots[query.offset : end])
    return Page(items, len(snapshots))


def _evaluate(predicate: Predicate, values: list[Json]) -> Iterable[bool]:
    # The frequent predicates are inlined: a call for each value takes longer.
    match predicate:
        case In(members):
            return map(members.__contains__, values)
        case Between(low, high) if None not in {low, high}:
            return [value is not None and low <= value <= high for value in values]
        case _:
            return [predicate(value) for value in values]


def _get_values(field: Field, snapshots: list[Snapshot]) -> list[Json]:
    if isinstance(field, str):
        return [document.get(field) for document, _ in snapshots]
    return [field(document, timestamp) for document, timestamp in snapshots]


T = TypeVar("T")


def sort_documents(
    documents: Iterable[JsonObject], key: Callable[[JsonObject], Json], *, descending: bool
) -> list[JsonObject]:
    """Sort by ``key``, ascending or exactly the reverse of it. O(n log n).

    >>> sort_documents([{"n": 1, "id": "a"}, {"n": 1, "id": "b"}],
    ...                lambda document: document["n"], descending=True)
    [{'n': 1, 'id': 'b'}, {'n': 1, 'id': 'a'}]
    """
    result = sorted(documents, key=key)
    # sorted(reverse=True) would keep ties in ascending order.
    if descending:
        result.reverse()
    return result


def slice_page(items: Sequence[T], page: int, size: int) -> Sequence[T]:
    """Return page number ``page`` (from 1) of ``size`` items; empty past the end.

    >>> slice_page("abcde", 2, 2)
    'cd'
    """
    return items[(page - 1) * size : page * size]


def count_pages(count: int, size: int) -> int:
    """Return how many pages ``count`` items fill; 0 for none."""
    return -(-count // size)


def nulls_first(value: Json) -> SortKey:
    """Return a sort key for a value that may be null."""
    return (value is not None, value if value is not None else 0)
