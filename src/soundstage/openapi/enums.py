"""The values that a schema lists (``enum``, ``const``), by where they stand."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from soundstage.openapi.document import resolved
from soundstage.types import Document, Json


class Value(NamedTuple):
    """A value that is listed, as JSON text: ``1`` and ``"1"`` are two.

    ``at`` is the way to it, as people write it: ``.runs[].status``, ``.labels.*``.
    """

    at: str
    text: str

    @property
    def json(self) -> Json:
        """The value itself."""
        return orjson.loads(self.text)


@dataclass(slots=True)
class _Node:
    """What a schema says of one place, and of those in it that have lists."""

    at: str
    listed: dict[str, Value] = field(default_factory=dict)
    again: list["_Node"] = field(default_factory=list)  # nodes that this one is in
    properties: dict[str, list["_Node"]] = field(default_factory=dict)  # all of them
    rest: list["_Node"] = field(default_factory=list)
    first: list[list["_Node"]] = field(default_factory=list)
    items: list["_Node"] = field(default_factory=list)

    @property
    def leads_on(self) -> bool:
        named = self.properties.values()
        inner = (self.again, self.rest, self.items, *self.first, *named)
        return bool(self.listed) or any(inner)


class Listed:
    """All lists of one normal schema (schema.py).

    A schema that contains itself is listed once: what stands deeper counts there too.
    """

    def __init__(self, schema: Json) -> None:
        self._schema = schema
        self._found: dict[Value, None] = {}
        self._roots = self._kept(schema, "", {})
        self.values = tuple(self._found)

    def of(self, value: Json) -> Iterator[Value]:
        """Those of the listed values that a JSON value has, each where it stands."""
        stack = [(root, value) for root in self._roots]
        while stack:
            node, value = stack.pop()
            if node.listed and (one := node.listed.get(text_of(value))):
                yield one
            if node.again:
                stack += [(again, value) for again in node.again]
            if isinstance(value, dict):
                stack += _in_object(node, value)
            elif isinstance(value, list):
                stack += _in_array(node, value)

    def _kept(self, schema: Json, at: str, above: Mapping[str, _Node]) -> list[_Node]:
        node = _Node(at)
        self._read(schema, node, above)
        return [node] if node.leads_on else []

    def _read(self, schema: Json, node: _Node, above: Mapping[str, _Node]) -> None:
        if isinstance(schema, dict):
            self._read_here(schema, node, above)
            self._read_inside(schema, node, above)

    def _read_here(
        self, schema: Document, node: _Node, above: Mapping[str, _Node]
    ) -> None:
        const = [schema["const"]] if "const" in schema else []
        for value in [*schema.get("enum", ()), *const]:
            one = Value(node.at, text_of(value))
            node.listed[one.text] = one
            self._found[one] = None
        if ref := schema.get("$ref"):
            self._refer(ref, node, above)
        same = [schema[key] for key in ("then", "else") if key in schema]
        for key in ("allOf", "anyOf", "oneOf"):
            same += schema.get(key, ())
        for inner in [*same, *schema.get("dependentSchemas", {}).values()]:
            self._read(inner, node, above)

    def _refer(self, ref: str, node: _Node, above: Mapping[str, _Node]) -> None:
        known = above.get(ref)
        if known is None:
            self._read(resolved(self._schema, ref), node, {**above, ref: node})
        elif known.at != node.at:
            node.again.append(known)

    def _read_inside(
        self, schema: Document, node: _Node, above: Mapping[str, _Node]
    ) -> None:
        at = node.at
        for name, inner in schema.get("properties", {}).items():
            kept = self._kept(inner, f"{at}.{name}", above)
            node.properties.setdefault(name, []).extend(kept)
        others = [*schema.get("patternProperties", {}).values()]
        for inner in [*others, schema.get("additionalProperties")]:
            node.rest += self._kept(inner, f"{at}.*", above)
        for i, inner in enumerate(schema.get("prefixItems", ())):
            node.first.append(self._kept(inner, f"{at}[{i}]", above))
        node.items += self._kept(schema.get("items"), f"{at}[]", above)


def _in_object(node: _Node, value: Document) -> Iterable[tuple[_Node, Json]]:
    for name, inner in node.properties.items():
        if name in value:
            yield from ((one, value[name]) for one in inner)
    if node.rest:
        known = node.properties
        for name, given in value.items():
            if name not in known:
                yield from ((one, given) for one in node.rest)


def _in_array(node: _Node, value: list[Json]) -> Iterable[tuple[_Node, Json]]:
    for inner, given in zip(node.first, value, strict=False):
        yield from ((one, given) for one in inner)
    for one in node.items:
        yield from ((one, given) for given in value[len(node.first) :])


def text_of(value: Json) -> str:
    """A JSON value as text, the same for equal values."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # a whole number of more than 64 bits
        return repr(value)
