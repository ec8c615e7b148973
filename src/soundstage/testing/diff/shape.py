"""A schema as it is compared: all that holds for a value, wherever it is written.

References and ``allOf`` are put together; what OpenAPI 3.0 and 3.1 write differently
(null, exclusive bounds, constants) is written in one way.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from soundstage.contract.listed import text_of
from soundstage.contract.schema import BOUNDS, JSON_TYPES
from soundstage.testing.diff.facet import FACETS, Facet
from soundstage.testing.diff.node import Node
from soundstage.types import Document, Json

Nodes = tuple[Node, ...]
"""Schemas that all hold for one value."""

UNCOMPARED = (
    "not if then else contains minContains maxContains prefixItems patternProperties "
    "propertyNames dependentRequired dependentSchemas unevaluatedItems"
).split()
"""Keywords that are compared as they stand."""


@dataclass(slots=True)
class Shape:
    """What some schemas ask of a value. ``where`` has the node of each facet."""

    facets: dict[str, Json] = field(default_factory=dict)
    where: dict[str, Node] = field(default_factory=dict)
    properties: dict[str, Nodes] = field(default_factory=dict)
    required: dict[str, Node] = field(default_factory=dict)
    additional: Nodes = ()
    closed: Node | None = None
    items: Nodes = ()
    branches: Nodes = ()
    default: Node | None = None

    def ask(self, facet: Facet, value: Json, node: Node) -> None:
        """Ask this too."""
        before = self.facets.get(facet.name)
        together = value if before is None else facet.both(before, value)
        if together != before:
            self.facets[facet.name], self.where[facet.name] = together, node

    def add(self, other: "Shape") -> None:
        """Ask all that another asks, too."""
        for name, value in other.facets.items():
            self.ask(FACETS[name], value, other.where[name])
        for name, nodes in other.properties.items():
            self.properties[name] = (*self.properties.get(name, ()), *nodes)
        self.required |= other.required
        self.additional += other.additional
        self.closed = self.closed or other.closed
        self.items += other.items
        self.branches += other.branches
        self.default = self.default or other.default


def schema_in(node: Node) -> Nodes:
    """The schema of a parameter, a header or a media type, if it has one."""
    return (node.step("schema"),) if "schema" in node.value else ()


def shape_of(nodes: Iterable[Node]) -> Shape:
    """The shape of schemas that all hold. Raises ``DocumentError``."""
    shape = Shape()
    for node in nodes:
        shape.add(_one(node, frozenset()))
    return shape


def _one(node: Node, above: frozenset[str]) -> Shape:
    shape = Shape()
    if node.value is False:
        shape.ask(FACETS["type"], frozenset(), node)
    if not isinstance(node.value, dict):
        return shape
    old = str(node.document.get("openapi", "")).startswith("3.0")
    if "$ref" in node.value:
        target = node.target()
        if target.pointer not in above:
            shape.add(_one(target, above | {target.pointer}))
        if old:
            return shape
    _read_facets(shape, node, node.value)
    _read_inner(shape, node, node.value)
    for i in range(len(node.value.get("allOf", ()))):
        shape.add(_one(node.step("allOf").step(i), above))
    for key in ("oneOf", "anyOf"):
        if key in node.value:
            shape.add(_branched(node.step(key), above))
    if node.value.get("nullable") is True:
        _make_nullable(shape)
    return shape


def _read_facets(shape: Shape, node: Node, value: Document) -> None:
    given = dict(value)
    for bound, exclusive in (
        ("minimum", "exclusiveMinimum"),
        ("maximum", "exclusiveMaximum"),
    ):
        if given.get(exclusive) is True and bound in given:  # as OpenAPI 3.0 writes it
            given[exclusive] = given.pop(bound)
        elif isinstance(given.get(exclusive), bool):
            del given[exclusive]
    limits = BOUNDS.get(given.get("format", ""))
    if limits:
        place = node.step("format")
        shape.ask(FACETS["minimum"], (limits[0], 0), place)
        shape.ask(FACETS["maximum"], (limits[1], 0), place)
        del given["format"]
    for facet in FACETS.values():
        for keyword, read in facet.keywords.items():
            if keyword in given:
                shape.ask(facet, read(given[keyword]), node.step(keyword))
    odd = {key: given[key] for key in UNCOMPARED if key in given}
    for key, one in odd.items():
        condition = frozenset({f"{key}: {text_of(one)}"})
        shape.ask(FACETS["condition"], condition, node.step(key))


def _read_inner(shape: Shape, node: Node, value: Document) -> None:
    for name in value.get("properties", {}):
        shape.properties[name] = (node.step("properties").step(name),)
    for i, name in enumerate(value.get("required", ())):
        shape.required[name] = node.step("required").step(i)
    for key in ("additionalProperties", "unevaluatedProperties"):
        if value.get(key) is False:
            shape.closed = node.step(key)
        elif isinstance(value.get(key), dict):
            shape.additional += (node.step(key),)
    if "items" in value:
        shape.items = (node.step("items"),)
    if "default" in value:
        shape.default = node.step("default")


def _branched(node: Node, above: frozenset[str]) -> Shape:
    """``oneOf`` or ``anyOf``; of a schema and null, the schema that admits null."""
    branches = [node.step(i) for i in range(len(node.value))]
    others = [b for b in branches if b.value != {"type": "null"}]
    if len(others) != 1:
        return Shape(branches=tuple(branches))
    shape = _one(others[0], above)
    if len(branches) > 1:
        _make_nullable(shape)
    return shape


def _make_nullable(shape: Shape) -> None:
    types = shape.facets.get("type", JSON_TYPES)
    if types != JSON_TYPES:
        shape.facets["type"] = types | {"null"}
        if "enum" in shape.facets:
            shape.facets["enum"] |= {"null"}
