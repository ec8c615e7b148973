"""One request on its way through the stack, and the answer it gets."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import orjson
from starlette.types import Scope, Send

from soundstage.apis.api import Answer
from soundstage.apis.service import Service
from soundstage.contract.operation import Arguments, Operation
from soundstage.contract.security import ANYBODY, Credential
from soundstage.contract.violation import Violation, header_of
from soundstage.server.worlds import Hosted
from soundstage.types import Json
from soundstage.world.world import World

KEY = "soundstage"
"""Where an ASGI scope carries its exchange."""

_HOST = re.compile(rb"[A-Za-z0-9.:\[\]_-]+")


@dataclass(frozen=True, slots=True)
class Message:
    """An answer as it goes over the wire."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(slots=True)
class Exchange:
    """What the parts of a stack know of a request; each fills in its own."""

    service: Service
    hosted: Hosted
    now: int
    headers: Mapping[bytes, list[bytes]]
    base_url: str
    operation: Operation | None = None
    path_values: Mapping[str, str] = field(default_factory=dict)
    credential: Credential = field(default_factory=lambda: ANYBODY)
    arguments: Arguments | None = None
    request_body: bytes = b""
    answer: Answer | None = None
    violations: tuple[Violation, ...] = ()
    message: Message | None = None

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


def message_of(answer: Answer, violations: tuple[Violation, ...] = ()) -> Message:
    """The bytes of an answer; violations go along as a header."""
    body, headers = _body_of(answer)
    headers += [(k.lower().encode(), v.encode()) for k, v in answer.headers]
    if violations:
        headers.append((b"soundstage-violations", header_of(violations).encode()))
    return Message(answer.status, tuple(headers), body)


async def send_message(message: Message, send: Send) -> None:
    """The message as ASGI has it."""
    start = {"type": "http.response.start", "status": message.status}
    await send({**start, "headers": list(message.headers)})
    await send({"type": "http.response.body", "body": message.body})


def _encoded(value: Json) -> bytes:
    """JSON. Raises ``TypeError`` and ``ValueError`` for what JSON cannot say."""
    try:
        return orjson.dumps(value)
    except TypeError as error:
        if "64-bit" not in str(error):
            raise
        # A number may be echoed that only the contract's lack of bounds lets in.
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _body_of(answer: Answer) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    if answer.body is None:
        return b"", [(b"content-length", b"0")]
    media_type = answer.media_type
    if isinstance(answer.body, str) and media_type.startswith("text/"):
        body, media_type = answer.body.encode(), f"{media_type}; charset=utf-8"
    else:
        body = _encoded(answer.body)
    return body, [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
