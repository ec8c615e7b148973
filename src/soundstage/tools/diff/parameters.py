"""Parameters of two versions of an operation, compared."""

import re
from collections.abc import Mapping

from soundstage.tools.diff.constraints import SchemaNodes, get_schema, read_constraints
from soundstage.tools.diff.node import DocumentNode
from soundstage.tools.diff.schemas import ChangeReporter, SchemaComparer
from soundstage.types import Json

RESERVED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Headers that are no parameters (OpenAPI, Parameter Object)."""

ParameterKey = tuple[str, str]


def collect_parameters(
    path: str, item: DocumentNode, operation: DocumentNode
) -> dict[ParameterKey, DocumentNode]:
    """All parameters by place and name; those of a path by where they stand in it.

    An operation's own win over its path's.
    """
    names = re.findall(r"\{([^{}]*)\}", path)
    found: dict[ParameterKey, DocumentNode] = {}
    for owner in (item, operation):
        for node in owner.iter_list("parameters"):
            place, name = str(node.get_value("in")), str(node.get_value("name"))
            if place == "header":
                name = name.lower()
                if name in RESERVED_HEADERS:
                    continue
            if place == "path" and name in names:
                name = str(names.index(name))
            found[place, name] = node
    return found


def compare_parameters(
    old: Mapping[ParameterKey, DocumentNode],
    new: Mapping[ParameterKey, DocumentNode],
    schemas: SchemaComparer,
    report: ChangeReporter,
) -> None:
    """Report all that differs. Raises ``DocumentError``."""
    for key, node in old.items():
        if key not in new:
            report("parameter-removed", _format_location(node), node, "gone")
    for key, node in new.items():
        if key in old:
            _compare_parameter(old[key], node, schemas, report)
        elif node.get_value("required"):
            report(
                "parameter-required-added",
                _format_location(node),
                node,
                "new, and required",
            )
        else:
            report("parameter-added", _format_location(node), node, "new")


def _compare_parameter(
    old: DocumentNode,
    new: DocumentNode,
    schemas: SchemaComparer,
    report: ChangeReporter,
) -> None:
    at = _format_location(new)
    if old.get_value("name") != new.get_value("name") and new.get_value("in") == "path":
        report("parameter-renamed", at, new, f"{old.get_value('name')} before")
    was, is_ = bool(old.get_value("required")), bool(new.get_value("required"))
    if was != is_:
        word = "required" if is_ else "optional"
        report(f"parameter-became-{word}", at, new, f"now {word}")
    if new.get_value("deprecated") and not old.get_value("deprecated"):
        report("parameter-deprecated", at, new, "deprecated")
    before, after = _get_schema(old), _get_schema(new)
    joins = _can_be_joined(before) and _can_be_joined(after)
    styles = [_describe_style(node, is_joinable=joins) for node in (old, new)]
    if styles[0] != styles[1]:
        report("parameter-style-changed", at, new, " -> ".join(styles))
    schemas.compare(before, after, at)


def _format_location(node: DocumentNode) -> str:
    return f"{node.get_value('in')}.{node.get_value('name')}"


def _get_schema(node: DocumentNode) -> SchemaNodes:
    for _, content in node.iter_members("content"):
        return get_schema(content)
    return get_schema(node)


def _can_be_joined(schema: SchemaNodes) -> bool:
    """Whether there may be several values, which are joined or not."""
    types: Json = read_constraints(schema).facets.get("type")
    return not types or bool(types & {"array", "object"})


def _describe_style(node: DocumentNode, *, is_joinable: bool) -> str:
    for media_type in node.get_value("content", {}):
        return str(media_type)
    usual = "form" if node.get_value("in") in {"query", "cookie"} else "simple"
    style = str(node.get_value("style", usual))
    explode = node.get_value("explode", style == "form")
    return f"{style}, {'exploded' if explode else 'joined'}" if is_joinable else style
