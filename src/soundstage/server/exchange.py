"""One request on its way through the stack, and the answer it gets."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from starlette.types import Scope

from soundstage.apis.api import Answer
from soundstage.apis.service import Service
from soundstage.contract.operation import Arguments, Operation
from soundstage.contract.security import ANYBODY, Credential
from soundstage.contract.violation import Violation
from soundstage.server.faults.fault import Struck
from soundstage.server.message import Message
from soundstage.server.worlds import Hosted
from soundstage.world.clock import wall
from soundstage.world.world import World

KEY = "soundstage"
"""Where an ASGI scope carries its exchange."""

_HOST = re.compile(rb"[A-Za-z0-9.:\[\]_-]+")


@dataclass(slots=True)
class Exchange:
    """What the parts of a stack know of a request; each fills in its own."""

    service: Service
    hosted: Hosted
    now: int
    headers: Mapping[bytes, list[bytes]]
    base_url: str
    root: str = ""  # the path below which this API is found in this world
    operation: Operation | None = None
    path_values: Mapping[str, str] = field(default_factory=dict)
    credential: Credential = field(default_factory=lambda: ANYBODY)
    arguments: Arguments | None = None
    request_body: bytes = b""
    answer: Answer | None = None
    violations: tuple[Violation, ...] = ()
    message: Message | None = None
    struck: Struck | None = None
    forced: bool = False  # the answer is a fault's; no contract has a say in it
    wall: int = field(default_factory=wall)  # when it came in
    lag: int = 0  # reads are as of so many milliseconds before now

    @property
    def fault(self) -> str | None:
        """The kind of the fault that struck, if one did."""
        return self.struck.fault.NAME if self.struck else None

    @property
    def world(self) -> World:
        """The world that the request is for."""
        return self.hosted.world


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that the dispatcher put into a scope."""
    exchange: Exchange = scope[KEY]
    return exchange


def by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """Headers by lower-case name, each with its values in order."""
    result: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        result.setdefault(name.lower(), []).append(value)
    return result


def base_url_of(scope: Scope, headers: Mapping[bytes, list[bytes]]) -> str:
    """The scheme and host that the client used; a host that is none is left out."""
    host = headers.get(b"host", [b""])[-1]
    name = host.decode() if _HOST.fullmatch(host) else "localhost"
    return f"{scope.get('scheme', 'http')}://{name}"
