"""The values that a schema enumerates (``enum``, ``const``), by their place."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from soundstage.openapi.document import resolve_pointer
from soundstage.types import Json, JsonObject


class EnumValue(NamedTuple):
    """An enumerated value as JSON text: ``1`` and ``"1"`` differ.

    ``path`` is its place in a display form: ``.runs[].status``, ``.labels.*``.
    """

    path: str
    text: str

    @property
    def value(self) -> Json:
        """The value itself."""
        return orjson.loads(self.text)


@dataclass(slots=True)
class _EnumNode:
    """The enumerated values of one place, and the nodes of the places inside it."""

    path: str
    values: dict[str, EnumValue] = field(default_factory=dict)
    # Nodes of a recursive schema that this one is inside: they apply here again.
    recursive: list["_EnumNode"] = field(default_factory=list)
    # All properties, also those without values: additional nodes exclude them.
    properties: dict[str, list["_EnumNode"]] = field(default_factory=dict)
    additional: list["_EnumNode"] = field(default_factory=list)
    prefix_items: list[list["_EnumNode"]] = field(default_factory=list)
    items: list["_EnumNode"] = field(default_factory=list)

    @property
    def has_values(self) -> bool:
        inner = (
            self.recursive,
            self.additional,
            self.items,
            *self.prefix_items,
            *self.properties.values(),
        )
        return bool(self.values) or any(inner)


class EnumIndex:
    """The enumerated values of a normalized schema (schema.py).

    A recursive schema is indexed once: deeper values count for the same place.

    >>> state = {"enum": ["on", "off"]}
    >>> index = EnumIndex({"properties": {"state": state}})
    >>> [value.text for value in index.values]
    ['"on"', '"off"']
    >>> list(index.find_in({"state": "on"}))
    [EnumValue(path='.state', text='"on"')]
    """

    def __init__(self, schema: Json) -> None:
        self._schema = schema
        self._values: dict[EnumValue, None] = {}  # a set that keeps its order
        self._roots = self._build_nodes(schema, "", {})
        self.values = tuple(self._values)

    def find_in(self, value: Json) -> Iterator[EnumValue]:
        """Yield the enumerated values that a JSON value contains at their places."""
        # Not recursive: JSON may be nested deeper than Python's stack.
        stack = [(root, value) for root in self._roots]
        while stack:
            node, value = stack.pop()
            if node.values and (match := node.values.get(canonical_json(value))):
                yield match
            if node.recursive:
                stack += [(again, value) for again in node.recursive]
            if isinstance(value, dict):
                stack += _object_children(node, value)
            elif isinstance(value, list):
                stack += _array_children(node, value)

    def _build_nodes(
        self, schema: Json, path: str, ancestors: Mapping[str, _EnumNode]
    ) -> list[_EnumNode]:
        """Return the node of a schema, or an empty list if it has no values."""
        node = _EnumNode(path)
        self._collect(schema, node, ancestors)
        return [node] if node.has_values else []

    def _collect(self, schema: Json, node: _EnumNode, ancestors: Mapping[str, _EnumNode]) -> None:
        if isinstance(schema, dict):
            self._collect_here(schema, node, ancestors)
            self._collect_children(schema, node, ancestors)

    def _collect_here(
        self, schema: JsonObject, node: _EnumNode, ancestors: Mapping[str, _EnumNode]
    ) -> None:
        """Collect values of the same place, also from subschemas that apply there."""
        const = [schema["const"]] if "const" in schema else []
        for value in [*schema.get("enum", ()), *const]:
            enum_value = EnumValue(node.path, canonical_json(value))
            node.values[enum_value.text] = enum_value
            self._values[enum_value] = None
        if ref := schema.get("$ref"):
            self._collect_reference(ref, node, ancestors)
        applied = [schema[key] for key in ("then", "else") if key in schema]
        for key in ("allOf", "anyOf", "oneOf"):
            applied += schema.get(key, ())
        for inner in [*applied, *schema.get("dependentSchemas", {}).values()]:
            self._collect(inner, node, ancestors)

    def _collect_reference(
        self, ref: str, node: _EnumNode, ancestors: Mapping[str, _EnumNode]
    ) -> None:
        known = ancestors.get(ref)
        if known is None:
            target = resolve_pointer(self._schema, ref)
            self._collect(target, node, {**ancestors, ref: node})
        elif known.path != node.path:
            node.recursive.append(known)

    def _collect_children(
        self, schema: JsonObject, node: _EnumNode, ancestors: Mapping[str, _EnumNode]
    ) -> None:
        path = node.path
        for name, inner in schema.get("properties", {}).items():
            children = self._build_nodes(inner, f"{path}.{name}", ancestors)
            node.properties.setdefault(name, []).extend(children)
        patterns = [*schema.get("patternProperties", {}).values()]
        for inner in [*patterns, schema.get("additionalProperties")]:
            node.additional += self._build_nodes(inner, f"{path}.*", ancestors)
        for i, inner in enumerate(schema.get("prefixItems", ())):
            node.prefix_items.append(self._build_nodes(inner, f"{path}[{i}]", ancestors))
        node.items += self._build_nodes(schema.get("items"), f"{path}[]", ancestors)


def _object_children(node: _EnumNode, value: JsonObject) -> Iterable[tuple[_EnumNode, Json]]:
    for name, children in node.properties.items():
        if name in value:
            yield from ((child, value[name]) for child in children)
    if node.additional:
        for name, inner in value.items():
            if name not in node.properties:
                yield from ((child, inner) for child in node.additional)


def _array_children(node: _EnumNode, value: list[Json]) -> Iterable[tuple[_EnumNode, Json]]:
    for children, inner in zip(node.prefix_items, value, strict=False):
        yield from ((child, inner) for child in children)
    for child in node.items:
        yield from ((child, inner) for inner in value[len(node.prefix_items) :])


def canonical_json(value: Json) -> str:
    """Return the JSON text of a value, the same for equal values.

    >>> canonical_json({"b": 1.0, "a": 2}) == canonical_json({"a": 2, "b": 1.0})
    True
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # an integer of more than 64 bits
        return repr(value)
