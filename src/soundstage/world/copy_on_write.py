"""A dictionary that copies on write, so that worlds can share their records."""

from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, TypeVar

T = TypeVar("T")


class CopyOnWriteDict(MutableMapping[str, T]):
    """A mutable view of the mapping ``base``, which itself stays as it is.

    Keys of ``base`` keep their place in the order; new keys come after them.

    >>> shared = {"a": 1, "b": 2}
    >>> own = CopyOnWriteDict(shared)
    >>> own["c"] = 3
    >>> del own["a"]
    >>> dict(own), shared
    ({'b': 2, 'c': 3}, {'a': 1, 'b': 2})
    """

    __slots__ = ("_base", "_deleted", "_written")

    def __init__(self, base: Mapping[str, T]) -> None:
        self._base = base
        self._written: dict[str, T] = {}
        self._deleted: set[str] = set()

    def __getitem__(self, key: str) -> T:
        if key in self._written:
            return self._written[key]
        if key in self._deleted:
            raise KeyError(key)
        return self._base[key]

    # Mapping.get() raises and catches KeyError, which is slow for missing keys.
    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of ``key`` or the default, as ``dict.get`` does."""
        value = self._written.get(key)
        if value is None and key not in self._deleted:
            return self._base.get(key, default)
        return default if value is None else value

    def __setitem__(self, key: str, value: T) -> None:
        self._written[key] = value

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        self._written.pop(key, None)
        if key in self._base:
            self._deleted.add(key)

    def __contains__(self, key: object) -> bool:
        return key in self._written or (key in self._base and key not in self._deleted)

    def __iter__(self) -> Iterator[str]:
        yield from (key for key in self._base if key not in self._deleted)
        yield from (key for key in self._written if self._is_new(key))

    def __reversed__(self) -> Iterator[str]:
        yield from (key for key in reversed(self._written) if self._is_new(key))
        base = [key for key in self._base if key not in self._deleted]
        yield from reversed(base)

    def __len__(self) -> int:
        """O(written keys)."""
        new = sum(1 for key in self._written if self._is_new(key))
        return len(self._base) - len(self._deleted) + new

    def _is_new(self, key: str) -> bool:
        # A key that was deleted and written again moves to the end, as in a dict.
        return key in self._deleted or key not in self._base
