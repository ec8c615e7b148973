"""An answer as bytes, and how they go out."""

from http import HTTPStatus
from typing import NamedTuple

from starlette.types import Send

from soundstage.apis.api import Answer
from soundstage.contract.violation import Violation, header_of
from soundstage.contract.writing import encoded
from soundstage.types import Json

Headers = tuple[tuple[bytes, bytes], ...]

VARY = (b"vary", b"Origin")
"""Pages of other origins are told more than whoever names none."""


class Message(NamedTuple):
    """An answer as it goes over the wire."""

    status: int
    headers: Headers
    body: bytes

    @property
    def start(self) -> dict[str, Json]:
        """Status and headers as ASGI has them."""
        headers = [*self.headers]
        return {
            "type": "http.response.start",
            "status": self.status,
            "headers": headers,
        }

    def with_body(self, body: bytes) -> "Message":
        """The message with another body, and its length."""
        length = (b"content-length", str(len(body)).encode())
        kept = (pair for pair in self.headers if pair[0] != b"content-length")
        return self._replace(headers=(*kept, length), body=body)

    def extended(self, part: bytes) -> "Message":
        """The message with more of its body."""
        return self._replace(body=self.body + part)

    def with_header(self, name: bytes, value: bytes) -> "Message":
        """The message with one more header."""
        return self._replace(headers=(*self.headers, (name, value)))


def message_of(
    answer: Answer,
    violations: tuple[Violation, ...] = (),
    written: bytes | None = None,
) -> Message:
    """The bytes of an answer, if they are not ``written`` yet.

    Violations go along as a header.
    """
    body, headers = _body_of(answer, written)
    if answer.headers:
        more = ((name.lower().encode(), v.encode()) for name, v in answer.headers)
        headers = (*headers, *more)
    if violations:
        told = (b"soundstage-violations", header_of(violations).encode())
        headers = (*headers, told)
    return Message(answer.status, headers, body)


async def send_message(message: Message, send: Send) -> None:
    """The message as ASGI has it."""
    await send(message.start)
    await send({"type": "http.response.body", "body": message.body})


def event_of(item: Json) -> bytes:
    """A server-sent event of its fields (HTML Standard, 9.2.6); ``data`` is JSON."""
    lines = [
        f"{name}: {item[name]}\n".encode()
        for name in ("id", "event", "retry")
        if name in item
    ]
    return b"".join([*lines, b"data: ", encoded(item["data"]), b"\n\n"])


def _body_of(answer: Answer, written: bytes | None) -> tuple[bytes, Headers]:
    value, media_type = answer.body, answer.media_type
    if answer.stream is not None:
        kind = (b"content-type", media_type.encode())
        return b"", (kind, (b"cache-control", b"no-store"), VARY)
    if value is None and answer.status == HTTPStatus.NO_CONTENT:  # RFC 9110, 8.6
        return b"", (VARY,)
    if value is None:
        return b"", ((b"content-length", b"0"), VARY)
    if isinstance(value, str) and media_type.startswith("text/"):
        body, media_type = value.encode(), f"{media_type}; charset=utf-8"
    else:
        body = encoded(value) if written is None else written
    length = (b"content-length", b"%d" % len(body))
    return body, ((b"content-type", media_type.encode()), length, VARY)
