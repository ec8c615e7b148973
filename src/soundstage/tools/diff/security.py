"""Compare security requirements and security schemes."""

from collections.abc import Iterator

from soundstage.tools.diff.node import DocumentNode
from soundstage.tools.diff.schemas import ChangeReporter

Requirement = frozenset[tuple[str, ...]]
"""Schemes (``(scheme,)``) and scopes (``(scheme, scope)``) that are all required."""


def compare_security(old: DocumentNode, new: DocumentNode, report: ChangeReporter) -> None:
    """Compare the requirements of an operation; satisfying one of them is enough."""
    before, after = dict(_iter_requirements(old)), dict(_iter_requirements(new))
    for requirement, node in before.items():
        # A client that satisfies a requirement also satisfies each subset of it.
        if not any(other <= requirement for other in after):
            security = _find_security_node(new)
            message = f"{_format_requirement(requirement)} is not enough any more"
            report("security-removed", "security", security or node, message)
    for requirement, node in after.items():
        if not any(other <= requirement for other in before):
            message = f"{_format_requirement(requirement)} is enough, too"
            report("security-added", "security", node, message)


def compare_schemes(old: DocumentNode, new: DocumentNode, report: ChangeReporter) -> None:
    """Compare the security schemes: where and how credentials are sent."""
    after = dict(new.iter_members("components", "securitySchemes"))
    for name, scheme in old.iter_members("components", "securitySchemes"):
        if name not in after:
            continue  # reported by compare_security for each operation that uses it
        for key in ("type", "scheme", "in", "name", "openIdConnectUrl"):
            was, is_ = scheme.get_value(key), after[name].get_value(key)
            # Names of HTTP schemes and headers are case-insensitive (RFC 9110).
            if str(was).lower() != str(is_).lower():
                location, message = f"security.{name}", f"{key}: {was} -> {is_}"
                report("security-scheme-changed", location, after[name], message)


def _iter_requirements(operation: DocumentNode) -> Iterator[tuple[Requirement, DocumentNode]]:
    security = _find_security_node(operation)
    if security is None or not security.value:
        yield frozenset(), security or operation
        return
    for i, node in enumerate(security.value):
        scopes = {(name, scope) for name, names in node.items() for scope in names}
        schemes: set[tuple[str, ...]] = {(name,) for name in node}
        yield frozenset(schemes | scopes), security.child(i)


def _find_security_node(operation: DocumentNode) -> DocumentNode | None:
    """Return the requirements of the operation, or else those of the document."""
    root = DocumentNode(operation.document, operation.revision, "", operation.document)
    return operation.get("security") or root.get("security")


def _format_requirement(requirement: Requirement) -> str:
    return " and ".join(" ".join(part) for part in sorted(requirement)) or "no credential"
