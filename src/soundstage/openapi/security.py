"""Authenticate requests: the security requirements of an operation."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from soundstage.openapi.errors import DocumentError, Unauthorized, Violation
from soundstage.openapi.parameters import Headers, parse_cookies, parse_query
from soundstage.types import JsonObject

Extractor = Callable[[Headers, bytes], str | None]
"""Returns the secret that a request sends for one scheme, or ``None``."""

Credential = Mapping[str, str]
"""Secrets by security scheme, and facts about the holder under other names."""

ANONYMOUS: Credential = {}

Secrets = tuple[str | None, ...]
"""The secrets for the schemes of one requirement; ``None`` for each not sent."""


@dataclass(frozen=True, slots=True)
class Security:
    """The security requirements of an operation.

    A request must satisfy one requirement, with all of its schemes.
    """

    extractors: Mapping[str, Extractor]
    requirements: tuple[tuple[str, ...], ...]

    @property
    def is_open(self) -> bool:
        """Whether requests without credentials are accepted."""
        return not self.requirements or () in self.requirements

    def with_credentials(self, credentials: Iterable[Credential]) -> "Authenticator":
        """Return an authenticator that accepts these credentials."""
        holders = list(credentials)
        accepted: dict[tuple[str, ...], dict[Secrets, Credential]] = {}
        for requirement in filter(None, self.requirements):
            by_secrets = accepted.setdefault(requirement, {})
            for holder in holders:
                secrets = tuple(holder.get(name) for name in requirement)
                if None not in secrets:
                    by_secrets.setdefault(secrets, holder)
        alternatives = tuple(
            (tuple(map(self.extractors.__getitem__, requirement)), by_secrets)
            for requirement, by_secrets in accepted.items()
        )
        names = " or ".join(" and ".join(r) for r in self.requirements if r)
        return Authenticator(
            self,
            alternatives,
            Violation("security", "security", f"credentials are missing: {names}"),
            Violation("security", "security", f"unknown credentials ({names})"),
        )


@dataclass(frozen=True, slots=True)
class Authenticator:
    """The security of an operation with the accepted credentials, by their secrets."""

    security: Security
    _alternatives: tuple[tuple[tuple[Extractor, ...], Mapping[Secrets, Credential]], ...]
    _missing_violation: Violation
    _wrong_violation: Violation

    def authenticate(self, headers: Headers, query: bytes) -> Credential:
        """Return the credential that a request sends; ``ANONYMOUS`` if none is needed.

        A wrong credential is rejected even if none is needed, so that a client learns
        of it. Raises ``Unauthorized``.
        """
        any_sent, all_sent = False, False
        for extractors, credentials in self._alternatives:
            secrets = tuple([extract(headers, query) for extract in extractors])
            if credential := credentials.get(secrets):
                return credential
            missing = secrets.count(None)
            any_sent = any_sent or missing < len(secrets)
            all_sent = all_sent or not missing
        if not any_sent and self.security.is_open:
            return ANONYMOUS
        violation = self._wrong_violation if all_sent else self._missing_violation
        raise Unauthorized(violation, missing=not all_sent)


def compile_security(document: JsonObject, operation: JsonObject, pointer: str) -> Security:
    """Compile the security of an operation: its own, or else the document's.

    Raises ``DocumentError``.

    >>> key = {"type": "apiKey", "in": "header", "name": "X-Key"}
    >>> document = {"components": {"securitySchemes": {"key": key}}}
    >>> security = compile_security(document, {"security": [{"key": []}]}, "")
    >>> accepted = security.with_credentials([{"key": "secret", "team": "a"}])
    >>> accepted.authenticate({b"x-key": [b"secret"]}, b"")["team"]
    'a'
    """
    requirements: list[JsonObject] = (
        operation["security"] if "security" in operation else document.get("security")
    ) or []
    schemes = document.get("components", {}).get("securitySchemes", {})
    extractors: dict[str, Extractor] = {}
    for name in {name for requirement in requirements for name in requirement}:
        if name not in schemes:
            msg = f"the security scheme {name!r} does not exist"
            raise DocumentError(msg, f"{pointer}/security")
        place = f"/components/securitySchemes/{name}"
        extractors[name] = _compile_scheme(schemes[name], place)
    return Security(extractors, tuple(tuple(r) for r in requirements))


def _compile_scheme(scheme: JsonObject, pointer: str) -> Extractor:
    match scheme:
        case {"type": "apiKey", "in": "header", "name": str(name)}:
            return _header_extractor(name)
        case {"type": "apiKey", "in": "query", "name": str(name)}:
            return _query_extractor(name)
        case {"type": "apiKey", "in": "cookie", "name": str(name)}:
            return _cookie_extractor(name)
        case {"type": "http", "scheme": str(kind)} if kind.lower() == "basic":
            return _extract_basic
        case {"type": "http" | "oauth2" | "openIdConnect"}:
            return _header_extractor("Authorization")
    raise DocumentError("this kind of security scheme is not supported", pointer)


def _header_extractor(name: str) -> Extractor:
    key = name.lower().encode()
    is_authorization = key == b"authorization"

    def extract(headers: Headers, _query: bytes) -> str | None:
        values = headers.get(key)
        if not values:
            return None
        text = values[-1].decode("latin-1").strip()
        # Trigger.dev and Trieve accept their keys with the word Bearer and without.
        if is_authorization and text[:7].lower() == "bearer ":
            text = text[7:].strip()
        return text or None

    return extract


def _query_extractor(name: str) -> Extractor:
    def extract(_headers: Headers, query: bytes) -> str | None:
        try:
            return dict(parse_query(query)).get(name)
        except UnicodeDecodeError:
            return None

    return extract


def _cookie_extractor(name: str) -> Extractor:
    return lambda headers, _query: parse_cookies(headers).get(name)


_authorization = _header_extractor("Authorization")


def _extract_basic(headers: Headers, query: bytes) -> str | None:
    """Return ``user:password`` of HTTP Basic (RFC 7617)."""
    text = _authorization(headers, query)
    if text is None or text[:6].lower() != "basic ":
        return None
    try:
        return base64.b64decode(text[6:]).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
