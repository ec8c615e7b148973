"""One request on its way through the stack, and the answer it gets."""

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
from soundstage.world.world import World

KEY = "soundstage"
"""Where an ASGI scope carries its exchange."""

_HOST = re.compile(rb"[A-Za-z0-9.:\[\]_-]+")


@dataclass(slots=True)
class Exchange:
    """What the parts of a stack know of a request; each fills in its own."""

    service: Service
    world: World
    now: int
    headers: Mapping[bytes, list[bytes]]
    base_url: str
    operation: Operation | None = None
    path_values: Mapping[str, str] = field(default_factory=dict)
    credential: Credential = field(default_factory=lambda: ANYBODY)
    arguments: Arguments | None = None
    answer: Answer | None = None
    violations: tuple[Violation, ...] = ()


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


async def send_answer(
    answer: Answer, violations: Iterable[Violation], send: Send
) -> None:
    """The answer as ASGI messages; violations go along as a header."""
    body, headers = _body_of(answer)
    headers += [(k.lower().encode(), v.encode()) for k, v in answer.headers]
    if violations:
        header = header_of(tuple(violations)).encode()
        headers.append((b"soundstage-violations", header))
    await send(
        {"type": "http.response.start", "status": answer.status, "headers": headers}
    )
    await send({"type": "http.response.body", "body": body})


def _body_of(answer: Answer) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    if answer.body is None:
        return b"", [(b"content-length", b"0")]
    media_type = answer.media_type
    if isinstance(answer.body, str) and media_type.startswith("text/"):
        body, media_type = answer.body.encode(), f"{media_type}; charset=utf-8"
    else:
        body = orjson.dumps(answer.body)
    return body, [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
    ]
