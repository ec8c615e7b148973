"""Two OpenAPI documents, compared, operation by operation."""

import re
from collections.abc import Iterator

from soundstage.openapi.contract import METHODS
from soundstage.openapi.errors import DocumentError
from soundstage.tools.diff.changes import ContractChange
from soundstage.tools.diff.node import DocumentNode
from soundstage.tools.diff.operations import compare_operations
from soundstage.tools.diff.schemas import ChangeReporter
from soundstage.tools.diff.security import compare_schemes
from soundstage.types import Document

OperationKey = tuple[str, str]
"""A path without the names in it, and a method."""

OperationEntry = tuple[str, DocumentNode, DocumentNode]
"""A path, its path item, and an operation."""


def compare(old: Document, new: Document) -> list[ContractChange]:
    """All changes, those first that break clients. Raises ``DocumentError``."""
    try:
        changes = _compare_documents(
            DocumentNode(old, "old", "", old), DocumentNode(new, "new", "", new)
        )
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"one of the two is malformed (soundstage check says more): {error!r}"
        raise DocumentError(message) from error
    return sorted(changes, key=lambda change: not change.is_breaking)


def _compare_documents(old: DocumentNode, new: DocumentNode) -> list[ContractChange]:
    changes: list[ContractChange] = []
    _compare_servers(old, new, _create_reporter(changes, ""))
    compare_schemes(old, new, _create_reporter(changes, ""))
    there, now = dict(_iter_operations(old)), dict(_iter_operations(new))
    for key, place in there.items():
        report = _create_reporter(changes, _get_operation_name(now.get(key, place)))
        if key in now:
            compare_operations(place, now[key], report)
        else:
            report("operation-removed", "", place[2], _format_label(place))
    for key, place in now.items():
        if key not in there:
            report = _create_reporter(changes, _get_operation_name(place))
            report("operation-added", "", place[2], _format_label(place))
    return changes


def _create_reporter(changes: list[ContractChange], operation: str) -> ChangeReporter:
    def report(rule: str, location: str, node: DocumentNode, message: str) -> None:
        change = ContractChange(
            rule, operation, location, node.pointer, node.revision, message
        )
        if change not in changes[-50:]:
            changes.append(change)

    return report


def _iter_operations(
    document: DocumentNode,
) -> Iterator[tuple[OperationKey, OperationEntry]]:
    for path, item in document.iter_members("paths"):
        for method in METHODS:
            if operation := item.get(method):
                bare = re.sub(r"\{[^{}]*\}", "{}", path)
                yield (bare, method), (path, item, operation)


def _get_operation_name(entry: OperationEntry) -> str:
    return str(entry[2].get_value("operationId") or _format_label(entry))


def _format_label(entry: OperationEntry) -> str:
    path, _, operation = entry
    return f"{operation.pointer.rpartition('/')[2].upper()} {path}"


def _compare_servers(
    old: DocumentNode, new: DocumentNode, report: ChangeReporter
) -> None:
    before = {str(node.get_value("url")): node for node in old.iter_list("servers")}
    after = {str(node.get_value("url")): node for node in new.iter_list("servers")}
    for url, node in before.items():
        if url not in after:
            report("server-removed", "servers", node, url)
    for url, node in after.items():
        if url not in before:
            report("server-added", "servers", node, url)
