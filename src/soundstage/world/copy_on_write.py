"""A mapping that many share, and what one of them has made of it."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

T = TypeVar("T")


class CopyOnWriteDict(MutableMapping[str, T]):
    """What is written here leaves the mapping below as it is.

    What was below keeps its place in the order; what is new comes after it.
    """

    __slots__ = ("_below", "_gone", "_own")

    def __init__(self, base: Mapping[str, T]) -> None:
        self._below = base
        self._own: dict[str, T] = {}
        self._gone: set[str] = set()

    def __getitem__(self, key: str) -> T:
        if key in self._own:
            return self._own[key]
        if key in self._gone:
            raise KeyError(key)
        return self._below[key]

    def get(self, key: str, default: Any = None) -> Any:
        """As of a dict; Mapping's own raises and catches."""
        found = self._own.get(key)
        if found is None and key not in self._gone:
            return self._below.get(key, default)
        return default if found is None else found

    def __setitem__(self, key: str, value: T) -> None:
        self._own[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._own.pop(key, None)
        if key in self._below:
            self._gone.add(key)

    def __contains__(self, key: object) -> bool:
        return key in self._own or (key in self._below and key not in self._gone)

    def __iter__(self) -> Iterator[str]:
        yield from (key for key in self._below if key not in self._gone)
        yield from (key for key in self._own if self._is_new(key))

    def __reversed__(self) -> Iterator[str]:
        yield from (key for key in reversed(self._own) if self._is_new(key))
        below = [key for key in self._below if key not in self._gone]
        yield from reversed(below)

    def __len__(self) -> int:
        """O(what is new)."""
        new = sum(1 for key in self._own if self._is_new(key))
        return len(self._below) - len(self._gone) + new

    def _is_new(self, key: str) -> bool:
        return key in self._gone or key not in self._below
