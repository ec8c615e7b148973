"""One request on its way through the stack, and the answer it gets."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from starlette.types import Scope

from soundstage.apis.api import Response
from soundstage.apis.registry import Service
from soundstage.openapi.errors import Violation
from soundstage.openapi.operation import Arguments, Operation
from soundstage.openapi.security import Credential
from soundstage.server.faults.fault import AppliedFault
from soundstage.server.hosts import WorldHost
from soundstage.server.message import EncodedResponse
from soundstage.world.world import World

SCOPE_KEY = "soundstage"
"""Where an ASGI scope carries its exchange."""

MISSING_HOST = (b"",)

_HOST_PATTERN = re.compile(rb"[A-Za-z0-9.:\[\]_-]+")


@dataclass
class Exchange:
    """What the parts of a stack know of a request; each fills in its own.

    The dispatcher puts it into the scope. What is not known at first is no slot, so
    that nothing is done for it until then.
    """

    service: Service
    world_host: WorldHost
    now: int
    headers: Mapping[bytes, list[bytes]]
    base_url: str
    root_path: str  # the path below which this API is found in this world
    received_at: int  # when it came in
    operation: Operation | None = field(init=False, default=None)
    path_values: Mapping[str, str] = field(init=False)
    credential: Credential = field(init=False)
    arguments: Arguments | None = field(init=False, default=None)
    request_body: bytes = field(init=False, default=b"")
    response: Response | None = field(init=False, default=None)
    # The answer's body as JSON, found good.
    serialized_body: bytes | None = field(init=False, default=None)
    violations: tuple[Violation, ...] = field(init=False, default=())
    encoded_response: EncodedResponse | None = field(init=False, default=None)
    applied_fault: AppliedFault | None = field(init=False, default=None)
    # The answer is a fault's; no contract has a say in it.
    skip_validation: bool = field(init=False, default=False)
    # Reads are as of so many milliseconds before now.
    read_lag_ms: int = field(init=False, default=0)

    def set_response(
        self, response: Response, violations: tuple[Violation, ...] | None = None
    ) -> None:
        """Another answer in the place of the one that there was."""
        self.response, self.serialized_body = response, None
        if violations is not None:
            self.violations = violations

    @property
    def fault_kind(self) -> str | None:
        """The kind of the fault that struck, if one did."""
        return self.applied_fault.fault.NAME if self.applied_fault else None

    @property
    def world(self) -> World:
        """The world that the request is for."""
        return self.world_host.world


def group_headers(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """Headers by name (lower case, as ASGI has them), each with its values in order."""
    result: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in result:
            result[name].append(value)
        else:
            result[name] = [value]
    return result


def get_request_path(scope: Scope) -> bytes:
    """The path as the client sent it: a dispatcher has moved its head elsewhere."""
    root: str = scope.get("root_path", "")
    raw: bytes = scope["raw_path"]
    return root.encode("latin-1") + raw if root else raw


def get_base_url(scope: Scope, headers: Mapping[bytes, list[bytes]]) -> str:
    """The scheme and host that the client used; a host that is none is left out.

    What stands in front of the server says the scheme in X-Forwarded-Proto.
    """
    host = headers.get(b"host", MISSING_HOST)[-1]
    scheme: str = scope.get("scheme", "http")
    if b"x-forwarded-proto" in headers:
        told = headers[b"x-forwarded-proto"][0].partition(b",")[0].strip().lower()
        scheme = told.decode() if told in {b"http", b"https"} else scheme
    return _format_base_url(scheme, host)


@lru_cache(64)  # a client says the same each time
def _format_base_url(scheme: str, host: bytes) -> str:
    name = host.decode() if _HOST_PATTERN.fullmatch(host) else "localhost"
    return f"{scheme}://{name}"
