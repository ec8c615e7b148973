"""Values taken out of texts, bodies and JSON, wherever they stand in them."""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import orjson

from soundstage.openapi.contract import Contract
from soundstage.openapi.errors import Violation
from soundstage.openapi.parameters import unquoted
from soundstage.types import Document, Json

REDACTED = "***"

PREFIX_LENGTH = 16
"""So much of a long value gives it away, where a message was cut within it."""


@dataclass(frozen=True, slots=True)
class ValueRedactor:
    """Takes values out of texts; ``None`` takes nothing."""

    pattern: re.Pattern[bytes] | None = None

    def redact_bytes(self, data: bytes) -> bytes:
        """A body without the values."""
        return self.pattern.sub(REDACTED.encode(), data) if self.pattern else data

    def redact_text(self, text: str) -> str:
        """A text without the values."""
        if not self.pattern:
            return text
        return self.redact_bytes(text.encode(errors="replace")).decode(errors="replace")

    def redact_json(self, value: Json) -> Json:
        """A JSON value without the values."""
        if not self.pattern or value is None:
            return value
        try:
            return orjson.loads(self.redact_bytes(orjson.dumps(value)))
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            return REDACTED


def build_value_redactor(values: Iterable[str]) -> ValueRedactor:
    """What takes these values out, as they are and as JSON writes them."""
    forms = [form for value in values for form in _build_patterns(value)]
    return ValueRedactor(re.compile(b"|".join(forms))) if forms else ValueRedactor()


def _build_patterns(value: str) -> Iterator[bytes]:
    written = orjson.dumps(value)[1:-1]
    yield re.escape(value.encode())
    if written != value.encode():
        yield re.escape(written)
    if len(value) > PREFIX_LENGTH:
        yield re.escape(value[:PREFIX_LENGTH].encode()) + rb"[^\s\"'\\]*"


HeaderPair = tuple[bytes, bytes]
"""A header's name and its value."""

ALWAYS_SECRET = frozenset(
    "authorization cookie proxy-authorization set-cookie soundstage-token".split()
)

_RULES_WITHOUT_VALUE = frozenset({"required", "repeated", "unknown"})
"""Rules whose messages name the parameter only."""

MIN_SECRET_LENGTH = 6
"""Characters of a value that is looked for; less is found where nobody meant it."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """What is secret at one API: names, in lower case, wherever they stand."""

    secret_names: frozenset[str] = ALWAYS_SECRET

    def redact_headers(
        self, pairs: Iterable[HeaderPair]
    ) -> tuple[tuple[str, str], ...]:
        """Headers as they are shown."""
        return tuple(
            (name, self._redact_value(name, text))
            for name, text in _decode_pairs(pairs)
        )

    def redact_query(self, query: bytes) -> str:
        """A query string as it is shown."""
        return "&".join(map(self._redact_query_part, query.split(b"&")))

    def redact_parameters(self, parameters: Mapping[str, Json]) -> Document:
        """Parameters as they are shown."""
        return {
            name: self._redact_value(name, value) for name, value in parameters.items()
        }

    def find_sent_secrets(
        self, headers: Iterable[HeaderPair], query: bytes
    ) -> tuple[str, ...]:
        """The values that are to be looked for in a refusal, the longest first."""
        found = {
            value
            for name, text in _decode_pairs(headers)
            if name in self.secret_names
            for value in _split_header_value(text)
        }
        for part in query.split(b"&"):
            name, value = _split_query_part(part)
            if self._is_secret(name):
                found |= {value, part.partition(b"=")[2].decode("latin-1")}
        long_enough = (value for value in found if len(value) >= MIN_SECRET_LENGTH)
        return tuple(sorted(long_enough, key=len, reverse=True))

    def redact_violation(
        self, violation: Violation, value_redactor: ValueRedactor
    ) -> Violation:
        """A violation as it is shown."""
        message, value = (
            value_redactor.redact_text(violation.message),
            value_redactor.redact_json(violation.value),
        )
        if violation.name and self._is_secret(violation.name):
            value = REDACTED
            if violation.rule not in _RULES_WITHOUT_VALUE:
                place, name = violation.place, violation.name
                message = f"the {place} parameter {name!r} breaks {violation.rule!r}"
        return replace(violation, message=message, value=value)

    def _redact_query_part(self, part: bytes) -> str:
        name, equals, _ = part.decode("latin-1").partition("=")
        secret = equals and self._is_secret(_split_query_part(part)[0])
        return f"{name}={REDACTED}" if secret else part.decode("latin-1")

    def _redact_value(self, name: str, value: Json) -> Json:
        return REDACTED if self._is_secret(name) else value

    def _is_secret(self, name: str) -> bool:
        return name.partition("[")[0].lower() in self.secret_names


def build_redactors(contracts: Iterable[Contract]) -> dict[str | None, Redactor]:
    """The mask of each API; under ``None`` that of requests that are for none."""
    masks: dict[str | None, Redactor] = {
        c.name: Redactor(_collect_secret_names(c)) for c in contracts
    }
    masks[None] = Redactor(
        ALWAYS_SECRET.union(*(mask.secret_names for mask in masks.values()))
    )
    return masks


def _collect_secret_names(contract: Contract) -> frozenset[str]:
    components = contract.document.get("components", {})
    schemes = components.get("securitySchemes", {}).values()
    return ALWAYS_SECRET | {
        s["name"].lower() for s in schemes if s.get("type") == "apiKey"
    }


def _decode_pairs(pairs: Iterable[HeaderPair]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        yield name.decode("latin-1").lower(), value.decode("latin-1")


def _split_header_value(text: str) -> Iterator[str]:
    """A header's value, and the secrets in it: after a scheme's name, of cookies."""
    yield text
    scheme, _, rest = text.partition(" ")
    yield rest.strip()
    if scheme.lower() == "basic":
        yield from _decode_basic(rest)
    for pair in text.split(";"):
        yield pair.partition("=")[2].strip()


def _decode_basic(encoded: str) -> Iterator[str]:
    try:
        plain = base64.b64decode(encoded).decode()
    except (binascii.Error, ValueError):
        return
    yield plain
    yield plain.partition(":")[2]


def _split_query_part(part: bytes) -> tuple[str, str]:
    """Name and value of a query's part, as nearly as they can be read."""
    name, _, value = part.replace(b"+", b" ").partition(b"=")
    return _decode_query_text(name), _decode_query_text(value)


def _decode_query_text(raw: bytes) -> str:
    try:
        return unquoted(raw)
    except UnicodeDecodeError:
        return raw.decode("latin-1")
