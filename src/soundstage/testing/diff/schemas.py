"""Two schemas, compared: each way in which one admits what the other does not."""

from collections.abc import Callable, Container, Iterable

from soundstage.contract.listed import text_of
from soundstage.testing.diff.change import ANSWER, REQUEST
from soundstage.testing.diff.facet import FACETS
from soundstage.testing.diff.node import Node
from soundstage.testing.diff.shape import Nodes, Shape, shape_of
from soundstage.types import Json

Report = Callable[[str, str, Node, str], None]
"""Takes a change: its rule, where it is seen, the node that has changed, a message."""

HIDDEN = {REQUEST: "readOnly", ANSWER: "writeOnly"}
"""What a side does not say."""


class Schemas:
    """Compares the schemas of one side of one operation, each pair of them once."""

    def __init__(self, side: str, report: Report) -> None:
        self.side = side
        self._report = report
        self._met: set[tuple[tuple[str, ...], tuple[str, ...]]] = set()

    def compare(self, old: Nodes, new: Nodes, at: str) -> None:
        """Report all that differs. Raises ``DocumentError``."""
        pair = (_pointers(old), _pointers(new))
        if pair in self._met or not (old or new):
            return
        self._met.add(pair)
        before, after = shape_of(old), shape_of(new)
        if bool(before.branches) == bool(after.branches) or not (old and new):
            self._compare_shapes(before, after, at)
        else:
            self._compare_one_with_many((old, before), (new, after), at)

    def _compare_shapes(self, old: Shape, new: Shape, at: str) -> None:
        if self._compare_facets(old, new, at):
            self._compare_default(old, new, at)
            self._compare_properties(old, new, at)
            self._compare_additional(old, new, at)
            self.compare(old.items, new.items, f"{at}[]")
            if old.branches and new.branches:
                self._compare_branches(old.branches, new.branches, at)

    def _compare_facets(self, old: Shape, new: Shape, at: str) -> bool:
        """False if nothing of the one is a value of the other."""
        for name, facet in FACETS.items():
            before, after = _facet(old, name), _facet(new, name)
            direction = facet.direction(before, after)
            if direction is None:
                continue
            node = new.where.get(name) or old.where[name]
            rule = f"{self.side}-{facet.word}-{direction.value}"
            message = f"{name}: {facet.show(before)} -> {facet.show(after)}"
            if name == "enum" and before is not None and after is not None:
                self._report_values(before, after, node, at)
            else:
                self._report(rule, at, node, message)
            if name == "type" and not before & after:
                return False
        return True

    def _report_values(
        self, old: frozenset[str], new: frozenset[str], node: Node, at: str
    ) -> None:
        """Listed values are gone, or new; it may be both."""
        for way, values in (("narrowed", old - new), ("widened", new - old)):
            if values:
                sign = "without" if way == "narrowed" else "with"
                message = f"enum: {sign} {', '.join(sorted(values))}"
                self._report(f"{self.side}-enum-{way}", at, node, message)

    def _compare_default(self, old: Shape, new: Shape, at: str) -> None:
        if self.side != REQUEST or not (old.default and new.default):
            return
        before, after = text_of(old.default.value), text_of(new.default.value)
        if before != after:
            message = f"default: {before} -> {after}"
            self._report("request-default-changed", at, new.default, message)

    def _compare_properties(self, old: Shape, new: Shape, at: str) -> None:
        before, after = self._visible(old), self._visible(new)
        for name in _without(before, after):
            gone = before[name][0]
            self._report(f"{self.side}-property-removed", f"{at}.{name}", gone, "gone")
        for name in _without(after, before):
            added = after[name][0]
            required = name in new.required and self.side == REQUEST
            rule = f"{self.side}-{'required-' * required}property-added"
            self._report(rule, f"{at}.{name}", added, "new")
        for name in _without(before, _without(before, after)):
            self._compare_required(name, old, new, f"{at}.{name}")
            self.compare(before[name], after[name], f"{at}.{name}")

    def _compare_required(self, name: str, old: Shape, new: Shape, at: str) -> None:
        was, is_ = old.required.get(name), new.required.get(name)
        if (was is None) == (is_ is None):
            return
        node = is_ or new.properties[name][0]
        word = "required" if is_ else "optional"
        self._report(f"{self.side}-property-became-{word}", at, node, f"now {word}")

    def _visible(self, shape: Shape) -> dict[str, Nodes]:
        flag = HIDDEN[self.side]
        return {
            name: nodes
            for name, nodes in shape.properties.items()
            if not any(node.value is True or node.field(flag) for node in nodes)
        }

    def _compare_additional(self, old: Shape, new: Shape, at: str) -> None:
        rule = f"{self.side}-additional-properties"
        if new.closed and not old.closed:
            self._report(f"{rule}-forbidden", at, new.closed, "no others any more")
        elif old.closed and not new.closed:
            self._report(f"{rule}-allowed", at, old.closed, "others too")
        else:
            self.compare(old.additional, new.additional, f"{at}.*")

    def _compare_branches(self, old: Nodes, new: Nodes, at: str) -> None:
        before, after = _named(old), _named(new)
        for name in [name for name in before if name in after]:
            self.compare((before.pop(name),), (after.pop(name),), at)
        # What is left has no name in common: the first may be the first, and so on.
        pairs = list(zip(before, after, strict=False))
        for name, other in pairs:
            self.compare((before.pop(name),), (after.pop(other),), at)
        rule = f"{self.side}-alternatives"
        for name, node in before.items():
            self._report(f"{rule}-narrowed", at, node, f"not {name} any more")
        for name, node in after.items():
            self._report(f"{rule}-widened", at, node, f"or {name}")

    def _compare_one_with_many(
        self, old: tuple[Nodes, Shape], new: tuple[Nodes, Shape], at: str
    ) -> None:
        """A schema has become one of several, or several have become one."""
        one, many = (new, old) if old[1].branches else (old, new)
        rule = f"{self.side}-alternatives"
        if _named(one[0]).keys() & _named(many[1].branches).keys():
            pair = (_whole(*old), _whole(*new))
            self._compare_branches(*pair, at)
        elif many[1].facets or many[1].properties:
            self._compare_shapes(old[1], new[1], at)
            way = "narrowed" if many is new else "widened"
            self._report(f"{rule}-{way}", at, many[1].branches[0], "oneOf, anyOf")
        else:
            node = many[1].branches[0]
            self._report(f"{rule}-changed", at, node, "oneOf, anyOf: another schema")


def _pointers(nodes: Nodes) -> tuple[str, ...]:
    return tuple(node.followed().pointer for node in nodes)


def _facet(shape: Shape, name: str) -> Json:
    return shape.facets.get(name, FACETS[name].nothing)


def _without(one: Iterable[str], other: Container[str]) -> list[str]:
    return [name for name in one if name not in other]


def _whole(nodes: Nodes, shape: Shape) -> Nodes:
    return shape.branches or nodes


def _named(branches: Nodes) -> dict[str, Node]:
    """Branches by what they are called, or else by what they say."""
    result: dict[str, Node] = {}
    for node in branches:
        value = node.value if isinstance(node.value, dict) else {}
        name = str(value.get("$ref", "")).rpartition("/")[2] or value.get("title")
        result[name or text_of(node.value)] = node
    return result
