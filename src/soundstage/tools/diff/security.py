"""Who may call an operation, compared."""

from collections.abc import Iterator

from soundstage.tools.diff.node import DocumentNode
from soundstage.tools.diff.schemas import ChangeReporter

Requirement = frozenset[tuple[str, ...]]
"""Schemes, and scopes as (scheme, scope), all of which are needed."""


def compare_security(
    old: DocumentNode, new: DocumentNode, report: ChangeReporter
) -> None:
    """Compare the requirements of an operation, any one of which is enough."""
    before, after = dict(_iter_requirements(old)), dict(_iter_requirements(new))
    for asked, node in before.items():
        if not any(other <= asked for other in after):
            where = _find_security_node(new)
            message = f"{_format_requirement(asked)} is not enough any more"
            report("security-removed", "security", where or node, message)
    for asked, node in after.items():
        if not any(other <= asked for other in before):
            message = f"{_format_requirement(asked)} is enough, too"
            report("security-added", "security", node, message)


def compare_schemes(
    old: DocumentNode, new: DocumentNode, report: ChangeReporter
) -> None:
    """Compare how credentials are presented."""
    after = dict(new.iter_members("components", "securitySchemes"))
    for name, scheme in old.iter_members("components", "securitySchemes"):
        if name not in after:
            continue  # operations that need it say so
        for key in ("type", "scheme", "in", "name", "openIdConnectUrl"):
            was, is_ = scheme.get_value(key), after[name].get_value(key)
            if str(was).lower() != str(is_).lower():
                at, message = f"security.{name}", f"{key}: {was} -> {is_}"
                report("security-scheme-changed", at, after[name], message)


def _iter_requirements(
    operation: DocumentNode,
) -> Iterator[tuple[Requirement, DocumentNode]]:
    place = _find_security_node(operation)
    if place is None or not place.value:
        yield frozenset(), place or operation
        return
    for i, asked in enumerate(place.value):
        scopes = {(name, scope) for name, all_ in asked.items() for scope in all_}
        schemes: set[tuple[str, ...]] = {(name,) for name in asked}
        yield frozenset(schemes | scopes), place.child(i)


def _find_security_node(operation: DocumentNode) -> DocumentNode | None:
    """An operation's own requirements, or else the document's."""
    whole = DocumentNode(operation.document, operation.revision, "", operation.document)
    return operation.get("security") or whole.get("security")


def _format_requirement(requirement: Requirement) -> str:
    return " and ".join(" ".join(one) for one in sorted(requirement)) or "no credential"
