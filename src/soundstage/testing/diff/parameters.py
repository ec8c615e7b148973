"""Parameters of two versions of an operation, compared."""

import re
from collections.abc import Mapping

from soundstage.testing.diff.node import Node
from soundstage.testing.diff.schemas import Report, Schemas
from soundstage.testing.diff.shape import Nodes, schema_in, shape_of
from soundstage.types import Json

IGNORED = frozenset({"accept", "content-type", "authorization"})
"""Headers that are no parameters (OpenAPI, Parameter Object)."""

Key = tuple[str, str]


def parameters_of(path: str, item: Node, operation: Node) -> dict[Key, Node]:
    """All parameters by place and name; those of a path by where they stand in it.

    An operation's own win over its path's.
    """
    names = re.findall(r"\{([^{}]*)\}", path)
    found: dict[Key, Node] = {}
    for owner in (item, operation):
        for node in owner.list("parameters"):
            place, name = str(node.field("in")), str(node.field("name"))
            if place == "header":
                name = name.lower()
                if name in IGNORED:
                    continue
            if place == "path" and name in names:
                name = str(names.index(name))
            found[place, name] = node
    return found


def compare_parameters(
    old: Mapping[Key, Node], new: Mapping[Key, Node], schemas: Schemas, report: Report
) -> None:
    """Report all that differs. Raises ``DocumentError``."""
    for key, node in old.items():
        if key not in new:
            report("parameter-removed", _at(node), node, "gone")
    for key, node in new.items():
        if key in old:
            _compare(old[key], node, schemas, report)
        elif node.field("required"):
            report("parameter-required-added", _at(node), node, "new, and required")
        else:
            report("parameter-added", _at(node), node, "new")


def _compare(old: Node, new: Node, schemas: Schemas, report: Report) -> None:
    at = _at(new)
    if old.field("name") != new.field("name") and new.field("in") == "path":
        report("parameter-renamed", at, new, f"{old.field('name')} before")
    was, is_ = bool(old.field("required")), bool(new.field("required"))
    if was != is_:
        word = "required" if is_ else "optional"
        report(f"parameter-became-{word}", at, new, f"now {word}")
    if new.field("deprecated") and not old.field("deprecated"):
        report("parameter-deprecated", at, new, "deprecated")
    before, after = _schema(old), _schema(new)
    joins = _may_join(before) and _may_join(after)
    styles = [_style(node, joins=joins) for node in (old, new)]
    if styles[0] != styles[1]:
        report("parameter-style-changed", at, new, " -> ".join(styles))
    schemas.compare(before, after, at)


def _at(node: Node) -> str:
    return f"{node.field('in')}.{node.field('name')}"


def _schema(node: Node) -> Nodes:
    for _, content in node.items("content"):
        return schema_in(content)
    return schema_in(node)


def _may_join(schema: Nodes) -> bool:
    """Whether there may be several values, which are joined or not."""
    types: Json = shape_of(schema).facets.get("type")
    return not types or bool(types & {"array", "object"})


def _style(node: Node, *, joins: bool) -> str:
    for media_type in node.field("content", {}):
        return str(media_type)
    usual = "form" if node.field("in") in {"query", "cookie"} else "simple"
    style = str(node.field("style", usual))
    explode = node.field("explode", style == "form")
    return f"{style}, {'exploded' if explode else 'joined'}" if joins else style
