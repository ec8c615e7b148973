"""From a path to the operations that are there: a trie over its segments."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from soundstage.openapi.parameters import percent_decode

T = TypeVar("T")

MAX_CACHED_LENGTH = 512
"""Bytes of a path that is remembered."""

_TEMPLATE = re.compile(r"\{([^{}]+)\}")


class Match(NamedTuple, Generic[T]):
    """A path that is there: its operations by method, and the values in it."""

    methods: Mapping[str, T]
    values: Mapping[str, str]


@dataclass(slots=True)
class _Leaf(Generic[T]):
    """What ends here, with the names of the values on the way."""

    methods: dict[str, T] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Node(Generic[T]):
    literals: dict[bytes, "_Node[T]"] = field(default_factory=dict)
    wildcard: "_Node[T] | None" = None  # a segment that is nothing but a value
    patterns: dict[str, tuple[re.Pattern[bytes], "_Node[T]"]] = field(
        default_factory=dict
    )
    leaf: _Leaf[T] | None = None


class Router(Generic[T]):
    """Paths by segment: O(segments), however many operations there are.

    Segments are split before they are percent-decoded, so ``%2F`` stays in its segment.
    A literal segment wins over a template one, as OpenAPI has it.
    """

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        # A client asks for few paths, again and again.
        self._cached_find = lru_cache(1024)(self._find)

    def add(self, method: str, template: str, target: T) -> None:
        """Put an operation at a path template such as ``/runs/{runID}``."""
        self._cached_find.cache_clear()
        node = self._root
        for segment in template.split("/")[1:]:
            node = _add_child(node, segment)
        node.leaf = node.leaf or _Leaf()
        node.leaf.methods[method] = target
        node.leaf.names[method] = tuple(_TEMPLATE.findall(template))

    def find(self, raw_path: bytes, method: str) -> Match[T] | None:
        """What is at a path as it was sent, still percent-encoded."""
        find = self._cached_find if len(raw_path) <= MAX_CACHED_LENGTH else self._find
        return find(raw_path, method)

    def _find(self, raw_path: bytes, method: str) -> Match[T] | None:
        try:
            found = _find_leaf(self._root, raw_path.split(b"/"), 1, ())
        except UnicodeDecodeError:
            return None
        if found is None:
            return None
        leaf, values = found
        names = leaf.names.get(method, ())
        return Match(leaf.methods, dict(zip(names, values, strict=False)))


def _add_child(node: _Node[T], segment: str) -> _Node[T]:
    if "{" not in segment:
        return node.literals.setdefault(segment.encode(), _Node())
    if _TEMPLATE.fullmatch(segment):
        node.wildcard = node.wildcard or _Node()
        return node.wildcard
    parts = _TEMPLATE.split(segment)
    pattern = "".join(
        "(.+)" if i % 2 else re.escape(part) for i, part in enumerate(parts)
    )
    compiled = re.compile(pattern.encode(), re.DOTALL)
    return node.patterns.setdefault(pattern, (compiled, _Node()))[1]


def _find_leaf(
    node: _Node[T], segments: list[bytes], depth: int, values: tuple[str, ...]
) -> tuple[_Leaf[T], tuple[str, ...]] | None:
    while depth < len(segments):
        segment = segments[depth]
        depth += 1
        literal = node.literals.get(segment)
        if literal and not (node.wildcard or node.patterns):
            node = literal
            continue
        if literal and (found := _find_leaf(literal, segments, depth, values)):
            return found
        for pattern, child in node.patterns.values():
            if match := pattern.fullmatch(segment):
                more = (*values, *(percent_decode(group) for group in match.groups()))
                if found := _find_leaf(child, segments, depth, more):
                    return found
        if not (node.wildcard and segment):
            return None
        node, values = node.wildcard, (*values, percent_decode(segment))
    return (node.leaf, values) if node.leaf else None
