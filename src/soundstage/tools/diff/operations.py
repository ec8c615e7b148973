"""Two versions of an operation, compared: what it takes and what it gives."""

from soundstage.openapi.body import essence
from soundstage.tools.diff.changes import REQUEST, RESPONSE
from soundstage.tools.diff.constraints import get_schema
from soundstage.tools.diff.node import DocumentNode
from soundstage.tools.diff.parameters import collect_parameters, compare_parameters
from soundstage.tools.diff.schemas import ChangeReporter, SchemaComparer
from soundstage.tools.diff.security import compare_security


def compare_operations(
    old: tuple[str, DocumentNode, DocumentNode],
    new: tuple[str, DocumentNode, DocumentNode],
    report: ChangeReporter,
) -> None:
    """Report all that differs. Each is (path, path item, operation).

    Raises ``DocumentError``.
    """
    before, after = old[2], new[2]
    was, is_ = before.get_value("operationId"), after.get_value("operationId")
    if was != is_:
        report("operation-id-changed", "", after, f"operationId: {was} -> {is_}")
    if after.get_value("deprecated") and not before.get_value("deprecated"):
        report("operation-deprecated", "", after, "deprecated")
    compare_security(before, after, report)
    schemas = SchemaComparer(REQUEST, report)
    compare_parameters(
        collect_parameters(*old), collect_parameters(*new), schemas, report
    )
    _compare_bodies(before, after, schemas, report)
    _compare_responses(before, after, report)


def _compare_bodies(
    old: DocumentNode,
    new: DocumentNode,
    schemas: SchemaComparer,
    report: ChangeReporter,
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
    before = {essence(name): node for name, node in old.iter_members("content")}
    after = {essence(name): node for name, node in new.iter_members("content")}
    rule = f"{schemas.direction}-media-type"
    for name, node in before.items():
        if name not in after:
            report(f"{rule}-removed", location, node, name)
            continue
        schemas.compare(get_schema(node), get_schema(after[name]), location)
    for name, node in after.items():
        if name not in before:
            report(f"{rule}-added", location, node, name)


def _compare_responses(
    old: DocumentNode, new: DocumentNode, report: ChangeReporter
) -> None:
    before, after = (
        dict(old.iter_members("responses")),
        dict(new.iter_members("responses")),
    )
    for status, node in before.items():
        at = f"answer.{status}"
        if status not in after:
            report("status-removed", at, node, "gone")
            continue
        schemas = SchemaComparer(RESPONSE, report)
        _compare_contents(node, after[status], at, schemas, report)
        _compare_headers(node, after[status], at, schemas, report)
    for status, node in after.items():
        if status not in before:
            report("status-added", f"answer.{status}", node, "new")


def _compare_headers(
    old: DocumentNode,
    new: DocumentNode,
    location: str,
    schemas: SchemaComparer,
    report: ChangeReporter,
) -> None:
    before = {name.lower(): (name, node) for name, node in old.iter_members("headers")}
    after = {name.lower(): (name, node) for name, node in new.iter_members("headers")}
    for key, (name, node) in before.items():
        place = f"{location}.headers.{name}"
        if key not in after:
            report("answer-header-removed", place, node, "gone")
            continue
        schemas.compare(get_schema(node), get_schema(after[key][1]), place)
    for key, (name, node) in after.items():
        if key not in before:
            report("answer-header-added", f"{location}.headers.{name}", node, "new")
