"""The types that every part shares."""

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn, TypeAlias

Json: TypeAlias = Any
"""What a JSON text can say: None, bool, int, float, str, list or dict of these."""

JsonObject: TypeAlias = dict[str, Json]
"""A JSON object."""

_NO_SERIALIZED: Mapping[Hashable, bytes] = MappingProxyType({})


class _Frozen:
    """Never changes; ``told`` is its JSON, by the schema that has admitted it."""

    __slots__ = ()

    serialized: Mapping[Hashable, bytes]

    def __getattr__(self, name: str) -> Mapping[Hashable, bytes]:
        if name != "serialized":
            raise AttributeError(name)
        return _NO_SERIALIZED  # until a schema has


def _reject_change(_self: object, *_: object, **__: object) -> NoReturn:
    raise TypeError("a version of a record never changes; make another one of it")


class RecordVersion(_Frozen, dict[str, Json]):
    """One version of a record: a JSON object that never changes.

    Whoever wants another one makes it: ``{**version, "status": "done"}``. It refuses to
    be changed itself; the lists and objects in it are nobody's to change either, but
    are not kept from it.
    """

    __slots__ = ("serialized",)

    def __reduce__(self) -> tuple[type[JsonObject], tuple[JsonObject]]:
        return dict, (dict(self),)  # a copy is nobody's version

    __setitem__ = __delitem__ = __ior__ = clear = _reject_change
    pop = popitem = setdefault = update = _reject_change


class RecordPage(_Frozen, list[Json]):
    """A page of them, which does not change either."""

    __slots__ = ("serialized",)

    def __reduce__(self) -> tuple[type[list[JsonObject]], tuple[list[JsonObject]]]:
        return list, ([*self],)

    __setitem__ = __delitem__ = __iadd__ = __imul__ = append = clear = _reject_change
    extend = insert = pop = remove = reverse = sort = _reject_change
