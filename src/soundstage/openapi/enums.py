"""The values that a schema lists (``enum``, ``const``), by where they stand."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import orjson

from soundstage.openapi.document import resolve_pointer
from soundstage.types import Json, JsonObject


class EnumValue(NamedTuple):
    """A value that is listed, as JSON text: ``1`` and ``"1"`` are two.

    ``at`` is the way to it, as people write it: ``.runs[].status``, ``.labels.*``.
    """

    path: str
    text: str

    @property
    def value(self) -> Json:
        """The value itself."""
        return orjson.loads(self.text)


@dataclass(slots=True)
class _EnumNode:
    """What a schema says of one place, and of those in it that have lists."""

    path: str
    values: dict[str, EnumValue] = field(default_factory=dict)
    recursive: list["_EnumNode"] = field(
        default_factory=list
    )  # nodes that this one is in
    properties: dict[str, list["_EnumNode"]] = field(
        default_factory=dict
    )  # all of them
    additional: list["_EnumNode"] = field(default_factory=list)
    prefix_items: list[list["_EnumNode"]] = field(default_factory=list)
    items: list["_EnumNode"] = field(default_factory=list)

    @property
    def has_values(self) -> bool:
        named = self.properties.values()
        inner = (
            self.recursive,
            self.additional,
            self.items,
            *self.prefix_items,
            *named,
        )
        return bool(self.values) or any(inner)


class EnumIndex:
    """All lists of one normal schema (schema.py).

    A schema that contains itself is listed once: what stands deeper counts there too.
    """

    def __init__(self, schema: Json) -> None:
        self._schema = schema
        self._values: dict[EnumValue, None] = {}
        self._roots = self._build_nodes(schema, "", {})
        self.values = tuple(self._values)

    def find_in(self, value: Json) -> Iterator[EnumValue]:
        """Those of the listed values that a JSON value has, each where it stands."""
        stack = [(root, value) for root in self._roots]
        while stack:
            node, value = stack.pop()
            if node.values and (one := node.values.get(canonical_json(value))):
                yield one
            if node.recursive:
                stack += [(again, value) for again in node.recursive]
            if isinstance(value, dict):
                stack += _object_children(node, value)
            elif isinstance(value, list):
                stack += _array_children(node, value)

    def _build_nodes(
        self, schema: Json, path: str, ancestors: Mapping[str, _EnumNode]
    ) -> list[_EnumNode]:
        node = _EnumNode(path)
        self._collect(schema, node, ancestors)
        return [node] if node.has_values else []

    def _collect(
        self, schema: Json, node: _EnumNode, ancestors: Mapping[str, _EnumNode]
    ) -> None:
        if isinstance(schema, dict):
            self._collect_here(schema, node, ancestors)
            self._collect_children(schema, node, ancestors)

    def _collect_here(
        self, schema: JsonObject, node: _EnumNode, ancestors: Mapping[str, _EnumNode]
    ) -> None:
        const = [schema["const"]] if "const" in schema else []
        for value in [*schema.get("enum", ()), *const]:
            one = EnumValue(node.path, canonical_json(value))
            node.values[one.text] = one
            self._values[one] = None
        if ref := schema.get("$ref"):
            self._collect_reference(ref, node, ancestors)
        same = [schema[key] for key in ("then", "else") if key in schema]
        for key in ("allOf", "anyOf", "oneOf"):
            same += schema.get(key, ())
        for inner in [*same, *schema.get("dependentSchemas", {}).values()]:
            self._collect(inner, node, ancestors)

    def _collect_reference(
        self, ref: str, node: _EnumNode, ancestors: Mapping[str, _EnumNode]
    ) -> None:
        known = ancestors.get(ref)
        if known is None:
            self._collect(
                resolve_pointer(self._schema, ref), node, {**ancestors, ref: node}
            )
        elif known.path != node.path:
            node.recursive.append(known)

    def _collect_children(
        self, schema: JsonObject, node: _EnumNode, ancestors: Mapping[str, _EnumNode]
    ) -> None:
        at = node.path
        for name, inner in schema.get("properties", {}).items():
            kept = self._build_nodes(inner, f"{at}.{name}", ancestors)
            node.properties.setdefault(name, []).extend(kept)
        others = [*schema.get("patternProperties", {}).values()]
        for inner in [*others, schema.get("additionalProperties")]:
            node.additional += self._build_nodes(inner, f"{at}.*", ancestors)
        for i, inner in enumerate(schema.get("prefixItems", ())):
            node.prefix_items.append(self._build_nodes(inner, f"{at}[{i}]", ancestors))
        node.items += self._build_nodes(schema.get("items"), f"{at}[]", ancestors)


def _object_children(
    node: _EnumNode, value: JsonObject
) -> Iterable[tuple[_EnumNode, Json]]:
    for name, inner in node.properties.items():
        if name in value:
            yield from ((one, value[name]) for one in inner)
    if node.additional:
        known = node.properties
        for name, given in value.items():
            if name not in known:
                yield from ((one, given) for one in node.additional)


def _array_children(
    node: _EnumNode, value: list[Json]
) -> Iterable[tuple[_EnumNode, Json]]:
    for inner, given in zip(node.prefix_items, value, strict=False):
        yield from ((one, given) for one in inner)
    for one in node.items:
        yield from ((one, given) for given in value[len(node.prefix_items) :])


def canonical_json(value: Json) -> str:
    """A JSON value as text, the same for equal values."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # a whole number of more than 64 bits
        return repr(value)
