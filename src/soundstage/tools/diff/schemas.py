"""Compare two schemas: report each way in which one accepts what the other rejects."""

from collections.abc import Callable, Container, Iterable

from soundstage.openapi.enums import canonical_json
from soundstage.tools.diff.changes import REQUEST, RESPONSE
from soundstage.tools.diff.constraints import Constraints, SchemaNodes, read_constraints
from soundstage.tools.diff.facets import FACETS
from soundstage.tools.diff.node import DocumentNode
from soundstage.types import Json

ChangeReporter = Callable[[str, str, DocumentNode, str], None]
"""Receives a change: rule name, location, changed node, message."""

HIDDEN_FLAGS = {REQUEST: "readOnly", RESPONSE: "writeOnly"}
"""Properties with these keywords do not occur in that direction."""


class SchemaComparer:
    """Compares schemas of an operation in one direction, each pair of them once."""

    def __init__(self, direction: str, report: ChangeReporter) -> None:
        self.direction = direction
        self._report = report
        self._compared_pairs: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()

    def compare(self, old: SchemaNodes, new: SchemaNodes, location: str) -> None:
        """Report all differences. Raises ``DocumentError``."""
        pair = (_resolve_pointers(old), _resolve_pointers(new))
        # Recursive schemas come back to the same pair.
        if pair in self._compared_pairs or not (old or new):
            return
        self._compared_pairs.add(pair)
        before, after = read_constraints(old), read_constraints(new)
        if bool(before.branches) == bool(after.branches) or not (old and new):
            self._compare_constraints(before, after, location)
        else:
            self._compare_single_with_branches((old, before), (new, after), location)

    def _compare_constraints(self, old: Constraints, new: Constraints, location: str) -> None:
        if self._compare_facets(old, new, location):
            self._compare_default(old, new, location)
            self._compare_properties(old, new, location)
            self._compare_additional(old, new, location)
            self.compare(old.items, new.items, f"{location}[]")
            if old.branches and new.branches:
                self._compare_branches(old.branches, new.branches, location)

    def _compare_facets(self, old: Constraints, new: Constraints, location: str) -> bool:
        """Report changed facets; return whether the two have any type in common."""
        for name, facet in FACETS.items():
            before, after = _get_facet(old, name), _get_facet(new, name)
            change = facet.compare(before, after)
            if change is None:
                continue
            node = new.facet_nodes.get(name) or old.facet_nodes[name]
            rule = f"{self.direction}-{facet.rule_word}-{change.value}"
            message = f"{name}: {facet.format_value(before)} -> {facet.format_value(after)}"
            if name == "enum" and before is not None and after is not None:
                self._report_enum_values(before, after, node, location)
            else:
                self._report(rule, location, node, message)
            # Without a common type, further differences are noise.
            if name == "type" and not before & after:
                return False
        return True

    def _report_enum_values(
        self, old: frozenset[str], new: frozenset[str], node: DocumentNode, location: str
    ) -> None:
        """Report removed and added enum values separately."""
        for change, values in (("narrowed", old - new), ("widened", new - old)):
            if values:
                sign = "without" if change == "narrowed" else "with"
                message = f"enum: {sign} {', '.join(sorted(values))}"
                self._report(f"{self.direction}-enum-{change}", location, node, message)

    def _compare_default(self, old: Constraints, new: Constraints, location: str) -> None:
        # Clients do not apply the defaults of responses.
        if self.direction != REQUEST or not (old.default and new.default):
            return
        before, after = (canonical_json(old.default.value), canonical_json(new.default.value))
        if before != after:
            message = f"default: {before} -> {after}"
            self._report("request-default-changed", location, new.default, message)

    def _compare_properties(self, old: Constraints, new: Constraints, location: str) -> None:
        before, after = self._visible_properties(old), self._visible_properties(new)
        for name in _subtract(before, after):
            rule = f"{self.direction}-property-removed"
            self._report(rule, f"{location}.{name}", before[name][0], "gone")
        for name in _subtract(after, before):
            required = name in new.required and self.direction == REQUEST
            rule = f"{self.direction}-{'required-' * required}property-added"
            self._report(rule, f"{location}.{name}", after[name][0], "new")
        for name in _subtract(before, _subtract(before, after)):
            self._compare_required(name, old, new, f"{location}.{name}")
            self.compare(before[name], after[name], f"{location}.{name}")

    def _compare_required(
        self, name: str, old: Constraints, new: Constraints, location: str
    ) -> None:
        was, is_ = old.required.get(name), new.required.get(name)
        if (was is None) == (is_ is None):
            return
        node = is_ or new.properties[name][0]
        word = "required" if is_ else "optional"
        self._report(f"{self.direction}-property-became-{word}", location, node, f"now {word}")

    def _visible_properties(self, constraints: Constraints) -> dict[str, SchemaNodes]:
        flag = HIDDEN_FLAGS[self.direction]
        return {
            name: nodes
            for name, nodes in constraints.properties.items()
            # The schema "true" describes nothing, like a missing property.
            if not any(node.value is True or node.get_value(flag) for node in nodes)
        }

    def _compare_additional(self, old: Constraints, new: Constraints, location: str) -> None:
        rule = f"{self.direction}-additional-properties"
        if new.closed_by and not old.closed_by:
            self._report(f"{rule}-forbidden", location, new.closed_by, "no others any more")
        elif old.closed_by and not new.closed_by:
            self._report(f"{rule}-allowed", location, old.closed_by, "others too")
        else:
            self.compare(old.additional, new.additional, f"{location}.*")

    def _compare_branches(self, old: SchemaNodes, new: SchemaNodes, location: str) -> None:
        before, after = _name_branches(old), _name_branches(new)
        for name in [name for name in before if name in after]:
            self.compare((before.pop(name),), (after.pop(name),), location)
        # The remaining branches share no name: compare them by position.
        pairs = list(zip(before, after, strict=False))
        for name, other in pairs:
            self.compare((before.pop(name),), (after.pop(other),), location)
        rule = f"{self.direction}-alternatives"
        for name, node in before.items():
            self._report(f"{rule}-narrowed", location, node, f"not {name} any more")
        for name, node in after.items():
            self._report(f"{rule}-widened", location, node, f"or {name}")

    def _compare_single_with_branches(
        self,
        old: tuple[SchemaNodes, Constraints],
        new: tuple[SchemaNodes, Constraints],
        location: str,
    ) -> None:
        """Compare a single schema with a list of alternatives."""
        one, many = (new, old) if old[1].branches else (old, new)
        rule = f"{self.direction}-alternatives"
        # The single schema is one of the alternatives.
        if _name_branches(one[0]).keys() & _name_branches(many[1].branches).keys():
            pair = (_get_branches(*old), _get_branches(*new))
            self._compare_branches(*pair, location)
        elif many[1].facets or many[1].properties:
            self._compare_constraints(old[1], new[1], location)
            change = "narrowed" if many is new else "widened"
            self._report(f"{rule}-{change}", location, many[1].branches[0], "oneOf, anyOf")
        else:
            node = many[1].branches[0]
            self._report(f"{rule}-changed", location, node, "oneOf, anyOf: another schema")


def _resolve_pointers(nodes: SchemaNodes) -> tuple[str, ...]:
    return tuple(node.resolve().pointer for node in nodes)


def _get_facet(constraints: Constraints, name: str) -> Json:
    return constraints.facets.get(name, FACETS[name].default)


def _subtract(one: Iterable[str], other: Container[str]) -> list[str]:
    return [name for name in one if name not in other]


def _get_branches(nodes: SchemaNodes, constraints: Constraints) -> SchemaNodes:
    return constraints.branches or nodes


def _name_branches(branches: SchemaNodes) -> dict[str, DocumentNode]:
    """Index branches by reference or title, or else by their JSON text."""
    result: dict[str, DocumentNode] = {}
    for node in branches:
        value = node.value if isinstance(node.value, dict) else {}
        name = str(value.get("$ref", "")).rpartition("/")[2] or value.get("title")
        result[name or canonical_json(node.value)] = node
    return result
