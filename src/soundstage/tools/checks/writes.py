"""What was written is there, and what was deleted is not."""

import re
from urllib.parse import quote, urlsplit

from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.checks.context import CheckContext, normalize_name, parse_json
from soundstage.types import Document, Json

_DATE_PATTERN = re.compile(r"\d{4}-\d\d-\d\d")

_GONE_STATUSES = frozenset({404, 410})
_WRITE_METHODS = frozenset({"POST", "PUT", "PATCH"})
_ACCEPTED = 202  # it will be done, some day


def writes_are_kept(context: CheckContext) -> str | None:
    """What was written cannot be read, or reads differently.

    It is read where the document has a GET for it: at the same path, or below it by
    the id that the answer (or the request) has.
    """
    exchange = context.exchange
    if (
        not context.is_success
        or exchange.method not in _WRITE_METHODS
        or exchange.status == _ACCEPTED
    ):
        return None
    path = _find_read_path(context)
    if path is None:
        return None
    found = context.read_until(
        path, lambda found: _compare_with_read(context, found) is None
    )
    wrong = _compare_with_read(context, found)
    return f"it was written, and GET {path}: {wrong}" if wrong else None


def _compare_with_read(context: CheckContext, read: RecordedExchange) -> str | None:
    if read.status in _GONE_STATUSES:
        return f"it answers {read.status}"
    there = parse_json(read.response_body)
    if not 200 <= read.status < 300 or not isinstance(there, dict):  # noqa: PLR2004
        return None
    return _find_difference(
        _unwrap(context.response_json), there, "answered"
    ) or _find_difference(_unwrap(context.request_json), there, "sent")


def deletes_are_kept(context: CheckContext) -> str | None:
    """What was deleted can still be read."""
    exchange = context.exchange
    if (
        not context.is_success
        or exchange.method != "DELETE"
        or exchange.status == _ACCEPTED
    ):
        return None
    if "{" not in context.operation.path or not _has_get(
        context, context.operation.path
    ):
        return None
    found = context.read_until(
        context.path, lambda found: found.status in _GONE_STATUSES
    )
    if 200 <= found.status < 300:  # noqa: PLR2004 - HTTP
        return f"it was deleted, and GET {context.path} answers {found.status}"
    return None


def _find_read_path(context: CheckContext) -> str | None:
    """Where what was written is to be read."""
    if location := context.get_header("location"):
        path = urlsplit(location).path
        return path if context.operations.match("GET", path) else None
    template = context.operation.path
    if context.exchange.method != "POST" and _has_get(context, template):
        return context.path
    for other in context.operations.operations.values():
        below, slash, variable = other.path.rpartition("/")
        if (other.method, below, variable[:1]) == ("get", template, "{"):
            name = normalize_name(variable.strip("{}"))
            found = _find_id(context.response_json, name) or _find_id(
                context.request_json, name
            )
            return f"{context.path}{slash}{quote(found, safe='')}" if found else None
    return None


def _has_get(context: CheckContext, path: str) -> bool:
    return f"GET {path}" in context.operations.operations


def _find_id(body: Json, name: str) -> str | None:
    """The id in a body, or in the only object that it holds."""
    flat = _unwrap(body)
    for fitting in (name, "id"):
        for key, value in flat.items():
            if normalize_name(key) == fitting and isinstance(value, str | int):
                return str(value)
    return None


def _unwrap(body: Json) -> Document:
    if not isinstance(body, dict):
        return {}
    inner = [value for value in body.values() if isinstance(value, dict)]
    only: Document = inner[0] if len(inner) == len(body) == 1 else body
    return only


def _find_difference(expected: Document, stored: Document, origin: str) -> str | None:
    for name, value in expected.items():
        if name not in stored or value == "" or not isinstance(value, str | int):
            continue  # an empty text may mean that there is none
        if isinstance(value, str) and _DATE_PATTERN.match(value):
            continue  # there are many ways to write a moment
        if stored[name] != value:
            return f"{name} was {origin} as {value!r} and is {stored[name]!r}"
    return None
