"""Constraints: the normalized form in which two schemas are compared.

References and ``allOf`` are merged. Differences in notation between OpenAPI 3.0 and 3.1
(null, exclusive bounds, constants) disappear.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from soundstage.openapi.enums import canonical_json
from soundstage.openapi.schema import FORMAT_BOUNDS, JSON_TYPES
from soundstage.tools.diff.facets import FACETS, Facet
from soundstage.tools.diff.node import DocumentNode
from soundstage.types import Json, JsonObject

SchemaNodes = tuple[DocumentNode, ...]
"""Schemas that all apply to the same value."""

OPAQUE_KEYWORDS = (
    "not if then else contains minContains maxContains prefixItems patternProperties "
    "propertyNames dependentRequired dependentSchemas unevaluatedItems"
).split()
"""Keywords that are compared as text, without interpretation."""


@dataclass(slots=True)
class Constraints:
    """What a list of schemas requires of a value; ``facet_nodes`` are their sources."""

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
        """Add the value of a facet, read from a node."""
        current = self.facets.get(facet.name)
        combined = value if current is None else facet.intersect(current, value)
        # The node of the strictest value is kept: a report points at it.
        if combined != current:
            self.facets[facet.name], self.facet_nodes[facet.name] = combined, node

    def merge(self, other: "Constraints") -> None:
        """Add all constraints of another object."""
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
    """Return the schema of a parameter, header or media type; empty if missing."""
    return (node.child("schema"),) if "schema" in node.value else ()


def read_constraints(nodes: Iterable[DocumentNode]) -> Constraints:
    """Read the constraints of schemas that apply together. Raises ``DocumentError``.

    >>> schema = {"allOf": [{"maxLength": 9}, {"maxLength": 5}]}
    >>> read_constraints([DocumentNode({}, "new", "", schema)]).facets
    {'maxLength': (5, 0)}
    """
    constraints = Constraints()
    for node in nodes:
        constraints.merge(_read_schema(node, frozenset()))
    return constraints


def _read_schema(node: DocumentNode, ancestors: frozenset[str]) -> Constraints:
    constraints = Constraints()
    if node.value is False:
        constraints.add(FACETS["type"], frozenset(), node)
    if not isinstance(node.value, dict):
        return constraints
    if "$ref" in node.value:
        target = node.dereference()
        # A recursive schema adds nothing on its second visit.
        if target.pointer not in ancestors:
            constraints.merge(_read_schema(target, ancestors | {target.pointer}))
        # OpenAPI 3.0 ignores the siblings of a reference (Reference Object).
        if str(node.document.get("openapi", "")).startswith("3.0"):
            return constraints
    _read_facets(constraints, node, node.value)
    _read_subschemas(constraints, node, node.value)
    for i in range(len(node.value.get("allOf", ()))):
        constraints.merge(_read_schema(node.child("allOf").child(i), ancestors))
    for key in ("oneOf", "anyOf"):
        if key in node.value:
            constraints.merge(_read_branches(node.child(key), ancestors))
    if node.value.get("nullable") is True:
        _make_nullable(constraints)
    return constraints


def _read_facets(constraints: Constraints, node: DocumentNode, value: JsonObject) -> None:
    keywords = dict(value)
    for bound, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        # In OpenAPI 3.0 the exclusive keyword is a boolean beside the bound.
        if keywords.get(exclusive) is True and bound in keywords:
            keywords[exclusive] = keywords.pop(bound)
        elif isinstance(keywords.get(exclusive), bool):
            del keywords[exclusive]
    limits = FORMAT_BOUNDS.get(keywords.get("format", ""))
    if limits:
        # Integer formats (int32) are bounds, so they compare with explicit bounds.
        format_node = node.child("format")
        constraints.add(FACETS["minimum"], (limits[0], 0), format_node)
        constraints.add(FACETS["maximum"], (limits[1], 0), format_node)
        del keywords["format"]
    for facet in FACETS.values():
        for keyword, parse in facet.keywords.items():
            if keyword in keywords:
                constraints.add(facet, parse(keywords[keyword]), node.child(keyword))
    for key in OPAQUE_KEYWORDS:
        if key in keywords:
            condition = frozenset({f"{key}: {canonical_json(keywords[key])}"})
            constraints.add(FACETS["condition"], condition, node.child(key))


def _read_subschemas(constraints: Constraints, node: DocumentNode, value: JsonObject) -> None:
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
    """Read ``oneOf`` or ``anyOf``; one schema plus null is that schema, nullable."""
    branches = [node.child(i) for i in range(len(node.value))]
    others = [b for b in branches if b.value != {"type": "null"}]
    if len(others) != 1:
        return Constraints(branches=tuple(branches))
    constraints = _read_schema(others[0], ancestors)
    if len(branches) > 1:
        _make_nullable(constraints)
    return constraints


def _make_nullable(constraints: Constraints) -> None:
    types = constraints.facets.get("type", JSON_TYPES)
    if types != JSON_TYPES:
        constraints.facets["type"] = types | {"null"}
        if "enum" in constraints.facets:
            constraints.facets["enum"] |= {"null"}
