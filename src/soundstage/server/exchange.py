"""An exchange in flight: one request on its way through the stack, and its response."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from starlette.types import Scope

from soundstage.apis.api import ApiError, Response
from soundstage.apis.registry import Service
from soundstage.openapi.errors import InvalidRequest, RouteNotFound, Violation
from soundstage.openapi.operation import Arguments, Operation
from soundstage.openapi.security import Credential
from soundstage.server.faults.fault import AppliedFault
from soundstage.server.hosts import WorldHost
from soundstage.server.message import EncodedResponse
from soundstage.world.world import World

SCOPE_KEY = "soundstage"
"""The key of the exchange in an ASGI scope."""

MISSING_HOST = (b"",)

_HOST_PATTERN = re.compile(rb"[A-Za-z0-9.:\[\]_-]+")


@dataclass
class Exchange:
    """The state of one request in the stack; each step sets its own fields.

    The dispatcher makes it and puts it into the scope. ``now`` is the timestamp of the
    request on the world's virtual clock (ms since the epoch), read once;
    ``received_at`` is that of the machine's clock. ``root_path`` is the path below
    which the client reaches this API in this world.
    """

    # Not slots: a default stays on the class, so that creating an exchange costs
    # nothing for a field that a request does not need.
    service: Service
    world_host: WorldHost
    now: int
    headers: Mapping[bytes, list[bytes]]
    base_url: str
    root_path: str
    received_at: int
    # Set by Routing.
    operation: Operation | None = field(init=False, default=None)
    path_values: Mapping[str, str] = field(init=False)
    # Set by Security.
    credential: Credential = field(init=False)
    # Set by RequestValidation.
    request_body: bytes = field(init=False, default=b"")
    arguments: Arguments | None = field(init=False, default=None)
    # Set by FaultInjection. With ``skip_validation``, the response is the fault's,
    # which no contract covers. Reads are as of ``read_lag_ms`` before now.
    applied_fault: AppliedFault | None = field(init=False, default=None)
    skip_validation: bool = field(init=False, default=False)
    read_lag_ms: int = field(init=False, default=0)
    # Set by the handler, or by what rejects the request.
    response: Response | None = field(init=False, default=None)
    violations: tuple[Violation, ...] = field(init=False, default=())
    # Set by ResponseValidation: the body of a valid JSON response.
    serialized_body: bytes | None = field(init=False, default=None)
    # Set by ResponseSender.
    encoded_response: EncodedResponse | None = field(init=False, default=None)

    def set_response(
        self, response: Response, violations: tuple[Violation, ...] | None = None
    ) -> None:
        """Replace the response, and the violations if any are passed."""
        self.response, self.serialized_body = response, None
        if violations is not None:
            self.violations = violations

    def reject(self, error: InvalidRequest | ApiError) -> None:
        """Set the API's own response for an error.

        A 405 lists the methods of the path in ``Allow`` (RFC 9110, 15.5.6).
        """
        response = self.service.api.render_error(error)
        if isinstance(error, RouteNotFound) and error.allowed:
            allow = ("Allow", ", ".join(error.allowed))
            response = response._replace(headers=(*response.headers, allow))
        self.response = response
        if isinstance(error, InvalidRequest):
            self.violations = error.violations

    @property
    def fault_kind(self) -> str | None:
        """The kind of the applied fault, if any."""
        return self.applied_fault.fault.NAME if self.applied_fault else None

    @property
    def world(self) -> World:
        """The world that the request is for."""
        return self.world_host.world


def group_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """Group header values by name, in order. ASGI names are in lower case.

    >>> group_headers([(b"accept", b"a"), (b"host", b"h"), (b"accept", b"b")])
    {b'accept': [b'a', b'b'], b'host': [b'h']}
    """
    result: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in result:
            result[name].append(value)
        else:
            result[name] = [value]
    return result


def get_request_path(scope: Scope) -> bytes:
    """Return the path that the client sent.

    The dispatcher has moved its first segments to ``root_path``.
    """
    root: str = scope.get("root_path", "")
    raw: bytes = scope["raw_path"]
    return root.encode("latin-1") + raw if root else raw


def get_base_url(scope: Scope, headers: Mapping[bytes, list[bytes]]) -> str:
    """Return the scheme and host that the client used.

    A proxy in front of the server sends the scheme in X-Forwarded-Proto. A Host header
    that is not a host name is replaced by ``localhost``.
    """
    host = headers.get(b"host", MISSING_HOST)[-1]
    scheme: str = scope.get("scheme", "http")
    if b"x-forwarded-proto" in headers:
        value = headers[b"x-forwarded-proto"][0].partition(b",")[0].strip().lower()
        scheme = value.decode() if value in {b"http", b"https"} else scheme
    return _format_base_url(scheme, host)


@lru_cache(64)  # a client sends the same Host with every request
def _format_base_url(scheme: str, host: bytes) -> str:
    name = host.decode() if _HOST_PATTERN.fullmatch(host) else "localhost"
    return f"{scheme}://{name}"
