"""Compare the parameters of two versions of an operation."""

import re
from collections.abc import Mapping

from soundstage.tools.diff.constraints import SchemaNodes, get_schema, read_constraints
from soundstage.tools.diff.node import DocumentNode
from soundstage.tools.diff.schemas import ChangeReporter, SchemaComparer
from soundstage.types import Json

RESERVED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Header parameters of these names are ignored (OpenAPI, Parameter Object)."""

ParameterKey = tuple[str, str]
"""A parameter's ``in``, and its name (of a path parameter: its position)."""


def collect_parameters(
    path: str, item: DocumentNode, operation: DocumentNode
) -> dict[ParameterKey, DocumentNode]:
    """Collect the parameters of a path item and of its operation, which win.

    Path parameters are keyed by position: renaming one does not affect clients.
    """
    names = re.findall(r"\{([^{}]*)\}", path)
    parameters: dict[ParameterKey, DocumentNode] = {}
    for owner in (item, operation):
        for node in owner.iter_list("parameters"):
            location, name = str(node.get_value("in")), str(node.get_value("name"))
            if location == "header":
                # Header names are case-insensitive (RFC 9110, 5.1).
                name = name.lower()
                if name in RESERVED_HEADERS:
                    continue
            if location == "path" and name in names:
                name = str(names.index(name))
            parameters[location, name] = node
    return parameters


def compare_parameters(
    old: Mapping[ParameterKey, DocumentNode],
    new: Mapping[ParameterKey, DocumentNode],
    schemas: SchemaComparer,
    report: ChangeReporter,
) -> None:
    """Report added, removed and changed parameters. Raises ``DocumentError``."""
    for key, node in old.items():
        if key not in new:
            report("parameter-removed", _format_location(node), node, "gone")
    for key, node in new.items():
        if key in old:
            _compare_parameter(old[key], node, schemas, report)
        elif node.get_value("required"):
            report("parameter-required-added", _format_location(node), node, "new, and required")
        else:
            report("parameter-added", _format_location(node), node, "new")


def _compare_parameter(
    old: DocumentNode, new: DocumentNode, schemas: SchemaComparer, report: ChangeReporter
) -> None:
    location = _format_location(new)
    if old.get_value("name") != new.get_value("name") and new.get_value("in") == "path":
        report("parameter-renamed", location, new, f"{old.get_value('name')} before")
    was, is_ = bool(old.get_value("required")), bool(new.get_value("required"))
    if was != is_:
        word = "required" if is_ else "optional"
        report(f"parameter-became-{word}", location, new, f"now {word}")
    if new.get_value("deprecated") and not old.get_value("deprecated"):
        report("parameter-deprecated", location, new, "deprecated")
    before, after = _get_schema(old), _get_schema(new)
    is_joinable = _can_be_joined(before) and _can_be_joined(after)
    styles = [_describe_style(node, is_joinable=is_joinable) for node in (old, new)]
    if styles[0] != styles[1]:
        report("parameter-style-changed", location, new, " -> ".join(styles))
    schemas.compare(before, after, location)


def _format_location(node: DocumentNode) -> str:
    return f"{node.get_value('in')}.{node.get_value('name')}"


def _get_schema(node: DocumentNode) -> SchemaNodes:
    # A parameter has a schema, or exactly one media type.
    for _, content in node.iter_members("content"):
        return get_schema(content)
    return get_schema(node)


def _can_be_joined(schema: SchemaNodes) -> bool:
    """Whether a value can be an array or object, so that ``explode`` matters."""
    types: Json = read_constraints(schema).facets.get("type")
    return not types or bool(types & {"array", "object"})


def _describe_style(node: DocumentNode, *, is_joinable: bool) -> str:
    for media_type in node.get_value("content", {}):
        return str(media_type)
    default = "form" if node.get_value("in") in {"query", "cookie"} else "simple"
    style = str(node.get_value("style", default))
    explode = node.get_value("explode", style == "form")
    return f"{style}, {'exploded' if explode else 'joined'}" if is_joinable else style
