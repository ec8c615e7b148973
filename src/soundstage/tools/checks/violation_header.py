"""Soundstage tells what broke the contract, and tells the truth."""

import json

from soundstage.tools.checks.context import CheckContext
from soundstage.types import Document

VIOLATIONS_HEADER = "soundstage-violations"

_STATUSES_BY_RULE = {"security": {401, 403}, "route": {404}, "method": {405}}
"""What the refusals of some rules are answered with."""


def violations_are_told(context: CheckContext) -> str | None:
    """``Soundstage-Violations`` on a good answer, or with something that is not so.

    Servers that are not ours send no such header.
    """
    text = context.get_header(VIOLATIONS_HEADER)
    if not text:
        return None
    if context.is_success:
        return f"it is answered, and violations are told: {text[:200]}"
    try:
        told = json.loads(text)
    except ValueError:
        return f"the violations are no JSON: {text[:200]}"
    for violation in told:
        if wrong := _find_contradiction(context, violation):
            return f"{wrong}: {json.dumps(violation)}"
    return None


def _find_contradiction(context: CheckContext, violation: Document) -> str | None:
    if "more" in violation:
        return None
    rule, name = violation.get("rule", ""), violation.get("name")
    statuses = _STATUSES_BY_RULE.get(rule)
    if statuses and context.exchange.status not in statuses:
        return f"{rule} is told, and the status is {context.exchange.status}"
    in_query = violation.get("in") == "query" and name
    sent = any(n == name or n.startswith(f"{name}[") for n, _ in context.query)
    if in_query and sent == (rule == "required"):
        return "a parameter is blamed that was " + ("sent" if sent else "not sent")
    return None
