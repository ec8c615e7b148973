"""Who may use the control API: this machine's own pages and programs, or a token."""

import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

LOCAL_ORIGIN = re.compile(
    r"https?://(localhost|([a-z0-9-]+\.)+localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?"
)
_LOCAL_HOST = re.compile(
    r"(localhost|([a-z0-9-]+\.)+localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?"
)

HeaderMap = Mapping[bytes, list[bytes]]


def generate_token() -> str:
    """A token that nobody guesses."""
    return secrets.token_urlsafe(24)


def is_loopback(address: str) -> bool:
    """Whether only this machine reaches a socket that is bound to this address."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


@dataclass(frozen=True, slots=True)
class Guard:
    """Holds off strangers. Without a token it trusts programs of this machine."""

    token: str | None = None

    def check(self, headers: HeaderMap) -> tuple[int, str] | None:
        """The status and reason of a refusal; None for a welcome request."""
        origin = _last_value(headers, b"origin")
        if origin and not LOCAL_ORIGIN.fullmatch(origin):
            return 403, f"pages of {origin[:200]} may not use the control API"
        if not origin and _last_value(headers, b"sec-fetch-site") == "cross-site":
            return 403, "a page of another site may not use the control API"
        if self.token is not None:
            return self._check_token(headers)
        if not _LOCAL_HOST.fullmatch(_last_value(headers, b"host").lower()):
            # A page whose name was made to lead here (DNS rebinding) says its own name.
            return 403, "the control API is asked for by the name of this machine only"
        return None

    def _check_token(self, headers: HeaderMap) -> tuple[int, str] | None:
        given = _last_value(headers, b"soundstage-token")
        if not given:
            scheme, _, given = _last_value(headers, b"authorization").partition(" ")
            given = given if scheme.lower() == "bearer" else ""
        if hmac.compare_digest(given.encode(), (self.token or "").encode()):
            return None
        return 401, "the control API needs its token, in the header Soundstage-Token"


def _last_value(headers: HeaderMap, name: bytes) -> str:
    return headers.get(name, [b""])[-1].decode("latin-1").strip()
