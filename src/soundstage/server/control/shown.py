"""Exchanges and what they covered, as the control API shows them."""

import base64
from collections.abc import Iterable

from soundstage.contract.listed import Value
from soundstage.server.journal.coverage import Covered
from soundstage.server.journal.entry import Entry
from soundstage.server.journal.payload import Payload
from soundstage.types import Document
from soundstage.world.clock import rfc3339


def whole(entry: Entry) -> Document:
    """All of an exchange."""
    return {
        **_brief(entry),
        "wall": rfc3339(entry.wall),
        "took_ms": entry.took,
        "parameters": dict(entry.parameters),
        "headers": _headers(entry.headers),
        "body": _body(entry.body),
        "answer_headers": _headers(entry.answer_headers),
        "answer_body": _body(entry.answer),
        "violations": _violations(entry),
        "fault": entry.fault,
    }


def violating(entry: Entry) -> Document:
    """An exchange that broke a contract, and how."""
    return {**_brief(entry), "violations": _violations(entry)}


def coverage(covered: Iterable[Covered]) -> Document:
    """What was seen of operations."""
    return {"operations": [_covered(one) for one in covered]}


def _covered(covered: Covered) -> Document:
    return {
        "api": covered.api,
        "operation": covered.operation,
        "method": covered.method,
        "path": covered.path,
        "calls": covered.calls,
        "statuses": {
            "seen": list(covered.statuses),
            "unseen": list(covered.unseen_statuses),
            "undocumented": list(covered.undocumented),
        },
        "parameters": {
            "seen": list(covered.parameters),
            "unseen": list(covered.unseen_parameters),
        },
        "values": {
            "seen": [_value(value) for value in covered.values],
            "unseen": [_value(value) for value in covered.unseen_values],
        },
    }


def _value(value: Value) -> Document:
    return {"at": value.at, "value": value.json}


def _brief(entry: Entry) -> Document:
    return {
        "number": entry.number,
        "at": rfc3339(entry.at),
        "api": entry.api,
        "operation": entry.operation,
        "method": entry.method,
        "path": entry.path,
        "status": entry.status,
    }


def _violations(entry: Entry) -> list[Document]:
    return [violation.as_json() for violation in entry.violations]


def _headers(headers: Iterable[tuple[str, str]]) -> list[Document]:
    return [{"name": name, "value": value} for name, value in headers]


def _body(body: Payload) -> Document | None:
    """As JSON where it is, else as text, else in Base64."""
    if not body.size:
        return None
    shown = {"size": body.size, "media_type": body.media_type, "cut": body.is_cut}
    if (value := body.json) is not None:
        return {**shown, "json": value}
    if (text := body.text) is not None:
        return {**shown, "text": text}
    return {**shown, "base64": base64.b64encode(body.data).decode()}
