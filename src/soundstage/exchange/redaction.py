"""Redaction of secrets in exchanges.

A secret is the value of a header, a cookie or a query parameter that a security scheme
of the API names, or that is always secret. It is found by its name; in a response that
reports an error and may repeat it, also by its value.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import orjson

from soundstage.openapi.contract import Contract
from soundstage.openapi.errors import Violation
from soundstage.openapi.parameters import percent_decode
from soundstage.types import Json, JsonObject

REDACTED = "***"

HeaderPair = tuple[bytes, bytes]
"""Name and value of a header."""

ALWAYS_SECRET = frozenset(
    "authorization cookie proxy-authorization set-cookie soundstage-token".split()
)
"""Names of headers that are secret at each API."""

MIN_SECRET_LENGTH = 6
"""Characters of a value that is searched for; shorter ones occur by coincidence."""

PREFIX_LENGTH = 16
"""Characters of a value that are searched for, as a message may be truncated in it."""

_RULES_WITHOUT_VALUE = frozenset({"required", "repeated", "unknown"})
"""Rules whose messages name the parameter only."""


@dataclass(frozen=True, slots=True)
class Redactor:
    """Redacts the secrets of one API; their names are in lower case.

    >>> Redactor().redact_headers([(b"authorization", b"Bearer x"), (b"accept", b"*")])
    (('authorization', '***'), ('accept', '*'))
    """

    secret_names: frozenset[str] = ALWAYS_SECRET

    def redact_headers(self, pairs: Iterable[HeaderPair]) -> tuple[tuple[str, str], ...]:
        """Return the headers as texts, names in lower case."""
        return tuple((name, self._redact_value(name, text)) for name, text in _decode_pairs(pairs))

    def redact_query(self, query: bytes) -> str:
        """Return the query string; what is not secret stays percent-encoded."""
        return "&".join(map(self._redact_query_part, query.split(b"&")))

    def redact_parameters(self, parameters: Mapping[str, Json]) -> JsonObject:
        """Return the parsed parameters."""
        return {name: self._redact_value(name, value) for name, value in parameters.items()}

    def find_sent_secrets(self, headers: Iterable[HeaderPair], query: bytes) -> tuple[str, ...]:
        """Return the values to search for in an error response, the longest first."""
        secrets = {
            value
            for name, text in _decode_pairs(headers)
            if name in self.secret_names
            for value in _split_header_value(text)
        }
        for part in query.split(b"&"):
            name, value = _split_query_part(part)
            if self._is_secret(name):
                secrets |= {value, part.partition(b"=")[2].decode("latin-1")}
        # A value may contain another one: the longest is replaced first.
        long_enough = (value for value in secrets if len(value) >= MIN_SECRET_LENGTH)
        return tuple(sorted(long_enough, key=len, reverse=True))

    def redact_violation(self, violation: Violation, value_redactor: "ValueRedactor") -> Violation:
        """Return the violation; that of a secret parameter names the rule only."""
        message = value_redactor.redact_text(violation.message)
        value = value_redactor.redact_json(violation.value)
        if violation.name and self._is_secret(violation.name):
            value = REDACTED
            if violation.rule not in _RULES_WITHOUT_VALUE:
                place, name = violation.location, violation.name
                message = f"the {place} parameter {name!r} breaks {violation.rule!r}"
        return replace(violation, message=message, value=value)

    def _redact_query_part(self, part: bytes) -> str:
        # The name stays as it was sent; it is decoded only to be compared.
        name, equals, _ = part.decode("latin-1").partition("=")
        is_secret = equals and self._is_secret(_split_query_part(part)[0])
        return f"{name}={REDACTED}" if is_secret else part.decode("latin-1")

    def _redact_value(self, name: str, value: Json) -> Json:
        return REDACTED if self._is_secret(name) else value

    def _is_secret(self, name: str) -> bool:
        # Keys of a deep object, such as key[a], belong to the parameter.
        return name.partition("[")[0].lower() in self.secret_names


def build_redactors(contracts: Iterable[Contract]) -> dict[str | None, Redactor]:
    """Return the redactor of each API, and under None that of unrouted requests."""
    redactors: dict[str | None, Redactor] = {
        contract.name: Redactor(_collect_secret_names(contract)) for contract in contracts
    }
    names = ALWAYS_SECRET.union(*(one.secret_names for one in redactors.values()))
    redactors[None] = Redactor(names)
    return redactors


def _collect_secret_names(contract: Contract) -> frozenset[str]:
    components = contract.document.get("components", {})
    schemes = components.get("securitySchemes", {}).values()
    return ALWAYS_SECRET | {s["name"].lower() for s in schemes if s.get("type") == "apiKey"}


def _decode_pairs(pairs: Iterable[HeaderPair]) -> Iterator[tuple[str, str]]:
    for name, value in pairs:
        yield name.decode("latin-1").lower(), value.decode("latin-1")


def _split_header_value(text: str) -> Iterator[str]:
    """Yield a header's value, and its parts after the name of a scheme or a cookie."""
    yield text
    scheme, _, rest = text.partition(" ")
    yield rest.strip()
    if scheme.lower() == "basic":
        yield from _decode_basic(rest)
    for pair in text.split(";"):
        yield pair.partition("=")[2].strip()


def _decode_basic(encoded: str) -> Iterator[str]:
    """Yield user name and password (RFC 7617), and the password alone."""
    try:
        plain = base64.b64decode(encoded).decode()
    except (binascii.Error, ValueError):
        return
    yield plain
    yield plain.partition(":")[2]


def _split_query_part(part: bytes) -> tuple[str, str]:
    """Return the decoded name and value of a part of a query."""
    name, _, value = part.replace(b"+", b" ").partition(b"=")
    return _decode_query_text(name), _decode_query_text(value)


def _decode_query_text(raw: bytes) -> str:
    try:
        return percent_decode(raw)
    except UnicodeDecodeError:
        return raw.decode("latin-1")


@dataclass(frozen=True, slots=True)
class ValueRedactor:
    """Redacts what matches a pattern; without one it changes nothing."""

    pattern: re.Pattern[bytes] | None = None

    def redact_bytes(self, data: bytes) -> bytes:
        """Return a body without the values."""
        return self.pattern.sub(REDACTED.encode(), data) if self.pattern else data

    def redact_text(self, text: str) -> str:
        """Return a text without the values."""
        if not self.pattern:
            return text
        return self.redact_bytes(text.encode(errors="replace")).decode(errors="replace")

    def redact_json(self, value: Json) -> Json:
        """Return a JSON value without the values, or ``REDACTED`` as a whole."""
        if not self.pattern or value is None:
            return value
        try:
            return orjson.loads(self.redact_bytes(orjson.dumps(value)))
        except (orjson.JSONDecodeError, orjson.JSONEncodeError):
            # The pattern matched a part of the syntax.
            return REDACTED


def build_value_redactor(values: Iterable[str]) -> ValueRedactor:
    """Return a redactor of these values, as text and as JSON escapes them.

    >>> build_value_redactor(["hunter22"]).redact_text("the token is hunter22")
    'the token is ***'
    """
    patterns = [pattern for value in values for pattern in _build_patterns(value)]
    return ValueRedactor(re.compile(b"|".join(patterns)) if patterns else None)


def _build_patterns(value: str) -> Iterator[bytes]:
    # A response body may contain the value as JSON text.
    escaped = orjson.dumps(value)[1:-1]
    yield re.escape(value.encode())
    if escaped != value.encode():
        yield re.escape(escaped)
    if len(value) > PREFIX_LENGTH:
        yield re.escape(value[:PREFIX_LENGTH].encode()) + rb"[^\s\"'\\]*"
