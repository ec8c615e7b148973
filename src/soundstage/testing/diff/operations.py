"""Two versions of an operation, compared: what it takes and what it gives."""

from soundstage.contract.body import essence
from soundstage.testing.diff.access import compare_security
from soundstage.testing.diff.change import ANSWER, REQUEST
from soundstage.testing.diff.node import Node
from soundstage.testing.diff.parameters import compare_parameters, parameters_of
from soundstage.testing.diff.schemas import Report, Schemas
from soundstage.testing.diff.shape import schema_in


def compare_operations(
    old: tuple[str, Node, Node], new: tuple[str, Node, Node], report: Report
) -> None:
    """Report all that differs. Each is (path, path item, operation).

    Raises ``DocumentError``.
    """
    before, after = old[2], new[2]
    was, is_ = before.field("operationId"), after.field("operationId")
    if was != is_:
        report("operation-id-changed", "", after, f"operationId: {was} -> {is_}")
    if after.field("deprecated") and not before.field("deprecated"):
        report("operation-deprecated", "", after, "deprecated")
    compare_security(before, after, report)
    schemas = Schemas(REQUEST, report)
    compare_parameters(parameters_of(*old), parameters_of(*new), schemas, report)
    _compare_bodies(before, after, schemas, report)
    _compare_answers(before, after, report)


def _compare_bodies(old: Node, new: Node, schemas: Schemas, report: Report) -> None:
    before, after = old.get("requestBody"), new.get("requestBody")
    if before and after:
        was, is_ = bool(before.field("required")), bool(after.field("required"))
        if was != is_:
            word = "required" if is_ else "optional"
            report(f"body-became-{word}", "body", after, f"now {word}")
        _compare_contents(before, after, "body", schemas, report)
    elif before:
        report("body-removed", "body", before, "gone")
    elif after:
        required = "required-" if after.field("required") else ""
        report(f"body-{required}added", "body", after, "new")


def _compare_contents(
    old: Node, new: Node, at: str, schemas: Schemas, report: Report
) -> None:
    before = {essence(name): node for name, node in old.items("content")}
    after = {essence(name): node for name, node in new.items("content")}
    rule = f"{schemas.side}-media-type"
    for name, node in before.items():
        if name not in after:
            report(f"{rule}-removed", at, node, name)
            continue
        schemas.compare(schema_in(node), schema_in(after[name]), at)
    for name, node in after.items():
        if name not in before:
            report(f"{rule}-added", at, node, name)


def _compare_answers(old: Node, new: Node, report: Report) -> None:
    before, after = dict(old.items("responses")), dict(new.items("responses"))
    for status, node in before.items():
        at = f"answer.{status}"
        if status not in after:
            report("status-removed", at, node, "gone")
            continue
        schemas = Schemas(ANSWER, report)
        _compare_contents(node, after[status], at, schemas, report)
        _compare_headers(node, after[status], at, schemas, report)
    for status, node in after.items():
        if status not in before:
            report("status-added", f"answer.{status}", node, "new")


def _compare_headers(
    old: Node, new: Node, at: str, schemas: Schemas, report: Report
) -> None:
    before = {name.lower(): (name, node) for name, node in old.items("headers")}
    after = {name.lower(): (name, node) for name, node in new.items("headers")}
    for key, (name, node) in before.items():
        place = f"{at}.headers.{name}"
        if key not in after:
            report("answer-header-removed", place, node, "gone")
            continue
        schemas.compare(schema_in(node), schema_in(after[key][1]), place)
    for key, (name, node) in after.items():
        if key not in before:
            report("answer-header-added", f"{at}.headers.{name}", node, "new")
