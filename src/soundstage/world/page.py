"""Order, pages and windows of lists; pure functions."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from soundstage.types import Document, Json

T = TypeVar("T")


def ordered(
    documents: Iterable[Document], key: Callable[[Document], Json], *, descending: bool
) -> list[Document]:
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
