"""Two OpenAPI documents, compared, operation by operation."""

import re
from collections.abc import Iterator

from soundstage.contract.contract import METHODS
from soundstage.contract.violation import DocumentError
from soundstage.testing.diff.access import compare_schemes
from soundstage.testing.diff.change import Change
from soundstage.testing.diff.node import Node
from soundstage.testing.diff.operations import compare_operations
from soundstage.testing.diff.schemas import Report
from soundstage.types import Document

Key = tuple[str, str]
"""A path without the names in it, and a method."""

Place = tuple[str, Node, Node]
"""A path, its path item, and an operation."""


def compare(old: Document, new: Document) -> list[Change]:
    """All changes, those first that break clients. Raises ``DocumentError``."""
    try:
        changes = _compared(Node(old, "old", "", old), Node(new, "new", "", new))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"one of the two is malformed (soundstage check says more): {error!r}"
        raise DocumentError(message) from error
    return sorted(changes, key=lambda change: not change.breaking)


def _compared(before: Node, after: Node) -> list[Change]:
    changes: list[Change] = []
    _compare_servers(before, after, _reporting(changes, ""))
    compare_schemes(before, after, _reporting(changes, ""))
    there, now = dict(_operations(before)), dict(_operations(after))
    for key, place in there.items():
        report = _reporting(changes, _name(now.get(key, place)))
        if key in now:
            compare_operations(place, now[key], report)
        else:
            report("operation-removed", "", place[2], _title(place))
    for key, place in now.items():
        if key not in there:
            report = _reporting(changes, _name(place))
            report("operation-added", "", place[2], _title(place))
    return changes


def _reporting(changes: list[Change], operation: str) -> Report:
    def report(rule: str, at: str, node: Node, message: str) -> None:
        change = Change(rule, operation, at, node.pointer, node.which, message)
        if change not in changes[-50:]:
            changes.append(change)

    return report


def _operations(document: Node) -> Iterator[tuple[Key, Place]]:
    for path, item in document.items("paths"):
        for method in METHODS:
            if operation := item.get(method):
                bare = re.sub(r"\{[^{}]*\}", "{}", path)
                yield (bare, method), (path, item, operation)


def _name(place: Place) -> str:
    return str(place[2].field("operationId") or _title(place))


def _title(place: Place) -> str:
    path, _, operation = place
    return f"{operation.pointer.rpartition('/')[2].upper()} {path}"


def _compare_servers(old: Node, new: Node, report: Report) -> None:
    before = {str(node.field("url")): node for node in old.list("servers")}
    after = {str(node.field("url")): node for node in new.list("servers")}
    for url, node in before.items():
        if url not in after:
            report("server-removed", "servers", node, url)
    for url, node in after.items():
        if url not in before:
            report("server-added", "servers", node, url)
