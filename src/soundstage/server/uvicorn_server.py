"""The server as it listens: uvicorn, and ports that lead to one world each."""

import asyncio
import socket
import struct
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import Server

from soundstage.server.faults.connection import CONNECTION_EXTENSION
from soundstage.server.hosts import Worlds


def open_listener(host: str, port: int) -> socket.socket:
    """A socket that listens already. Raises ``OSError``, for a port in use too."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named as TCP: otherwise asyncio lets a keep-alive answer wait 40 ms (Nagle).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, OverflowError):
        listener.close()
        raise
    return listener


def format_url(listener: socket.socket) -> str:
    """``http://127.0.0.1:4010`` of a socket."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _UvicornServer(Server):
    """uvicorn's; whoever waits for a world is sent home before it waits for them."""

    def __init__(self, config: Config, worlds: Worlds) -> None:
        super().__init__(config)
        self._worlds = worlds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._worlds.close()
        await super().shutdown(sockets)


class HttpServer:
    """A server behind a socket; worlds may ask it for ports of their own."""

    def __init__(self, app: ASGIApp, worlds: Worlds, listener: socket.socket) -> None:
        self.url = format_url(listener)
        self._listener = listener
        self._ports: dict[int, asyncio.Task[asyncio.Server]] = {}
        self._config = Config(
            app,
            http=UvicornConnection,
            lifespan="off",
            log_level="warning",
            access_log=False,
            proxy_headers=False,  # exchange.py reads the one that matters here
            # Equal worlds answer byte for byte the same, headers too.
            server_header=False,
            date_header=False,
        )
        self._server = _UvicornServer(self._config, worlds)
        worlds.open_port, worlds.close_port = self.open_port, self.close_port

    def run(self) -> None:
        """Serve until ``stop``, or until the process is interrupted."""
        try:
            self._server.run(sockets=[self._listener])
        except KeyboardInterrupt:
            return

    async def serve(self) -> None:
        """Serve until ``stop``, in the event loop that is running."""
        await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Let ``run`` come to its end; from any thread."""
        self._server.should_exit = True

    def open_port(self) -> int:
        """Listen on another free port of the same host; in the server's own thread."""
        listener = open_listener(self._listener.getsockname()[0], 0)
        port: int = listener.getsockname()[1]
        # It listens already: who connects before the task has run waits a moment.
        opening = self._accept(listener)
        self._ports[port] = asyncio.get_running_loop().create_task(opening)
        return port

    def close_port(self, port: int) -> None:
        """Listen there no more; in the server's own thread."""
        opened = self._ports.pop(port)
        if opened.done():
            opened.result().close()
        else:
            opened.add_done_callback(lambda task: task.result().close())

    async def _accept(self, listener: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._create_protocol, sock=listener)
        self._server.servers.append(server)  # so that it closes with the others
        return server

    def _create_protocol(self) -> asyncio.Protocol:
        """A connection as uvicorn makes it for its own sockets."""
        make: Callable[..., asyncio.Protocol] = self._config.http_protocol_class
        state = self._server.server_state
        return make(config=self._config, server_state=state, app_state={})


_ZERO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: to close is to reset."""


class UvicornConnection(HttpToolsProtocol):
    """Goes along in the scope of its requests."""

    stalled = False

    def connection_made(  # type: ignore[override]
        self, transport: asyncio.Transport
    ) -> None:
        self._buffered_transport = BufferedTransport(transport)
        super().connection_made(self._buffered_transport)  # type: ignore[arg-type]

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {CONNECTION_EXTENSION: self}  # type: ignore[dict-item]

    def buffer(self) -> None:
        """Keep what is written until ``pour``."""
        self._buffered_transport.chunks = []

    def flush(self) -> None:
        """Send what was kept, head and body at once: one packet, one system call."""
        self._buffered_transport.flush()

    def finish(self) -> None:
        """Send what was written, then close."""
        self.transport.close()

    def reset(self) -> None:
        """Close with a TCP RST."""
        shared = self.transport.get_extra_info("socket")
        number, family, kind = shared.fileno(), shared.family, shared.type
        with socket.fromfd(number, family, kind) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ZERO_LINGER)
        self.transport.abort()

    def shutdown(self) -> None:
        """A request that a fault holds back does not hold the server back."""
        super().shutdown()
        if self.stalled:
            self.transport.close()


class BufferedTransport:
    """A transport that can keep what is written, for a while."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.chunks: list[bytes] | None = None
        self._transport = transport
        # What is asked of it with every request.
        self.is_closing = transport.is_closing
        self._write = transport.write

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self.chunks is None:
            self._write(data)
        else:
            self.chunks.append(data)

    def flush(self) -> None:
        parts, self.chunks = self.chunks, None
        if parts:
            self._transport.writelines(parts)

    def close(self) -> None:
        self.flush()
        self._transport.close()
