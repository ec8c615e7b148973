"""One request on its way through the stack, and the answer it gets."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from starlette.types import Scope

from soundstage.apis.api import Answer
from soundstage.apis.service import Service
from soundstage.contract.operation import Arguments, Operation
from soundstage.contract.security import Credential
from soundstage.contract.violation import Violation
from soundstage.server.faults.fault import Struck
from soundstage.server.message import Message
from soundstage.server.worlds import Hosted
from soundstage.world.world import World

KEY = "soundstage"
"""Where an ASGI scope carries its exchange."""

NO_HOST = (b"",)

_HOST = re.compile(rb"[A-Za-z0-9.:\[\]_-]+")


@dataclass
class Exchange:
    """What the parts of a stack know of a request; each fills in its own.

    The dispatcher puts it into the scope. What is not known at first is no slot, so
    that nothing is done for it until then.
    """

    service: Service
    hosted: Hosted
    now: int
    headers: Mapping[bytes, list[bytes]]
    base_url: str
    root: str  # the path below which this API is found in this world
    wall: int  # when it came in
    operation: Operation | None = field(init=False, default=None)
    path_values: Mapping[str, str] = field(init=False)
    credential: Credential = field(init=False)
    arguments: Arguments | None = field(init=False, default=None)
    request_body: bytes = field(init=False, default=b"")
    answer: Answer | None = field(init=False, default=None)
    # The answer's body as JSON, found good.
    written: bytes | None = field(init=False, default=None)
    violations: tuple[Violation, ...] = field(init=False, default=())
    message: Message | None = field(init=False, default=None)
    struck: Struck | None = field(init=False, default=None)
    # The answer is a fault's; no contract has a say in it.
    forced: bool = field(init=False, default=False)
    # Reads are as of so many milliseconds before now.
    lag: int = field(init=False, default=0)

    def answer_with(
        self, answer: Answer, violations: tuple[Violation, ...] | None = None
    ) -> None:
        """Another answer in the place of the one that there was."""
        self.answer, self.written = answer, None
        if violations is not None:
            self.violations = violations

    @property
    def fault(self) -> str | None:
        """The kind of the fault that struck, if one did."""
        return self.struck.fault.NAME if self.struck else None

    @property
    def world(self) -> World:
        """The world that the request is for."""
        return self.hosted.world


def by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[bytes, list[bytes]]:
    """Headers by name (lower case, as ASGI has them), each with its values in order."""
    result: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        if name in result:
            result[name].append(value)
        else:
            result[name] = [value]
    return result


def path_of(scope: Scope) -> bytes:
    """The path as the client sent it: a dispatcher has moved its head elsewhere."""
    root: str = scope.get("root_path", "")
    raw: bytes = scope["raw_path"]
    return root.encode("latin-1") + raw if root else raw


def base_url_of(scope: Scope, headers: Mapping[bytes, list[bytes]]) -> str:
    """The scheme and host that the client used; a host that is none is left out.

    What stands in front of the server says the scheme in X-Forwarded-Proto.
    """
    host = headers.get(b"host", NO_HOST)[-1]
    scheme: str = scope.get("scheme", "http")
    if b"x-forwarded-proto" in headers:
        told = headers[b"x-forwarded-proto"][0].partition(b",")[0].strip().lower()
        scheme = told.decode() if told in {b"http", b"https"} else scheme
    return _base_url(scheme, host)


@lru_cache(64)  # a client says the same each time
def _base_url(scheme: str, host: bytes) -> str:
    name = host.decode() if _HOST.fullmatch(host) else "localhost"
    return f"{scheme}://{name}"
