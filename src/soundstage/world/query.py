"""What a list is asked for: tests of documents, an order, and a page."""

from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import NamedTuple, TypeAlias, TypeVar

from soundstage.types import Json, JsonObject, RecordPage
from soundstage.world.record import Record

Field: TypeAlias = str | Callable[[JsonObject, int], Json]
"""What is looked at of a document: a field, or what a function makes of the document
and the instant since which it holds. Its values can be hashed and, but for null, put in
order; what a function gives depends on its arguments alone."""

SortKey: TypeAlias = tuple[bool, Json]


class In(NamedTuple):
    """Whether a value is one of these."""

    values: frozenset[Json]

    def __call__(self, value: Json) -> bool:
        return value in self.values


class Between(NamedTuple):
    """Whether a value is in this range; both of its ends belong to it, null does not.

    An end that is None is no limit.
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
    """Whether a value is greater than this one; null is not."""

    bound: Json

    def __call__(self, value: Json) -> bool:
        return value is not None and bool(self.bound < value)


class Matches(NamedTuple):
    """Whether a function says so."""

    predicate: Callable[[Json], bool]

    def __call__(self, value: Json) -> bool:
        return self.predicate(value)


Predicate: TypeAlias = In | Between | GreaterThan | Matches


class Query(NamedTuple):
    """Documents that pass every test, in the order of an aspect, from one of them on.

    Ties stand as they begin, which is the order where no aspect is named; descending
    is exactly ascending read backwards.
    """

    conditions: Sequence[tuple[Field, Predicate]] = ()
    order_by: Field | None = None
    descending: bool = False
    offset: int = 0
    limit: int = 0


class Page(NamedTuple):
    """Some of the documents that were found, and how many were in all."""

    items: RecordPage
    total: int


def get_value(field: Field, document: JsonObject, timestamp: int) -> Json:
    """What a document that holds since ``at`` says."""
    return document.get(field) if isinstance(field, str) else field(document, timestamp)


def sort_key(field: Field | None, document: JsonObject, timestamp: int) -> SortKey:
    """By what a document is put in order."""
    return nulls_first(None if field is None else get_value(field, document, timestamp))


def matches(query: Query, document: JsonObject, timestamp: int) -> bool:
    """Whether a document is asked for."""
    return all(test(get_value(a, document, timestamp)) for a, test in query.conditions)


Snapshot: TypeAlias = tuple[JsonObject, int]
"""A document, and the instant since which it holds."""


def take_snapshots(records: Iterable[Record], now: int) -> list[Snapshot]:
    """What there is of these, which have begun. O(records)."""
    return [
        (document, record.version_timestamp(now))
        for record in records
        if (document := record.as_of(now)) is not None
    ]


def execute_query(snapshots: list[Snapshot], query: Query) -> Page:
    """The page, by looking at each. O(n log n)."""
    for aspect, test in query.conditions:
        snapshots = list(
            compress(snapshots, _evaluate(test, _get_values(aspect, snapshots)))
        )
    if query.order_by is not None:
        keys = _get_values(query.order_by, snapshots)
        if None in keys:
            keys = list(map(nulls_first, keys))
        snapshots = [
            snapshots[i] for i in sorted(range(len(snapshots)), key=keys.__getitem__)
        ]
    if query.descending:
        snapshots = snapshots[::-1]
    end = query.offset + query.limit
    documents = RecordPage(document for document, _ in snapshots[query.offset : end])
    return Page(documents, len(snapshots))


def _evaluate(predicate: Predicate, values: list[Json]) -> Iterable[bool]:
    match predicate:
        case In(members):
            return map(members.__contains__, values)
        case Between(least, most) if None not in {least, most}:
            return [value is not None and least <= value <= most for value in values]
        case _:
            return [predicate(value) for value in values]


def _get_values(field: Field, snapshots: list[Snapshot]) -> list[Json]:
    if isinstance(field, str):
        return [document.get(field) for document, _ in snapshots]
    return [field(document, at) for document, at in snapshots]


T = TypeVar("T")


def sort_documents(
    documents: Iterable[JsonObject],
    key: Callable[[JsonObject], Json],
    *,
    descending: bool,
) -> list[JsonObject]:
    """Sorted by ``key``; ties stand as they came, in the other direction too.

    So descending is exactly ascending read backwards. O(n log n).
    """
    result = sorted(documents, key=key)
    if descending:
        result.reverse()
    return result


def slice_page(items: Sequence[T], page: int, size: int) -> Sequence[T]:
    """Page ``page`` (the first is 1) of ``size`` items; empty past the end."""
    return items[(page - 1) * size : page * size]


def count_pages(count: int, size: int) -> int:
    """How many pages ``count`` items fill; 0 for none."""
    return -(-count // size)


def nulls_first(value: Json) -> tuple[bool, Json]:
    """A sort key for a field that may be null or absent."""
    return (value is not None, value if value is not None else 0)
