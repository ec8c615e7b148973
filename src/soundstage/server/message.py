"""An answer as bytes, and how they go out."""

import json
from dataclasses import dataclass, replace

import orjson
from starlette.types import Send

from soundstage.apis.api import Answer
from soundstage.contract.violation import Violation, header_of
from soundstage.types import Json


@dataclass(frozen=True, slots=True)
class Message:
    """An answer as it goes over the wire."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def with_body(self, body: bytes) -> "Message":
        """The message with another body, and its length."""
        length = (b"content-length", str(len(body)).encode())
        kept = (pair for pair in self.headers if pair[0] != b"content-length")
        return replace(self, headers=(*kept, length), body=body)

    def extended(self, part: bytes) -> "Message":
        """The message with more of its body."""
        return replace(self, body=self.body + part)

    def with_header(self, name: bytes, value: bytes) -> "Message":
        """The message with one more header."""
        return replace(self, headers=(*self.headers, (name, value)))


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


def event_of(item: Json) -> bytes:
    """A server-sent event of its fields (HTML Standard, 9.2.6); ``data`` is JSON."""
    lines = [
        f"{name}: {item[name]}\n".encode()
        for name in ("id", "event", "retry")
        if name in item
    ]
    return b"".join([*lines, b"data: ", _encoded(item["data"]), b"\n\n"])


def _body_of(answer: Answer) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    if answer.stream is not None:
        kind = answer.media_type.encode()
        return b"", [(b"content-type", kind), (b"cache-control", b"no-store")]
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
