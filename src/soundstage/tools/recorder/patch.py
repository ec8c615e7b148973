"""What changes from one version of a record to the next."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from soundstage.types import Document, Json

Path = tuple[str, ...]


class _Gone:
    """Stands in a patch for a field that is not there any more."""


GONE: Final = _Gone()


@dataclass(frozen=True, slots=True)
class Appended:
    """Stands in a patch for a list that has one more item at its end."""

    item: Json


def difference(old: Document, new: Document) -> Document:
    """The patch that makes ``new`` of ``old``."""
    patch: Document = {}
    for name, value in new.items():
        before = old.get(name, GONE)
        if same(before, value):
            continue
        if isinstance(before, dict) and isinstance(value, dict):
            patch[name] = difference(before, value)
        elif _is_longer_by_one(before, value):
            patch[name] = Appended(value[-1])
        else:
            patch[name] = value
    return patch | {name: GONE for name in old if name not in new}


def applied(document: Document, patch: Mapping[str, Json]) -> Document:
    """The document after a patch; the one given stays as it is."""
    result = dict(document)
    for name, change in patch.items():
        before = result.get(name)
        if change is GONE:
            result.pop(name, None)
        elif isinstance(change, Appended):
            result[name] = [*(before or ()), change.item]
        elif isinstance(change, dict) and isinstance(before, dict):
            result[name] = applied(before, change)
        else:
            result[name] = change
    return result


def joined(one: Mapping[str, Json], other: Mapping[str, Json]) -> Document:
    """Two parts of a patch as one."""
    result = dict(one)
    for name, change in other.items():
        before = result.get(name)
        if isinstance(before, dict) and isinstance(change, dict):
            result[name] = joined(before, change)
        else:
            result[name] = change
    return result


def leaves(patch: Mapping[str, Json], *way: str) -> Iterator[tuple[Path, Json]]:
    """Every field that a patch changes, and what it comes to be."""
    for name, change in patch.items():
        if isinstance(change, dict) and change:
            yield from leaves(change, *way, name)
        else:
            yield (*way, name), change


def only(patch: Mapping[str, Json], paths: set[Path], *way: str) -> Document:
    """The part of a patch that changes these fields."""
    result: Document = {}
    for name, change in patch.items():
        place = (*way, name)
        if place in paths:
            result[name] = change
        elif isinstance(change, dict) and (inner := only(change, paths, *place)):
            result[name] = inner
    return result


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON, of the same types."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def _is_longer_by_one(old: Json, new: Json) -> bool:
    if not isinstance(old, list) or not isinstance(new, list) or not old:
        return False
    return len(new) == len(old) + 1 and same(old, new[:-1])
