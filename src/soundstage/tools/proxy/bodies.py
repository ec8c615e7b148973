"""Bodies in transit: forwarded as they arrive, and buffered for validation."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from starlette.types import Receive

from soundstage.openapi.body import essence
from soundstage.server.waiters import ClientDisconnected

MAX_BUFFERED_BYTES = 16 * 2**20
"""Bytes of a body that are buffered; a longer one is forwarded, but not validated."""

Headers = Mapping[bytes, Sequence[bytes]]


class BodyBuffer:
    """A copy of a body, or of the beginning of a long one."""

    def __init__(self) -> None:
        self.size = 0
        self.chunks: list[bytes] = []

    @property
    def is_truncated(self) -> bool:
        """Whether the body is longer than the buffer."""
        return self.size > MAX_BUFFERED_BYTES

    @property
    def data(self) -> bytes:
        """The first ``MAX_BUFFERED_BYTES`` of the body."""
        return b"".join(self.chunks)[:MAX_BUFFERED_BYTES]

    def append(self, chunk: bytes) -> None:
        """Add the next part of the body."""
        if not self.is_truncated:
            self.chunks.append(chunk)
        self.size += len(chunk)

    def replace(self, body: bytes) -> None:
        """Replace the whole body."""
        self.chunks, self.size = [body], len(body)


class RequestBody:
    """The body of a request, which may be read ahead of its forwarding."""

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self.buffer = BodyBuffer()
        # Only these headers announce the body of a request (RFC 9112, 6.3).
        self.is_present = b"transfer-encoding" in headers or (
            headers.get(b"content-length", [b"0"])[-1] != b"0"
        )
        self.is_complete = asyncio.Event()
        if not self.is_present:
            self.is_complete.set()
        self._receive = receive
        self._read_ahead_chunks: list[bytes] = []

    async def read_ahead(self) -> None:
        """Read to the end, or to a full buffer. Raises ``ClientDisconnected``."""
        while not self.is_complete.is_set() and not self.buffer.is_truncated:
            self._read_ahead_chunks.append(await self._receive_chunk())

    async def iterate_chunks(self) -> AsyncIterator[bytes]:
        """Yield the whole body as it arrives. Raises ``ClientDisconnected``."""
        while self._read_ahead_chunks:
            yield self._read_ahead_chunks.pop(0)
        while not self.is_complete.is_set():
            yield await self._receive_chunk()

    async def wait_for_disconnect(self) -> None:
        """Wait until the client disconnects, after the body is complete."""
        # Before, ``receive`` returns parts of the body, which ``iterate_chunks`` needs.
        await self.is_complete.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _receive_chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnected("the client disconnected before the end of its request")
        chunk: bytes = message.get("body", b"")
        self.buffer.append(chunk)
        if not message.get("more_body", False):
            self.is_complete.set()
        return chunk


def is_bufferable(headers: Headers) -> bool:
    """Whether a body is useless before its end (JSON), or short: buffer it first."""
    kind = essence(headers.get(b"content-type", [b""])[-1].decode("latin-1"))
    if kind == "application/json" or kind.endswith("+json"):
        return True
    length = headers.get(b"content-length", [b""])[-1]
    return length.isdigit() and int(length) <= MAX_BUFFERED_BYTES
