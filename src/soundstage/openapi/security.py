"""Security requirements of one operation, held against the credentials there are."""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from soundstage.openapi.errors import DocumentError, Unauthorized, Violation
from soundstage.openapi.parameters import parse_query
from soundstage.types import JsonObject

Headers = Mapping[bytes, list[bytes]]

Extractor = Callable[[Headers, bytes], str | None]
"""The secret that a request presents for one scheme; ``None`` if it presents none."""

Credential = Mapping[str, str]
"""Security scheme -> secret, and facts about the holder under other names."""

ANONYMOUS: Credential = {}

Secrets = tuple[str | None, ...]
"""Of the schemes of one requirement; ``None`` where nothing is presented."""


@dataclass(frozen=True, slots=True)
class Security:
    """Who may call an operation: any one requirement, all of its schemes."""

    extractors: Mapping[str, Extractor]
    requirements: tuple[tuple[str, ...], ...]

    @property
    def is_open(self) -> bool:
        """Whether nobody need present anything."""
        return not self.requirements or () in self.requirements

    def with_credentials(self, credentials: Iterable[Credential]) -> "Authenticator":
        """Whom it admits of those that there are."""
        holders = list(credentials)
        found: dict[tuple[str, ...], dict[Secrets, Credential]] = {}
        for requirement in filter(None, self.requirements):
            by_secrets = found.setdefault(requirement, {})
            for holder in holders:
                secrets = tuple(holder.get(name) for name in requirement)
                if None not in secrets:
                    by_secrets.setdefault(secrets, holder)
        ways = (
            (tuple(map(self.extractors.__getitem__, r)), c) for r, c in found.items()
        )
        names = " or ".join(" and ".join(r) for r in self.requirements if r)
        said = (f"credentials are missing: {names}", f"no such credentials ({names})")
        wrong = (Violation("security", "security", text) for text in said)
        return Authenticator(self, tuple(ways), *wrong)


@dataclass(frozen=True, slots=True)
class Authenticator:
    """The security of an operation with the credentials that are good, by secrets."""

    security: Security
    _alternatives: tuple[
        tuple[tuple[Extractor, ...], Mapping[Secrets, Credential]], ...
    ]
    _missing_violation: Violation
    _wrong_violation: Violation

    def authenticate(self, headers: Headers, query: bytes) -> Credential:
        """The credential that was presented; ``ANYBODY`` where none is asked for.

        A wrong credential is refused even where none is needed, so that a client that
        sends one learns of it. Raises ``Unauthorized``.
        """
        presented, tried = False, False
        for finds, credentials in self._alternatives:
            secrets = tuple([find(headers, query) for find in finds])
            if credential := credentials.get(secrets):
                return credential
            missing = secrets.count(None)
            presented = presented or missing < len(secrets)
            tried = tried or not missing
        security = self.security
        if not presented and security.is_open:
            return ANONYMOUS
        raise Unauthorized(
            self._wrong_violation if tried else self._missing_violation,
            missing=not tried,
        )


def compile_security(
    document: JsonObject, operation: JsonObject, pointer: str
) -> Security:
    """The security of an operation: its own, or the document's."""
    requirements: list[JsonObject] = (
        operation["security"] if "security" in operation else document.get("security")
    ) or []
    known = document.get("components", {}).get("securitySchemes", {})
    finds: dict[str, Extractor] = {}
    for name in {name for requirement in requirements for name in requirement}:
        if name not in known:
            msg = f"there is no security scheme {name!r}"
            raise DocumentError(msg, f"{pointer}/security")
        finds[name] = _compile_scheme(
            known[name], f"/components/securitySchemes/{name}"
        )
    return Security(finds, tuple(tuple(r) for r in requirements))


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
    raise DocumentError("this kind of security scheme is not served", pointer)


def _header_extractor(name: str) -> Extractor:
    key = name.lower().encode()
    bearer = key == b"authorization"

    def find(headers: Headers, _query: bytes) -> str | None:
        values = headers.get(key)
        if not values:
            return None
        text = values[-1].decode("latin-1").strip()
        # Trigger.dev and Trieve take their keys with the word Bearer and without.
        if bearer and text[:7].lower() == "bearer ":
            text = text[7:].strip()
        return text or None

    return find


def _query_extractor(name: str) -> Extractor:
    def find(_headers: Headers, query: bytes) -> str | None:
        try:
            return dict(parse_query(query)).get(name)
        except UnicodeDecodeError:
            return None

    return find


def _cookie_extractor(name: str) -> Extractor:
    def find(headers: Headers, _query: bytes) -> str | None:
        return parse_cookies(headers).get(name)

    return find


def parse_cookies(headers: Headers) -> dict[str, str]:
    """The cookies of a request."""
    pairs = (
        pair.strip().partition("=")
        for value in headers.get(b"cookie", ())
        for pair in value.decode("latin-1").split(";")
    )
    return {name: value for name, _, value in pairs if name}


def _extract_basic(headers: Headers, query: bytes) -> str | None:
    text = _header_extractor("Authorization")(headers, query)
    if text is None or text[:6].lower() != "basic ":
        return None
    try:
        return base64.b64decode(text[6:]).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
