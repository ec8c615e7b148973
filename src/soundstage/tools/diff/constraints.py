"""A schema as it is compared: all that holds for a value, wherever it is written.

References and ``allOf`` are put together; what OpenAPI 3.0 and 3.1 write differently
(null, exclusive bounds, constants) is written in one way.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from soundstage.openapi.enums import text_of
from soundstage.openapi.schema import BOUNDS, JSON_TYPES
from soundstage.tools.diff.facets import FACETS, Facet
from soundstage.tools.diff.node import DocumentNode
from soundstage.types import Document, Json

SchemaNodes = tuple[DocumentNode, ...]
"""Schemas that all hold for one value."""

OPAQUE_KEYWORDS = (
    "not if then else contains minContains maxContains prefixItems patternProperties "
    "propertyNames dependentRequired dependentSchemas unevaluatedItems"
).split()
"""Keywords that are compared as they stand."""


@dataclass(slots=True)
class Constraints:
    """What some schemas ask of a value. ``where`` has the node of each facet."""

    facets: dict[str, Json] = field(default_factory=dict)
    facet_nodes: dict[str, DocumentNode] = field(default_factory=dict)
    properties: dict[str, SchemaNodes] = field(default_factory=dict)
    required: dict[str, DocumentNode] = field(default_factory=dict)
    additional: SchemaNodes = ()
    closed_by: DocumentNode | None = None
    items: SchemaNodes = ()
    branches: SchemaNodes = ()
    default: DocumentNode | None = None

    def add(self, facet: Facet, value: Json, node: DocumentNode) -> None:
        """Ask this too."""
        before = self.facets.get(facet.name)
        together = value if before is None else facet.intersect(before, value)
        if together != before:
            self.facets[facet.name], self.facet_nodes[facet.name] = together, node

    def merge(self, other: "Constraints") -> None:
        """Ask all that another asks, too."""
        for name, value in other.facets.items():
            self.add(FACETS[name], value, other.facet_nodes[name])
        for name, nodes in other.properties.items():
            self.properties[name] = (*self.properties.get(name, ()), *nodes)
        self.required |= other.required
        self.additional += other.additional
        self.closed_by = self.closed_by or other.closed_by
        self.items += other.items
        self.branches += other.branches
        self.default = self.default or other.default


def get_schema(node: DocumentNode) -> SchemaNodes:
    """The schema of a parameter, a header or a media type, if it has one."""
    return (node.child("schema"),) if "schema" in node.value else ()


def read_constraints(nodes: Iterable[DocumentNode]) -> Constraints:
    """The shape of schemas that all hold. Raises ``DocumentError``."""
    shape = Constraints()
    for node in nodes:
        shape.merge(_read_schema(node, frozenset()))
    return shape


def _read_schema(node: DocumentNode, ancestors: frozenset[str]) -> Constraints:
    shape = Constraints()
    if node.value is False:
        shape.add(FACETS["type"], frozenset(), node)
    if not isinstance(node.value, dict):
        return shape
    old = str(node.document.get("openapi", "")).startswith("3.0")
    if "$ref" in node.value:
        target = node.dereference()
        if target.pointer not in ancestors:
            shape.merge(_read_schema(target, ancestors | {target.pointer}))
        if old:
            return shape
    _read_facets(shape, node, node.value)
    _read_subschemas(shape, node, node.value)
    for i in range(len(node.value.get("allOf", ()))):
        shape.merge(_read_schema(node.child("allOf").child(i), ancestors))
    for key in ("oneOf", "anyOf"):
        if key in node.value:
            shape.merge(_read_branches(node.child(key), ancestors))
    if node.value.get("nullable") is True:
        _make_nullable(shape)
    return shape


def _read_facets(constraints: Constraints, node: DocumentNode, value: Document) -> None:
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
        place = node.child("format")
        constraints.add(FACETS["minimum"], (limits[0], 0), place)
        constraints.add(FACETS["maximum"], (limits[1], 0), place)
        del given["format"]
    for facet in FACETS.values():
        for keyword, read in facet.keywords.items():
            if keyword in given:
                constraints.add(facet, read(given[keyword]), node.child(keyword))
    odd = {key: given[key] for key in OPAQUE_KEYWORDS if key in given}
    for key, one in odd.items():
        condition = frozenset({f"{key}: {text_of(one)}"})
        constraints.add(FACETS["condition"], condition, node.child(key))


def _read_subschemas(
    constraints: Constraints, node: DocumentNode, value: Document
) -> None:
    for name in value.get("properties", {}):
        constraints.properties[name] = (node.child("properties").child(name),)
    for i, name in enumerate(value.get("required", ())):
        constraints.required[name] = node.child("required").child(i)
    for key in ("additionalProperties", "unevaluatedProperties"):
        if value.get(key) is False:
            constraints.closed_by = node.child(key)
        elif isinstance(value.get(key), dict):
            constraints.additional += (node.child(key),)
    if "items" in value:
        constraints.items = (node.child("items"),)
    if "default" in value:
        constraints.default = node.child("default")


def _read_branches(node: DocumentNode, ancestors: frozenset[str]) -> Constraints:
    """``oneOf`` or ``anyOf``; of a schema and null, the schema that admits null."""
    branches = [node.child(i) for i in range(len(node.value))]
    others = [b for b in branches if b.value != {"type": "null"}]
    if len(others) != 1:
        return Constraints(branches=tuple(branches))
    shape = _read_schema(others[0], ancestors)
    if len(branches) > 1:
        _make_nullable(shape)
    return shape


def _make_nullable(constraints: Constraints) -> None:
    types = constraints.facets.get("type", JSON_TYPES)
    if types != JSON_TYPES:
        constraints.facets["type"] = types | {"null"}
        if "enum" in constraints.facets:
            constraints.facets["enum"] |= {"null"}
