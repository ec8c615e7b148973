"""Route a path to its operations: a trie over the segments of the path."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from soundstage.openapi.parameters import percent_decode

T = TypeVar("T")

MAX_CACHED_LENGTH = 512
"""Bytes of a path whose route is cached."""

_TEMPLATE = re.compile(r"\{([^{}]+)\}")


class Match(NamedTuple, Generic[T]):
    """The operations of a path, by method, and the values of its template."""

    methods: Mapping[str, T]
    values: Mapping[str, str]


@dataclass(slots=True)
class _Leaf(Generic[T]):
    """The operations of a path, with the parameter names of each one's template."""

    methods: dict[str, T] = field(default_factory=dict)
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class _Node(Generic[T]):
    """The segments that can follow: literal, mixed (``{a}.json``), or a parameter."""

    literals: dict[bytes, "_Node[T]"] = field(default_factory=dict)
    patterns: dict[str, tuple[re.Pattern[bytes], "_Node[T]"]] = field(default_factory=dict)
    wildcard: "_Node[T] | None" = None
    leaf: _Leaf[T] | None = None


class Router(Generic[T]):
    """Routes paths in O(segments), independent of the number of operations.

    Paths are split before they are percent-decoded, so ``%2F`` remains in its segment.
    A literal segment takes precedence over a template (OpenAPI, Paths Object).

    >>> router = Router()
    >>> router.add("GET", "/runs/{id}", "getRun")
    >>> router.find(b"/runs/a%2Fb", "GET")
    Match(methods={'GET': 'getRun'}, values={'id': 'a/b'})
    """

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        # Clients request few paths, repeatedly.
        self._cached_find = lru_cache(1024)(self._find)

    def add(self, method: str, template: str, target: T) -> None:
        """Add an operation at a path template such as ``/runs/{runID}``."""
        self._cached_find.cache_clear()
        node = self._root
        for segment in template.split("/")[1:]:
            node = _add_child(node, segment)
        node.leaf = node.leaf or _Leaf()
        node.leaf.methods[method] = target
        node.leaf.names[method] = tuple(_TEMPLATE.findall(template))

    def find(self, raw_path: bytes, method: str) -> Match[T] | None:
        """Find the operations of a path as it was sent, still percent-encoded."""
        find = self._cached_find if len(raw_path) <= MAX_CACHED_LENGTH else self._find
        return find(raw_path, method)

    def _find(self, raw_path: bytes, method: str) -> Match[T] | None:
        try:
            match = _find_leaf(self._root, raw_path.split(b"/"), 1, ())
        except UnicodeDecodeError:
            return None
        if match is None:
            return None
        leaf, values = match
        names = leaf.names.get(method, ())
        return Match(leaf.methods, dict(zip(names, values, strict=False)))


def _add_child(node: _Node[T], segment: str) -> _Node[T]:
    if "{" not in segment:
        return node.literals.setdefault(segment.encode(), _Node())
    if _TEMPLATE.fullmatch(segment):
        node.wildcard = node.wildcard or _Node()
        return node.wildcard
    parts = _TEMPLATE.split(segment)
    pattern = "".join("(.+)" if i % 2 else re.escape(part) for i, part in enumerate(parts))
    compiled = re.compile(pattern.encode(), re.DOTALL)
    return node.patterns.setdefault(pattern, (compiled, _Node()))[1]


def _find_leaf(
    node: _Node[T], segments: list[bytes], depth: int, values: tuple[str, ...]
) -> tuple[_Leaf[T], tuple[str, ...]] | None:
    """Find the leaf of the segments from ``depth`` on, with the decoded values."""
    while depth < len(segments):
        segment = segments[depth]
        depth += 1
        literal = node.literals.get(segment)
        # Without alternatives no backtracking is needed, so no recursion either.
        if literal and not (node.wildcard or node.patterns):
            node = literal
            continue
        if literal and (match := _find_leaf(literal, segments, depth, values)):
            return match
        for pattern, child in node.patterns.values():
            if groups := pattern.fullmatch(segment):
                decoded = (percent_decode(group) for group in groups.groups())
                match = _find_leaf(child, segments, depth, (*values, *decoded))
                if match:
                    return match
        if not (node.wildcard and segment):
            return None
        node, values = node.wildcard, (*values, percent_decode(segment))
    return (node.leaf, values) if node.leaf else None
