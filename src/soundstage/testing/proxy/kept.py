"""Bodies on their way: passed on as they come, and kept to be judged."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

from starlette.types import Receive

from soundstage.contract.body import essence
from soundstage.server.waiting import Gone

MOST = 16 * 2**20
"""Bytes of a body that are kept; a longer one is passed on, but not judged."""

Headers = Mapping[bytes, Sequence[bytes]]


class Kept:
    """A copy of a body, or of its beginning."""

    def __init__(self) -> None:
        self.size = 0
        self.chunks: list[bytes] = []

    @property
    def is_cut(self) -> bool:
        """Whether there was more than can be kept."""
        return self.size > MOST

    @property
    def data(self) -> bytes:
        """The bytes, ``MOST`` of them at most."""
        return b"".join(self.chunks)[:MOST]

    def add(self, chunk: bytes) -> None:
        """Keep more of it."""
        if not self.is_cut:
            self.chunks.append(chunk)
        self.size += len(chunk)

    def replace(self, body: bytes) -> None:
        """Keep this instead."""
        self.chunks, self.size = [body], len(body)


class Intake:
    """A request's body; what was read ahead is given first."""

    def __init__(self, receive: Receive, headers: Headers) -> None:
        self.kept = Kept()
        self.has_body = b"transfer-encoding" in headers or (
            headers.get(b"content-length", [b"0"])[-1] != b"0"
        )
        self.ended = asyncio.Event()
        if not self.has_body:
            self.ended.set()
        self._receive = receive
        self._ahead: list[bytes] = []

    async def read_ahead(self) -> None:
        """Read to the end, or so much as can be kept. Raises ``Gone``."""
        while not self.ended.is_set() and not self.kept.is_cut:
            self._ahead.append(await self._next())

    async def chunks(self) -> AsyncIterator[bytes]:
        """All of it, as it comes. Raises ``Gone``."""
        while self._ahead:
            yield self._ahead.pop(0)
        while not self.ended.is_set():
            yield await self._next()

    async def left(self) -> None:
        """Come back when the client has gone, once all of the body has come."""
        await self.ended.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def _next(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise Gone("the client went before its request had ended")
        chunk: bytes = message.get("body", b"")
        self.kept.add(chunk)
        if not message.get("more_body", False):
            self.ended.set()
        return chunk


def is_whole(headers: Headers) -> bool:
    """Whether a body means nothing before its end, and can be waited for."""
    kind = essence(headers.get(b"content-type", [b""])[-1].decode("latin-1"))
    if kind == "application/json" or kind.endswith("+json"):
        return True
    length = headers.get(b"content-length", [b""])[-1]
    return length.isdigit() and int(length) <= MOST
