"""Hooks inside schemathesis for verification: openapi-core validates each response."""

from collections import Counter
from functools import cache
from typing import Any

import schemathesis

from soundstage.tools.openapi_core import OpenApiCoreValidator
from soundstage.tools.schemathesis.hooks import Case, emit, load_operations, record_exchange
from soundstage.tools.verify.findings import (
    FindingKey,
    create_finding,
    create_redactor,
    validate_exchange,
)

REPORTED: Counter[FindingKey] = Counter()
"""Emitted findings; only the first of each has an example."""


@cache
def _create_validator() -> OpenApiCoreValidator:
    return OpenApiCoreValidator(load_operations().document)


@schemathesis.hook
def before_call(_context: Any, case: Case, _kwargs: dict[str, Any]) -> None:
    """Prevent requests outside the document: it has only permitted operations."""
    operation = load_operations().operations.get(case.operation.label)
    if operation is None or case.method != operation.method.upper():
        raise RuntimeError(f"{case.method} {case.path} must not be sent")


@schemathesis.check
def response_matches_contract(_context: Any, response: schemathesis.Response, case: Case) -> None:
    """Emit the findings of a response; never raise, so that each one is counted."""
    operation = load_operations().operations.get(case.operation.label)
    if operation is None:
        return
    exchange = record_exchange(response)
    redactor = create_redactor(operation.document)
    for key, message in validate_exchange(_create_validator(), operation, exchange):
        is_first = key not in REPORTED
        REPORTED[key] += 1
        finding = create_finding(key, message, exchange, redactor, has_example=is_first)
        emit(event="finding", finding=finding.to_json())
