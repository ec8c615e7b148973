"""Who may call an operation, compared."""

from collections.abc import Iterator

from soundstage.testing.diff.node import Node
from soundstage.testing.diff.schemas import Report

Requirement = frozenset[tuple[str, ...]]
"""Schemes, and scopes as (scheme, scope), all of which are needed."""


def compare_security(old: Node, new: Node, report: Report) -> None:
    """Compare the requirements of an operation, any one of which is enough."""
    before, after = dict(_requirements(old)), dict(_requirements(new))
    for asked, node in before.items():
        if not any(other <= asked for other in after):
            where = _place(new)
            message = f"{_shown(asked)} is not enough any more"
            report("security-removed", "security", where or node, message)
    for asked, node in after.items():
        if not any(other <= asked for other in before):
            message = f"{_shown(asked)} is enough, too"
            report("security-added", "security", node, message)


def compare_schemes(old: Node, new: Node, report: Report) -> None:
    """Compare how credentials are presented."""
    after = dict(new.items("components", "securitySchemes"))
    for name, scheme in old.items("components", "securitySchemes"):
        if name not in after:
            continue  # operations that need it say so
        for key in ("type", "scheme", "in", "name", "openIdConnectUrl"):
            was, is_ = scheme.field(key), after[name].field(key)
            if str(was).lower() != str(is_).lower():
                at, message = f"security.{name}", f"{key}: {was} -> {is_}"
                report("security-scheme-changed", at, after[name], message)


def _requirements(operation: Node) -> Iterator[tuple[Requirement, Node]]:
    place = _place(operation)
    if place is None or not place.value:
        yield frozenset(), place or operation
        return
    for i, asked in enumerate(place.value):
        scopes = {(name, scope) for name, all_ in asked.items() for scope in all_}
        schemes: set[tuple[str, ...]] = {(name,) for name in asked}
        yield frozenset(schemes | scopes), place.step(i)


def _place(operation: Node) -> Node | None:
    """An operation's own requirements, or else the document's."""
    whole = Node(operation.document, operation.which, "", operation.document)
    return operation.get("security") or whole.get("security")


def _shown(asked: Requirement) -> str:
    return " and ".join(" ".join(one) for one in sorted(asked)) or "no credential"
