"""An answer as bytes, and how they go out."""

from http import HTTPStatus
from typing import NamedTuple

from starlette.types import Send

from soundstage.apis.api import Response
from soundstage.openapi.errors import Violation, format_header
from soundstage.openapi.responses import encode_json
from soundstage.types import Json

HeaderPairs = tuple[tuple[bytes, bytes], ...]

VARY_ORIGIN = (b"vary", b"Origin")
"""Pages of other origins are told more than whoever names none."""


class EncodedResponse(NamedTuple):
    """An answer as it goes over the wire."""

    status: int
    headers: HeaderPairs
    body: bytes

    @property
    def start_event(self) -> dict[str, Json]:
        """Status and headers as ASGI has them."""
        headers = [*self.headers]
        return {
            "type": "http.response.start",
            "status": self.status,
            "headers": headers,
        }

    def with_body(self, body: bytes) -> "EncodedResponse":
        """The message with another body, and its length."""
        length = (b"content-length", str(len(body)).encode())
        kept = (pair for pair in self.headers if pair[0] != b"content-length")
        return self._replace(headers=(*kept, length), body=body)

    def with_more_body(self, chunk: bytes) -> "EncodedResponse":
        """The message with more of its body."""
        return self._replace(body=self.body + chunk)

    def with_header(self, name: bytes, value: bytes) -> "EncodedResponse":
        """The message with one more header."""
        return self._replace(headers=(*self.headers, (name, value)))


def encode_response(
    response: Response,
    violations: tuple[Violation, ...] = (),
    serialized_body: bytes | None = None,
) -> EncodedResponse:
    """The bytes of an answer, if they are not ``written`` yet.

    Violations go along as a header.
    """
    body, headers = _encode_body(response, serialized_body)
    if response.headers:
        more = ((name.lower().encode(), v.encode()) for name, v in response.headers)
        headers = (*headers, *more)
    if violations:
        told = (b"soundstage-violations", format_header(violations).encode())
        headers = (*headers, told)
    return EncodedResponse(response.status, headers, body)


async def send_response(response: EncodedResponse, send: Send) -> None:
    """The message as ASGI has it."""
    await send(response.start_event)
    await send({"type": "http.response.body", "body": response.body})


def encode_event(item: Json) -> bytes:
    """A server-sent event of its fields (HTML Standard, 9.2.6); ``data`` is JSON."""
    lines = [
        f"{name}: {item[name]}\n".encode()
        for name in ("id", "event", "retry")
        if name in item
    ]
    return b"".join([*lines, b"data: ", encode_json(item["data"]), b"\n\n"])


def _encode_body(
    response: Response, serialized_body: bytes | None
) -> tuple[bytes, HeaderPairs]:
    value, media_type = response.body, response.media_type
    if response.stream is not None:
        kind = (b"content-type", media_type.encode())
        return b"", (kind, (b"cache-control", b"no-store"), VARY_ORIGIN)
    if value is None and response.status == HTTPStatus.NO_CONTENT:  # RFC 9110, 8.6
        return b"", (VARY_ORIGIN,)
    if value is None:
        return b"", ((b"content-length", b"0"), VARY_ORIGIN)
    if isinstance(value, str) and media_type.startswith("text/"):
        body, media_type = value.encode(), f"{media_type}; charset=utf-8"
    else:
        body = encode_json(value) if serialized_body is None else serialized_body
    length = (b"content-length", b"%d" % len(body))
    return body, ((b"content-type", media_type.encode()), length, VARY_ORIGIN)
