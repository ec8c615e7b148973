"""Access to the control API: local pages and programs, or clients with a token."""

import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

LOCAL_ORIGIN = re.compile(
    r"https?://(localhost|([a-z0-9-]+\.)+localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?"
)
_LOCAL_HOST = re.compile(r"(localhost|([a-z0-9-]+\.)+localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?")

HeaderMap = Mapping[bytes, list[bytes]]
"""Header values by name, in lower case."""


def generate_token() -> str:
    """Generate a token that cannot be guessed."""
    return secrets.token_urlsafe(24)


def is_loopback(address: str) -> bool:
    """Whether a socket bound to this address is reachable from this machine only.

    >>> is_loopback("::1"), is_loopback("0.0.0.0")
    (True, False)
    """
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides which requests may use the control API.

    Without a token, programs of this machine may; pages of other origins never may.

    >>> Guard().check({b"host": [b"localhost:4010"]})
    >>> Guard().check({b"host": [b"evil.example"]})[0]
    403
    """

    token: str | None = None

    def check(self, headers: HeaderMap) -> tuple[int, str] | None:
        """Return status and reason of a rejection; None for an allowed request."""
        origin = _last_value(headers, b"origin")
        if origin and not LOCAL_ORIGIN.fullmatch(origin):
            return 403, f"pages of {origin[:200]} may not use the control API"
        if not origin and _last_value(headers, b"sec-fetch-site") == "cross-site":
            return 403, "a page of another site may not use the control API"
        if self.token is not None:
            return self._check_token(headers)
        if not _LOCAL_HOST.fullmatch(_last_value(headers, b"host").lower()):
            # DNS rebinding: a page whose host name was made to resolve to this machine
            # sends its own name in Host.
            return 403, "the control API accepts local host names in Host only"
        return None

    def _check_token(self, headers: HeaderMap) -> tuple[int, str] | None:
        token = _last_value(headers, b"soundstage-token")
        if not token:
            scheme, _, token = _last_value(headers, b"authorization").partition(" ")
            token = token if scheme.lower() == "bearer" else ""
        if hmac.compare_digest(token.encode(), (self.token or "").encode()):
            return None
        return 401, "the control API needs its token, in the header Soundstage-Token"


def _last_value(headers: HeaderMap, name: bytes) -> str:
    return headers.get(name, [b""])[-1].decode("latin-1").strip()
