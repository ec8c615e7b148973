"""uvicorn's connection, within the reach of faults."""

import socket
import struct

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from soundstage.server.faults.wire import CONNECTION

_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: to close is to reset."""


class Connection(HttpToolsProtocol):
    """Goes along in the scope of its requests."""

    held = False

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION: self}  # type: ignore[dict-item]

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
