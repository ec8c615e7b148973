"""What a list is asked for: tests of documents, an order, and a page."""

from collections.abc import Callable, Iterable, Sequence
from itertools import compress
from typing import NamedTuple, TypeAlias, TypeVar

from soundstage.types import Json, JsonObject, RecordPage
from soundstage.world.record import Record

Aspect: TypeAlias = str | Callable[[JsonObject, int], Json]
"""What is looked at of a document: a field, or what a function makes of the document
and the instant since which it holds. Its values can be hashed and, but for null, put in
order; what a function gives depends on its arguments alone."""

Key: TypeAlias = tuple[bool, Json]


class Among(NamedTuple):
    """Whether a value is one of these."""

    values: frozenset[Json]

    def __call__(self, value: Json) -> bool:
        return value in self.values


class Between(NamedTuple):
    """Whether a value is in this range; both of its ends belong to it, null does not.

    An end that is None is no limit.
    """

    least: Json = None
    most: Json = None

    def __call__(self, value: Json) -> bool:
        return (
            value is not None
            and (self.least is None or self.least <= value)
            and (self.most is None or value <= self.most)
        )


class Above(NamedTuple):
    """Whether a value is greater than this one; null is not."""

    least: Json

    def __call__(self, value: Json) -> bool:
        return value is not None and bool(self.least < value)


class Holds(NamedTuple):
    """Whether a function says so."""

    function: Callable[[Json], bool]

    def __call__(self, value: Json) -> bool:
        return self.function(value)


Test: TypeAlias = Among | Between | Above | Holds


class Query(NamedTuple):
    """Documents that pass every test, in the order of an aspect, from one of them on.

    Ties stand as they begin, which is the order where no aspect is named; descending
    is exactly ascending read backwards.
    """

    tests: Sequence[tuple[Aspect, Test]] = ()
    order: Aspect | None = None
    descending: bool = False
    start: int = 0
    size: int = 0


class Page(NamedTuple):
    """Some of the documents that were found, and how many were in all."""

    documents: RecordPage
    total: int


def value_of(aspect: Aspect, document: JsonObject, at: int) -> Json:
    """What a document that holds since ``at`` says."""
    return document.get(aspect) if isinstance(aspect, str) else aspect(document, at)


def key_of(aspect: Aspect | None, document: JsonObject, at: int) -> Key:
    """By what a document is put in order."""
    return nulls_first(None if aspect is None else value_of(aspect, document, at))


def passes(query: Query, document: JsonObject, at: int) -> bool:
    """Whether a document is asked for."""
    return all(test(value_of(a, document, at)) for a, test in query.tests)


Seen: TypeAlias = tuple[JsonObject, int]
"""A document, and the instant since which it holds."""


def seen(records: Iterable[Record], now: int) -> list[Seen]:
    """What there is of these, which have begun. O(records)."""
    return [
        (document, record.since(now))
        for record in records
        if (document := record.as_of(now)) is not None
    ]


def searched(found: list[Seen], query: Query) -> Page:
    """The page, by looking at each. O(n log n)."""
    for aspect, test in query.tests:
        found = list(compress(found, _passing(test, _said(aspect, found))))
    if query.order is not None:
        keys = _said(query.order, found)
        if None in keys:
            keys = list(map(nulls_first, keys))
        found = [found[i] for i in sorted(range(len(found)), key=keys.__getitem__)]
    if query.descending:
        found = found[::-1]
    end = query.start + query.size
    documents = RecordPage(document for document, _ in found[query.start : end])
    return Page(documents, len(found))


def _passing(test: Test, said: list[Json]) -> Iterable[bool]:
    match test:
        case Among(values):
            return map(values.__contains__, said)
        case Between(least, most) if None not in {least, most}:
            return [value is not None and least <= value <= most for value in said]
        case _:
            return [test(value) for value in said]


def _said(aspect: Aspect, found: list[Seen]) -> list[Json]:
    if isinstance(aspect, str):
        return [document.get(aspect) for document, _ in found]
    return [aspect(document, at) for document, at in found]


T = TypeVar("T")


def ordered(
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


def page_of(items: Sequence[T], page: int, size: int) -> Sequence[T]:
    """Page ``page`` (the first is 1) of ``size`` items; empty past the end."""
    return items[(page - 1) * size : page * size]


def pages(count: int, size: int) -> int:
    """How many pages ``count`` items fill; 0 for none."""
    return -(-count // size)


def nulls_first(value: Json) -> tuple[bool, Json]:
    """A sort key for a field that may be null or absent."""
    return (value is not None, value if value is not None else 0)
