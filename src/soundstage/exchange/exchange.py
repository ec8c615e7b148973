"""An exchange as the server recorded it, and as the journal shows it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from soundstage.exchange.payload import Payload
from soundstage.exchange.redaction import HeaderPair, Redactor, ValueRedactor, build_value_redactor
from soundstage.openapi.errors import Violation, format_header
from soundstage.openapi.operation import Operation
from soundstage.openapi.parameters import Headers
from soundstage.types import Json

VIOLATIONS_HEADER = "soundstage-violations"

FIRST_ERROR_STATUS = 400


class RawExchange(NamedTuple):
    """An exchange as the server has it: bytes, with its secrets.

    ``timestamp`` (virtual time) and ``wall_time`` (when the request arrived) are ms
    since the epoch. Bodies may be truncated, so their sizes are separate. ``api`` is
    None if no API has the path, ``operation`` if none was found, ``status`` if no
    response was sent.
    """

    # A tuple: creating one is part of each request, and three times as fast.
    timestamp: int
    wall_time: int
    duration_ms: int
    api: str | None
    operation: Operation | None
    method: str
    base_url: str
    path: bytes
    query: bytes
    parameters: Mapping[str, Json]
    request_headers: Headers
    request_body: bytes
    request_size: int
    status: int | None
    response_headers: tuple[HeaderPair, ...]
    response_body: bytes
    response_size: int
    violations: tuple[Violation, ...]
    fault: str | None


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """An exchange to be shown: decoded and redacted, with its number in the journal.

    ``path`` includes the query. ``parameters`` are parsed, with defaults; a request
    that violates the contract has none.
    """

    number: int
    timestamp: int
    wall_time: int
    duration_ms: int
    api: str | None
    operation: str | None
    method: str
    base_url: str
    path: str
    parameters: Mapping[str, Json]
    request_headers: tuple[tuple[str, str], ...]
    request_body: Payload
    status: int | None
    response_headers: tuple[tuple[str, str], ...]
    response_body: Payload
    violations: tuple[Violation, ...]
    fault: str | None


def redact_exchange(number: int, exchange: RawExchange, redactor: Redactor) -> JournalEntry:
    """Return the exchange without its secrets."""
    headers = [(name, v) for name, values in exchange.request_headers.items() for v in values]
    value_redactor = _choose_value_redactor(exchange, headers, redactor)
    violations = tuple(redactor.redact_violation(v, value_redactor) for v in exchange.violations)
    path = exchange.path.decode("latin-1")
    if exchange.query:
        path = f"{path}?{redactor.redact_query(exchange.query)}"
    body = value_redactor.redact_bytes(exchange.response_body)
    # The size must not reveal the length of a secret either.
    size = exchange.response_size - len(exchange.response_body) + len(body)
    return JournalEntry(
        number=number,
        timestamp=exchange.timestamp,
        wall_time=exchange.wall_time,
        duration_ms=exchange.duration_ms,
        api=exchange.api,
        operation=exchange.operation.id if exchange.operation else None,
        method=exchange.method,
        base_url=exchange.base_url,
        path=path,
        parameters=redactor.redact_parameters(exchange.parameters),
        request_headers=redactor.redact_headers(headers),
        request_body=Payload(exchange.request_body, exchange.request_size, get_media_type(headers)),
        status=exchange.status,
        response_headers=_redact_response_headers(exchange, redactor, violations, size),
        response_body=Payload(body, size, get_media_type(exchange.response_headers)),
        violations=violations,
        fault=exchange.fault,
    )


def _choose_value_redactor(
    exchange: RawExchange, headers: list[HeaderPair], redactor: Redactor
) -> ValueRedactor:
    status = exchange.status
    if exchange.violations or status is None or status >= FIRST_ERROR_STATUS:
        # An error response may repeat any part of the request.
        return build_value_redactor(redactor.find_sent_secrets(headers, exchange.query))
    return ValueRedactor()


def get_media_type(headers: Iterable[HeaderPair]) -> str:
    """Return the value of the first Content-Type header; empty if there is none."""
    for name, value in headers:
        if name.lower() == b"content-type":
            return value.decode("latin-1")
    return ""


def _redact_response_headers(
    exchange: RawExchange, redactor: Redactor, violations: tuple[Violation, ...], size: int
) -> tuple[tuple[str, str], ...]:
    changed = {}
    if violations:
        # The header that was sent may be truncated within a secret: build it again.
        changed[VIOLATIONS_HEADER] = format_header(violations)
    if size != exchange.response_size:
        changed["content-length"] = str(size)
    headers = redactor.redact_headers(exchange.response_headers)
    return tuple((name, changed.get(name, value)) for name, value in headers)
