"""Soundstage tells what broke the contract, and tells the truth."""

import json

from soundstage.testing.semantics.seen import Seen
from soundstage.types import Document

HEADER = "soundstage-violations"

_STATUSES = {"security": {401, 403}, "route": {404}, "method": {405}}
"""What the refusals of some rules are answered with."""


def violations_are_told(seen: Seen) -> str | None:
    """``Soundstage-Violations`` on a good answer, or with something that is not so.

    Servers that are not ours send no such header.
    """
    text = seen.header(HEADER)
    if not text:
        return None
    if seen.ok:
        return f"it is answered, and violations are told: {text[:200]}"
    try:
        told = json.loads(text)
    except ValueError:
        return f"the violations are no JSON: {text[:200]}"
    for violation in told:
        if wrong := _untrue(seen, violation):
            return f"{wrong}: {json.dumps(violation)}"
    return None


def _untrue(seen: Seen, violation: Document) -> str | None:
    if "more" in violation:
        return None
    rule, name = violation.get("rule", ""), violation.get("name")
    statuses = _STATUSES.get(rule)
    if statuses and seen.exchange.status not in statuses:
        return f"{rule} is told, and the status is {seen.exchange.status}"
    in_query = violation.get("in") == "query" and name
    sent = any(n == name or n.startswith(f"{name}[") for n, _ in seen.query)
    if in_query and sent == (rule == "required"):
        return "a parameter is blamed that was " + ("sent" if sent else "not sent")
    return None
