"""The listening server: uvicorn, ports of single worlds, and its connections.

One module, because all of it depends on uvicorn: ``HttpServer`` configures it,
``UvicornConnection`` gives faults access to a connection.
"""

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

_ZERO_LINGER = struct.pack("ii", 1, 0)
"""SO_LINGER on, with a timeout of zero: ``close`` sends a TCP RST."""


def open_listener(host: str, port: int) -> socket.socket:
    """Open a listening socket. Raises ``OSError``, for a port in use too."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # asyncio sets TCP_NODELAY only on sockets whose protocol is TCP by name. Without
    # it, Nagle's algorithm delays responses on keep-alive connections by 40 ms.
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
    """Return the URL of a listening socket, such as ``http://127.0.0.1:4010``."""
    host, port = listener.getsockname()[:2]
    # A wildcard address cannot be connected to everywhere; the loopback address can.
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _UvicornServer(Server):
    """uvicorn's server, which cancels waiting requests before a graceful shutdown."""

    def __init__(self, config: Config, worlds: Worlds) -> None:
        super().__init__(config)
        self._worlds = worlds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # uvicorn waits for all requests to complete; these might wait for ever.
        self._worlds.close()
        await super().shutdown(sockets)


class HttpServer:
    """Serves an application on a socket, and single worlds on ports of their own."""

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
            proxy_headers=False,  # get_base_url reads X-Forwarded-Proto
            # Equal worlds return equal bytes, headers included.
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
        """Serve until ``stop``, in the running event loop."""
        await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        """Stop serving. Thread-safe."""
        self._server.should_exit = True

    def open_port(self) -> int:
        """Listen on another free port of the same host; returns its number.

        Call it in the server's thread, like ``close_port``.
        """
        listener = open_listener(self._listener.getsockname()[0], 0)
        port: int = listener.getsockname()[1]
        # The socket listens already: the kernel queues connections until the task runs.
        task = asyncio.get_running_loop().create_task(self._accept(listener))
        self._ports[port] = task
        return port

    def close_port(self, port: int) -> None:
        """Close a port that ``open_port`` returned."""
        task = self._ports.pop(port)
        if task.done():
            task.result().close()
        else:
            task.add_done_callback(lambda done: done.result().close())

    async def _accept(self, listener: socket.socket) -> asyncio.Server:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._create_protocol, sock=listener)
        # uvicorn closes it together with its own sockets.
        self._server.servers.append(server)
        return server

    def _create_protocol(self) -> asyncio.Protocol:
        """Create a connection as uvicorn does for its own sockets."""
        protocol: Callable[..., asyncio.Protocol] = self._config.http_protocol_class
        state = self._server.server_state
        return protocol(config=self._config, server_state=state, app_state={})


class UvicornConnection(HttpToolsProtocol):
    """A connection of uvicorn that faults can stall and cut.

    It implements ``ConnectionControl`` and is an extension in the scope of its
    requests.
    """

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
        """Keep what is written until ``flush``."""
        self._buffered_transport.chunks = []

    def flush(self) -> None:
        """Send what was kept, head and body at once: one packet, one system call."""
        self._buffered_transport.flush()

    def finish(self) -> None:
        """Send what was written, then close."""
        self.transport.close()

    def reset(self) -> None:
        """Close with a TCP RST."""
        # uvloop's socket object rejects setsockopt; a duplicate of the file descriptor
        # shares the option.
        shared = self.transport.get_extra_info("socket")
        number, family, kind = shared.fileno(), shared.family, shared.type
        with socket.fromfd(number, family, kind) as own:
            own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ZERO_LINGER)
        self.transport.abort()

    def shutdown(self) -> None:
        """Close a connection that a fault stalls, so that the server can stop."""
        super().shutdown()
        if self.stalled:
            self.transport.close()


class BufferedTransport:
    """A transport that can keep what is written until ``flush``."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self.chunks: list[bytes] | None = None
        self._transport = transport
        # Bound once: these are called for every request.
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
        chunks, self.chunks = self.chunks, None
        if chunks:
            self._transport.writelines(chunks)

    def close(self) -> None:
        self.flush()
        self._transport.close()
