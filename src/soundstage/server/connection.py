"""uvicorn's connection, within the reach of faults; an answer goes out in one piece."""

import asyncio
import socket
import struct
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from soundstage.server.faults.wire import CONNECTION

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: to close is to reset."""


class Connection(HttpToolsProtocol):
    """Goes along in the scope of its requests."""

    held = False

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        self._whole = Whole(transport)
        super().connection_made(self._whole)  # type: ignore[arg-type]

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: self}  # type: ignore[dict-item]

    def gather(self) -> None:
        """Keep what is written until ``pour``."""
        self._whole.parts = []

    def pour(self) -> None:
        """Send what was kept, head and body at once: one packet, one system call."""
        self._whole.pour()

    def finish(self) -> None:
        """Send what was written, then close."""
        self.transport.close()

    def reset(self) -> None:
        """Close with a TCP RST."""
        shared = self.transport.get_extra_info("socket")
        number, family, kind = shared.fileno(), shared.family, shared.type
        with socket.fromfd(number, family, kind) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        self.transport.abort()

    def shutdown(self) -> None:
        """A request that a fault holds back does not hold the server back."""
        super().shutdown()
        if self.held:
            self.transport.close()


class Whole:
    """A transport that can keep what is written, for a while."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.parts: list[bytes] | None = None
        self._transport = transport
        # What is asked of it with every request.
        self.is_closing = transport.is_closing
        self._send = transport.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self.parts is None:
            self._send(data)
        else:
            self.parts.append(data)

    def pour(self) -> None:
        parts, self.parts = self.parts, None
        if parts:
            self._transport.writelines(parts)

    def close(self) -> None:
        self.pour()
        self._transport.close()
