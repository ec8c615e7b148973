"""What runs within schemathesis when a server is verified: the second judge."""

from collections import Counter
from functools import cache
from typing import Any

import schemathesis

from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.checks.operation_spec import OperationSpec
from soundstage.tools.openapi_core.validator import OpenApiCoreValidator
from soundstage.tools.schemathesis.hooks import (
    Case,
    emit,
    load_operations,
    record_exchange,
)
from soundstage.tools.verify.excerpts import (
    create_redactor,
    create_value_redactor,
    serialize_redacted,
)
from soundstage.tools.verify.findings import Finding, FindingKey, validate_exchange

REPORTED: Counter[FindingKey] = Counter()
"""Findings that were told already."""


@cache
def _create_validator() -> OpenApiCoreValidator:
    return OpenApiCoreValidator(load_operations().document)


def _report_findings(exchange: RecordedExchange, operation: OperationSpec) -> None:
    mask = create_redactor(operation.document)
    for key, message in validate_exchange(_create_validator(), operation, exchange):
        REPORTED[key] += 1
        example = serialize_redacted(exchange, mask) if REPORTED[key] == 1 else {}
        text = create_value_redactor(exchange, mask).redact_text(message)
        emit(event="finding", finding=Finding(key, text, example).to_json())


@schemathesis.hook
def before_call(_context: Any, case: Case, _kwargs: dict[str, Any]) -> None:
    """Let nothing out that is not in the document: it has been cut to what is safe."""
    operation = load_operations().operations.get(case.operation.label)
    if operation is None or case.method != operation.method.upper():
        raise RuntimeError(f"{case.method} {case.path} is not to be sent")


@schemathesis.check
def answer_judged(_context: Any, response: schemathesis.Response, case: Case) -> None:
    """Every answer, held against the contract. What is wrong is told, not raised."""
    operation = load_operations().operations.get(case.operation.label)
    if operation is not None:
        _report_findings(record_exchange(response), operation)
