"""Checks of single records: repeated reads, reads after writes and after deletions."""

import re
from urllib.parse import quote, urlsplit

from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.checks.context import CheckContext, parse_json
from soundstage.tools.checks.operation_spec import normalize_name
from soundstage.types import Json, JsonObject

_DATE_PATTERN = re.compile(r"\d{4}-\d\d-\d\d")

_GONE_STATUSES = frozenset({404, 410})
_WRITE_METHODS = frozenset({"POST", "PUT", "PATCH"})
_ACCEPTED = 202  # processing has not finished (RFC 9110, 15.3.3)


def check_reads(context: CheckContext) -> str | None:
    """Check that a repeated GET request returns the same response."""
    if not context.is_success or context.exchange.method != "GET":
        return None
    # The events of a stream depend on the time of the request.
    if context.get_header("content-type").startswith("text/event-stream"):
        return None
    repeated = context.repeat()
    if repeated.status != context.exchange.status:
        return f"the repeated request has status {repeated.status}"
    if repeated.response_body != context.exchange.response_body:
        return "the repeated request has a different body"
    return None


def check_writes(context: CheckContext) -> str | None:
    """Check that written values can be read.

    The record is read if the document has a GET operation for it: at the same path, or
    below it by the id in the response (or in the request).
    """
    if not _is_completed(context) or context.exchange.method not in _WRITE_METHODS:
        return None
    path = _find_read_path(context)
    if path is None:
        return None
    exchange = context.read_until(
        path, lambda exchange: _compare_with_read(context, exchange) is None
    )
    difference = _compare_with_read(context, exchange)
    return f"after the write, GET {path}: {difference}" if difference else None


def _is_completed(context: CheckContext) -> bool:
    return context.is_success and context.exchange.status != _ACCEPTED


def _compare_with_read(context: CheckContext, read: RecordedExchange) -> str | None:
    if read.status in _GONE_STATUSES:
        return f"status {read.status}"
    record = parse_json(read.response_body)
    # Another error can have another cause, such as missing permission.
    if not 200 <= read.status < 300 or not isinstance(record, dict):  # noqa: PLR2004
        return None
    return _find_difference(_unwrap(context.response_json), record, "returned") or _find_difference(
        _unwrap(context.request_json), record, "sent"
    )


def check_deletes(context: CheckContext) -> str | None:
    """Check that a deleted record cannot be read any more."""
    if not _is_completed(context) or context.exchange.method != "DELETE":
        return None
    template = context.operation.path
    if "{" not in template or not _has_get(context, template):
        return None
    exchange = context.read_until(context.path, lambda exchange: exchange.status in _GONE_STATUSES)
    if 200 <= exchange.status < 300:  # noqa: PLR2004 - HTTP
        return f"after the deletion, GET {context.path}: status {exchange.status}"
    return None


def _find_read_path(context: CheckContext) -> str | None:
    """Find the path at which a written record can be read."""
    if location := context.get_header("location"):
        path = urlsplit(location).path
        return path if context.operations.match("GET", path) else None
    template = context.operation.path
    if context.exchange.method != "POST" and _has_get(context, template):
        return context.path
    for other in context.operations.operations.values():
        parent, _, variable = other.path.rpartition("/")
        if (other.method, parent, variable[:1]) == ("get", template, "{"):
            name = normalize_name(variable.strip("{}"))
            bodies = (context.response_json, context.request_json)
            record_id = next(filter(None, (_find_id(body, name) for body in bodies)), None)
            return f"{context.path}/{quote(record_id, safe='')}" if record_id else None
    return None


def _has_get(context: CheckContext, path: str) -> bool:
    return f"GET {path}" in context.operations.operations


def _find_id(body: Json, name: str) -> str | None:
    """Find the id in a body, or in the only object that it contains."""
    record = _unwrap(body)
    for id_name in (name, "id"):
        for key, value in record.items():
            if normalize_name(key) == id_name and isinstance(value, str | int):
                return str(value)
    return None


def _unwrap(body: Json) -> JsonObject:
    """Remove an envelope whose only member is an object."""
    if not isinstance(body, dict):
        return {}
    inner = [value for value in body.values() if isinstance(value, dict)]
    record: JsonObject = inner[0] if len(inner) == len(body) == 1 else body
    return record


def _find_difference(expected: JsonObject, stored: JsonObject, origin: str) -> str | None:
    for name, value in expected.items():
        # APIs may store an empty text as a missing value.
        if name not in stored or value == "" or not isinstance(value, str | int):
            continue
        # Equal timestamps can be written in many ways.
        if isinstance(value, str) and _DATE_PATTERN.match(value):
            continue
        if stored[name] != value:
            return f"{name} was {origin} as {value!r} but is {stored[name]!r}"
    return None
