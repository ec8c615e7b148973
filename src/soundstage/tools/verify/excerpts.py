"""An exchange as a finding shows it: no secrets, and no more than can be read."""

from soundstage.exchange.recorded import HeaderList, RecordedExchange
from soundstage.exchange.redaction import (
    Redactor,
    ValueRedactor,
    build_redactors,
    build_value_redactor,
)
from soundstage.openapi.contract import Contract
from soundstage.types import JsonObject

MAX_BODY_LENGTH = 2_000
"""Characters of a body that are shown."""


def create_redactor(document: JsonObject) -> Redactor:
    """What is secret, by the security schemes of a document."""
    return build_redactors([Contract("verified", document, {})])["verified"]


def serialize_redacted(exchange: RecordedExchange, redactor: Redactor) -> JsonObject:
    """The exchange as JSON; what an answer repeats of a secret is taken out too."""
    path, question, query = exchange.url.partition("?")
    cut = create_value_redactor(exchange, redactor)
    return {
        "method": exchange.method,
        "url": path + question + redactor.redact_query(_encode_text(query)),
        "headers": dict(
            redactor.redact_headers(_encode_headers(exchange.request_headers))
        ),
        "body": _decode_body(cut.redact_bytes(exchange.request_body)),
        "status": exchange.status,
        "answer_headers": dict(
            redactor.redact_headers(_encode_headers(exchange.response_headers))
        ),
        "answer_body": _decode_body(cut.redact_bytes(exchange.response_body)),
    }


def create_value_redactor(
    exchange: RecordedExchange, redactor: Redactor
) -> ValueRedactor:
    """What takes the secrets of a request out of whatever repeats them."""
    query = exchange.url.partition("?")[2]
    return build_value_redactor(
        redactor.find_sent_secrets(
            _encode_headers(exchange.request_headers), _encode_text(query)
        )
    )


def _encode_headers(headers: HeaderList) -> list[tuple[bytes, bytes]]:
    return [(_encode_text(name), _encode_text(value)) for name, value in headers]


def _encode_text(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _decode_body(body: bytes) -> str:
    text = body.decode(errors="replace")
    return text if len(text) <= MAX_BODY_LENGTH else f"{text[:MAX_BODY_LENGTH]}…"
