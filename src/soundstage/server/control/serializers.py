"""JSON of exchanges and of coverage, as the control API returns it."""

import base64
from collections.abc import Iterable

from soundstage.exchange.coverage import OperationCoverage
from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.payload import Payload
from soundstage.openapi.enums import EnumValue
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339


def serialize_entry(entry: JournalEntry) -> JsonObject:
    """Serialize a whole exchange."""
    return {
        **_serialize_summary(entry),
        "wall": format_rfc3339(entry.wall_time),
        "took_ms": entry.duration_ms,
        "parameters": dict(entry.parameters),
        "headers": _serialize_headers(entry.request_headers),
        "body": _serialize_body(entry.request_body),
        "answer_headers": _serialize_headers(entry.response_headers),
        "answer_body": _serialize_body(entry.response_body),
        "violations": _serialize_violation_list(entry),
        "fault": entry.fault,
    }


def serialize_violations(entry: JournalEntry) -> JsonObject:
    """Serialize an exchange briefly, with its violations."""
    return {**_serialize_summary(entry), "violations": _serialize_violation_list(entry)}


def serialize_coverage(operations: Iterable[OperationCoverage]) -> JsonObject:
    """Serialize the coverage of operations."""
    return {"operations": [_serialize_operation(each) for each in operations]}


def _serialize_operation(operation: OperationCoverage) -> JsonObject:
    return {
        "api": operation.api,
        "operation": operation.operation,
        "method": operation.method,
        "path": operation.path,
        "calls": operation.calls,
        "statuses": {
            "seen": list(operation.statuses),
            "unseen": list(operation.uncovered_statuses),
            "undocumented": list(operation.undocumented_statuses),
        },
        "parameters": {
            "seen": list(operation.parameters),
            "unseen": list(operation.uncovered_parameters),
        },
        "values": {
            "seen": [_serialize_value(value) for value in operation.values],
            "unseen": [_serialize_value(value) for value in operation.uncovered_values],
        },
    }


def _serialize_value(value: EnumValue) -> JsonObject:
    return {"at": value.path, "value": value.value}


def _serialize_summary(entry: JournalEntry) -> JsonObject:
    return {
        "number": entry.number,
        "at": format_rfc3339(entry.timestamp),
        "api": entry.api,
        "operation": entry.operation,
        "method": entry.method,
        "path": entry.path,
        "status": entry.status,
    }


def _serialize_violation_list(entry: JournalEntry) -> list[JsonObject]:
    return [violation.to_json() for violation in entry.violations]


def _serialize_headers(headers: Iterable[tuple[str, str]]) -> list[JsonObject]:
    return [{"name": name, "value": value} for name, value in headers]


def _serialize_body(body: Payload) -> JsonObject | None:
    """Serialize a body: as JSON if it is, else as text, else in Base64."""
    if not body.size:
        return None
    result = {"size": body.size, "media_type": body.media_type, "cut": body.is_truncated}
    if (value := body.json) is not None:
        return {**result, "json": value}
    if (text := body.text) is not None:
        return {**result, "text": text}
    return {**result, "base64": base64.b64encode(body.data).decode()}
