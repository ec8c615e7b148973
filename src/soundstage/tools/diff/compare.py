"""Compare two OpenAPI documents, operation by operation."""

import re
from collections.abc import Iterator, Mapping
from typing import TypeVar

from soundstage.openapi.body import essence
from soundstage.openapi.contract import METHODS
from soundstage.openapi.errors import DocumentError
from soundstage.tools.diff.changes import REQUEST, RESPONSE, ContractChange
from soundstage.tools.diff.constraints import get_schema
from soundstage.tools.diff.node import DocumentNode
from soundstage.tools.diff.parameters import collect_parameters, compare_parameters
from soundstage.tools.diff.schemas import ChangeReporter, SchemaComparer
from soundstage.tools.diff.security import compare_schemes, compare_security
from soundstage.types import JsonObject

OperationKey = tuple[str, str]
"""A path template with empty parameter names, and a method."""

OperationEntry = tuple[str, DocumentNode, DocumentNode]
"""A path, its path item, and an operation."""

K = TypeVar("K")
V = TypeVar("V")


def compare(old: JsonObject, new: JsonObject) -> list[ContractChange]:
    """Return all changes, the breaking ones first. Raises ``DocumentError``.

    >>> old = {"openapi": "3.1.0", "servers": [{"url": "/a"}], "paths": {}}
    >>> new = {**old, "servers": [{"url": "/b"}]}
    >>> [change.rule for change in compare(old, new)]
    ['server-removed', 'server-added']
    """
    try:
        changes = _compare_documents(
            DocumentNode(old, "old", "", old), DocumentNode(new, "new", "", new)
        )
    # Malformed documents fail where they are read: validating both first costs more.
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        message = f"one document is malformed (run soundstage check): {error!r}"
        raise DocumentError(message) from error
    return sorted(changes, key=lambda change: not change.is_breaking)


def _compare_documents(old: DocumentNode, new: DocumentNode) -> list[ContractChange]:
    changes: list[ContractChange] = []
    report = _create_reporter(changes, "")
    _compare_servers(old, new, report)
    compare_schemes(old, new, report)
    operations = _pair(dict(_iter_operations(old)), dict(_iter_operations(new)))
    for before, after in operations:
        entry = after or before
        if entry is None:
            continue
        report = _create_reporter(changes, _get_operation_name(entry))
        if before and after:
            _compare_operations(before, after, report)
        else:
            rule = "operation-added" if after else "operation-removed"
            report(rule, "", entry[2], _format_label(entry))
    return changes


def _pair(old: Mapping[K, V], new: Mapping[K, V]) -> Iterator[tuple[V | None, V | None]]:
    """Pair values by key: all of ``old`` in its order, then the rest of ``new``."""
    for key in {**old, **new}:
        yield old.get(key), new.get(key)


def _create_reporter(changes: list[ContractChange], operation: str) -> ChangeReporter:
    def report(rule: str, location: str, node: DocumentNode, message: str) -> None:
        change = ContractChange(rule, operation, location, node.pointer, node.revision, message)
        # Shared schemas repeat a change at once; a longer search would be quadratic.
        if change not in changes[-50:]:
            changes.append(change)

    return report


def _iter_operations(document: DocumentNode) -> Iterator[tuple[OperationKey, OperationEntry]]:
    for path, item in document.iter_members("paths"):
        for method in METHODS:
            if operation := item.get(method):
                # With another parameter name it is still the same operation.
                template = re.sub(r"\{[^{}]*\}", "{}", path)
                yield (template, method), (path, item, operation)


def _get_operation_name(entry: OperationEntry) -> str:
    return str(entry[2].get_value("operationId") or _format_label(entry))


def _format_label(entry: OperationEntry) -> str:
    path, _, operation = entry
    return f"{operation.pointer.rpartition('/')[2].upper()} {path}"


def _compare_servers(old: DocumentNode, new: DocumentNode, report: ChangeReporter) -> None:
    before = {str(node.get_value("url")): node for node in old.iter_list("servers")}
    after = {str(node.get_value("url")): node for node in new.iter_list("servers")}
    for removed, added in _pair(before, after):
        if removed and not added:
            report("server-removed", "servers", removed, str(removed.get_value("url")))
        elif added and not removed:
            report("server-added", "servers", added, str(added.get_value("url")))


def _compare_operations(old: OperationEntry, new: OperationEntry, report: ChangeReporter) -> None:
    before, after = old[2], new[2]
    was, is_ = before.get_value("operationId"), after.get_value("operationId")
    if was != is_:
        report("operation-id-changed", "", after, f"operationId: {was} -> {is_}")
    if after.get_value("deprecated") and not before.get_value("deprecated"):
        report("operation-deprecated", "", after, "deprecated")
    compare_security(before, after, report)
    schemas = SchemaComparer(REQUEST, report)
    parameters = collect_parameters(*old), collect_parameters(*new)
    compare_parameters(*parameters, schemas, report)
    _compare_bodies(before, after, schemas, report)
    _compare_responses(before, after, report)


def _compare_bodies(
    old: DocumentNode, new: DocumentNode, schemas: SchemaComparer, report: ChangeReporter
) -> None:
    before, after = old.get("requestBody"), new.get("requestBody")
    if before and after:
        was, is_ = bool(before.get_value("required")), bool(after.get_value("required"))
        if was != is_:
            word = "required" if is_ else "optional"
            report(f"body-became-{word}", "body", after, f"now {word}")
        _compare_contents(before, after, "body", schemas, report)
    elif before:
        report("body-removed", "body", before, "gone")
    elif after:
        required = "required-" if after.get_value("required") else ""
        report(f"body-{required}added", "body", after, "new")


def _compare_contents(
    old: DocumentNode,
    new: DocumentNode,
    location: str,
    schemas: SchemaComparer,
    report: ChangeReporter,
) -> None:
    """Compare media types, without their parameters, and their schemas."""
    contents = (
        {essence(name): (essence(name), node) for name, node in owner.iter_members("content")}
        for owner in (old, new)
    )
    rule = f"{schemas.direction}-media-type"
    for before, after in _pair(*contents):
        if before and after:
            schemas.compare(get_schema(before[1]), get_schema(after[1]), location)
        elif before:
            report(f"{rule}-removed", location, before[1], before[0])
        elif after:
            report(f"{rule}-added", location, after[1], after[0])


def _compare_responses(old: DocumentNode, new: DocumentNode, report: ChangeReporter) -> None:
    responses = (
        {status: (status, node) for status, node in owner.iter_members("responses")}
        for owner in (old, new)
    )
    for before, after in _pair(*responses):
        if before and after:
            location = f"{RESPONSE}.{before[0]}"
            schemas = SchemaComparer(RESPONSE, report)
            _compare_contents(before[1], after[1], location, schemas, report)
            _compare_headers(before[1], after[1], location, schemas, report)
        elif before:
            report("status-removed", f"{RESPONSE}.{before[0]}", before[1], "gone")
        elif after:
            report("status-added", f"{RESPONSE}.{after[0]}", after[1], "new")


def _compare_headers(
    old: DocumentNode,
    new: DocumentNode,
    location: str,
    schemas: SchemaComparer,
    report: ChangeReporter,
) -> None:
    headers = (
        {
            name.lower(): (f"{location}.headers.{name}", node)
            for name, node in owner.iter_members("headers")
        }
        for owner in (old, new)
    )
    for before, after in _pair(*headers):
        if before and after:
            schemas.compare(get_schema(before[1]), get_schema(after[1]), before[0])
        elif before:
            report("answer-header-removed", before[0], before[1], "gone")
        elif after:
            report("answer-header-added", after[0], after[1], "new")
