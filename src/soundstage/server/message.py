"""Responses as bytes, and as ASGI sends them."""

from http import HTTPStatus
from typing import NamedTuple

from starlette.types import Send

from soundstage.apis.api import Response
from soundstage.openapi.errors import Violation, format_header
from soundstage.openapi.responses import encode_json
from soundstage.types import Json

HeaderPairs = tuple[tuple[bytes, bytes], ...]

VARY_ORIGIN = (b"vary", b"Origin")
"""Responses vary by Origin: CORS headers are added for cross-origin requests."""


class EncodedResponse(NamedTuple):
    """A response as it is sent: header names in lower case, the body in bytes.

    >>> response = EncodedResponse(200, ((b"content-length", b"2"),), b"{}")
    >>> response.with_body(b"[1]").headers
    ((b'content-length', b'3'),)
    """

    status: int
    headers: HeaderPairs
    body: bytes

    @property
    def start_event(self) -> dict[str, Json]:
        """The ASGI event with the status and the headers."""
        headers = [*self.headers]
        return {"type": "http.response.start", "status": self.status, "headers": headers}

    def with_body(self, body: bytes) -> "EncodedResponse":
        """Return the response with another body and its length."""
        length = (b"content-length", str(len(body)).encode())
        others = (pair for pair in self.headers if pair[0] != b"content-length")
        return self._replace(headers=(*others, length), body=body)

    def with_more_body(self, chunk: bytes) -> "EncodedResponse":
        """Return the response with a chunk added to its body."""
        return self._replace(body=self.body + chunk)

    def with_header(self, name: bytes, value: bytes) -> "EncodedResponse":
        """Return the response with one more header."""
        return self._replace(headers=(*self.headers, (name, value)))


def encode_response(
    response: Response, violations: tuple[Violation, ...] = (), serialized_body: bytes | None = None
) -> EncodedResponse:
    """Encode a response; ``serialized_body`` is its body if it is serialized already.

    Violations of the request are listed in the header ``Soundstage-Violations``.
    """
    body, headers = _encode_body(response, serialized_body)
    if response.headers:
        pairs = ((name.lower().encode(), v.encode()) for name, v in response.headers)
        headers = (*headers, *pairs)
    if violations:
        header = (b"soundstage-violations", format_header(violations).encode())
        headers = (*headers, header)
    return EncodedResponse(response.status, headers, body)


async def send_response(response: EncodedResponse, send: Send) -> None:
    """Send a response as two ASGI events."""
    await send(response.start_event)
    await send({"type": "http.response.body", "body": response.body})


def encode_event(item: Json) -> bytes:
    r"""Encode the fields of a server-sent event; ``data`` is JSON.

    HTML Standard, 9.2.6.

    >>> encode_event({"id": 7, "data": {"n": 1}})
    b'id: 7\ndata: {"n":1}\n\n'
    """
    lines = [
        f"{name}: {item[name]}\n".encode() for name in ("id", "event", "retry") if name in item
    ]
    return b"".join([*lines, b"data: ", encode_json(item["data"]), b"\n\n"])


def _encode_body(response: Response, serialized_body: bytes | None) -> tuple[bytes, HeaderPairs]:
    """Return the body, and the headers that describe it."""
    value, media_type = response.body, response.media_type
    if response.stream is not None:
        content_type = (b"content-type", media_type.encode())
        return b"", (content_type, (b"cache-control", b"no-store"), VARY_ORIGIN)
    if value is None:
        # A 204 has no Content-Length (RFC 9110, 8.6).
        if response.status == HTTPStatus.NO_CONTENT:
            return b"", (VARY_ORIGIN,)
        return b"", ((b"content-length", b"0"), VARY_ORIGIN)
    if isinstance(value, str) and media_type.startswith("text/"):
        body, media_type = value.encode(), f"{media_type}; charset=utf-8"
    else:
        body = encode_json(value) if serialized_body is None else serialized_body
    length = (b"content-length", b"%d" % len(body))
    return body, ((b"content-type", media_type.encode()), length, VARY_ORIGIN)
