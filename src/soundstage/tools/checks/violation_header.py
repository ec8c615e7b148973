"""Check of the header in which Soundstage lists the violations of a request."""

import json

from soundstage.tools.checks.context import CheckContext
from soundstage.types import JsonObject

VIOLATIONS_HEADER = "soundstage-violations"

_STATUSES_BY_RULE = {"security": {401, 403}, "route": {404}, "method": {405}}
"""Response statuses that belong to a violated rule."""


def check_violation_header(context: CheckContext) -> str | None:
    """Check that ``Soundstage-Violations`` agrees with the request and the response.

    Other servers do not send this header.
    """
    text = context.get_header(VIOLATIONS_HEADER)
    if not text:
        return None
    if context.is_success:
        return f"a successful response lists violations: {text[:200]}"
    try:
        violations = json.loads(text)
    except ValueError:
        return f"the violations are not JSON: {text[:200]}"
    for violation in violations:
        if contradiction := _find_contradiction(context, violation):
            return f"{contradiction}: {json.dumps(violation)}"
    return None


def _find_contradiction(context: CheckContext, violation: JsonObject) -> str | None:
    # A long header ends with the number of omitted violations.
    if "more" in violation:
        return None
    rule, name = violation.get("rule", ""), violation.get("name")
    statuses = _STATUSES_BY_RULE.get(rule)
    if statuses and context.exchange.status not in statuses:
        return f"{rule} is violated, but the status is {context.exchange.status}"
    in_query = violation.get("in") == "query" and name
    is_sent = any(n == name or n.startswith(f"{name}[") for n, _ in context.query)
    if in_query and is_sent == (rule == "required"):
        return f"the query parameter was {'sent' if is_sent else 'not sent'}"
    return None
