"""The types that all packages share."""

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn, TypeAlias

Json: TypeAlias = Any
"""A JSON value: None, bool, int, float, str, or a list or dict of these."""

JsonObject: TypeAlias = dict[str, Json]
"""A JSON object."""

_NOT_SERIALIZED: Mapping[Hashable, bytes] = MappingProxyType({})


class _Frozen:
    """An immutable value that caches its JSON.

    ``serialized`` is its JSON text by the schema that it was validated against. The
    attribute is missing until then, which saves memory for records never returned.
    """

    __slots__ = ()

    serialized: Mapping[Hashable, bytes]

    def __getattr__(self, name: str) -> Mapping[Hashable, bytes]:
        # Called only while the slot is empty.
        if name != "serialized":
            raise AttributeError(name)
        return _NOT_SERIALIZED


def _reject_change(_self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError("a version of a record is immutable; create a changed copy of it")


class RecordVersion(_Frozen, dict[str, Json]):
    """One version of a record: an immutable JSON object.

    Nested lists and objects must not be changed either; this is not enforced.

    >>> version = RecordVersion(id="a", status="running")
    >>> {**version, "status": "done"}
    {'id': 'a', 'status': 'done'}
    >>> version["status"] = "done"
    Traceback (most recent call last):
    TypeError: a version of a record is immutable; create a changed copy of it
    """

    __slots__ = ("serialized",)

    def __reduce__(self) -> tuple[type[JsonObject], tuple[JsonObject]]:
        return dict, (dict(self),)  # a copy or a pickle is an ordinary dict

    __setitem__ = __delitem__ = __ior__ = clear = _reject_change
    pop = popitem = setdefault = update = _reject_change


class RecordPage(_Frozen, list[Json]):
    """An immutable page of record versions."""

    __slots__ = ("serialized",)

    def __reduce__(self) -> tuple[type[list[JsonObject]], tuple[list[JsonObject]]]:
        return list, ([*self],)

    __setitem__ = __delitem__ = __iadd__ = __imul__ = append = clear = _reject_change
    extend = insert = pop = remove = reverse = sort = _reject_change
