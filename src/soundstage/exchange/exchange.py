"""One exchange: as it was seen, and as it is shown, its secrets masked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from soundstage.exchange.payload import Payload
from soundstage.exchange.redaction import (
    HeaderPair,
    Redactor,
    ValueRedactor,
    build_value_redactor,
)
from soundstage.openapi.errors import Violation, header_of
from soundstage.openapi.operation import Operation
from soundstage.openapi.security import Headers
from soundstage.types import Json

VIOLATIONS_HEADER = "soundstage-violations"


class RawExchange(NamedTuple):
    """An exchange as it came by: raw, and with its secrets.

    ``api`` is ``None`` for a path that no API has, ``status`` where no answer went out.
    """

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
    """An exchange as it is shown. ``at`` is virtual time, ``wall`` the machine's own.

    ``parameters`` are as they were read, defaults filled in; a refused request has
    none. ``took`` is milliseconds of the wall.
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


def redact_exchange(
    number: int, exchange: RawExchange, redactor: Redactor
) -> JournalEntry:
    """The exchange without its secrets."""
    sent = [
        (name, v) for name, values in exchange.request_headers.items() for v in values
    ]
    refused = exchange.violations or exchange.status is None or exchange.status >= 400  # noqa: PLR2004 - HTTP
    cut = (
        build_value_redactor(redactor.find_sent_secrets(sent, exchange.query))
        if refused
        else ValueRedactor()
    )
    violations = tuple(redactor.redact_violation(v, cut) for v in exchange.violations)
    path = exchange.path.decode("latin-1")
    answer = cut.redact_bytes(exchange.response_body)
    # Neither may the length of what was taken out be told.
    answer_size = exchange.response_size - len(exchange.response_body) + len(answer)
    return JournalEntry(
        number=number,
        timestamp=exchange.timestamp,
        wall_time=exchange.wall_time,
        duration_ms=exchange.duration_ms,
        api=exchange.api,
        operation=exchange.operation.id if exchange.operation else None,
        method=exchange.method,
        base_url=exchange.base_url,
        path=f"{path}?{redactor.redact_query(exchange.query)}"
        if exchange.query
        else path,
        parameters=redactor.redact_parameters(exchange.parameters),
        request_headers=redactor.redact_headers(sent),
        request_body=Payload(
            exchange.request_body, exchange.request_size, _get_media_type(sent)
        ),
        status=exchange.status,
        response_headers=_redact_response_headers(
            exchange, redactor, violations, answer_size
        ),
        response_body=Payload(
            answer, answer_size, _get_media_type(exchange.response_headers)
        ),
        violations=violations,
        fault=exchange.fault,
    )


def _get_media_type(headers: list[HeaderPair] | tuple[HeaderPair, ...]) -> str:
    for name, value in headers:
        if name.lower() == b"content-type":
            return value.decode("latin-1")
    return ""


def _redact_response_headers(
    exchange: RawExchange,
    redactor: Redactor,
    violations: tuple[Violation, ...],
    size: int,
) -> tuple[tuple[str, str], ...]:
    """What tells of violations or of the length is written anew where need be."""
    changed = {}
    if violations:  # as it went out it may end within a secret
        changed[VIOLATIONS_HEADER] = header_of(violations)
    if size != exchange.response_size:
        changed["content-length"] = str(size)
    headers = redactor.redact_headers(exchange.response_headers)
    return tuple((name, changed.get(name, value)) for name, value in headers)
