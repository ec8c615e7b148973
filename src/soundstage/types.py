"""The types that every part shares."""

from collections.abc import Hashable, Mapping
from types import MappingProxyType
from typing import Any, NoReturn, TypeAlias

Json: TypeAlias = Any
"""What a JSON text can say: None, bool, int, float, str, list or dict of these."""

Document: TypeAlias = dict[str, Json]
"""A JSON object."""

_NOTHING: Mapping[Hashable, bytes] = MappingProxyType({})


class Version(dict[str, Json]):
    """A JSON object that never changes: one version of a record.

    ``told`` is what follows from it: its JSON, by whoever has found that good. Whoever
    wants another one makes it: ``{**version, "status": "done"}``.
    """

    __slots__ = ("told",)

    told: Mapping[Hashable, bytes]

    def __getattr__(self, name: str) -> Mapping[Hashable, bytes]:
        if name != "told":
            raise AttributeError(name)
        return _NOTHING  # until something is

    def __reduce__(self) -> tuple[type[Document], tuple[Document]]:
        return dict, (dict(self),)  # a copy is nobody's version

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError("a version of a record never changes; make another one of it")

    __setitem__ = __delitem__ = __ior__ = clear = _refuse
    pop = popitem = setdefault = update = _refuse
