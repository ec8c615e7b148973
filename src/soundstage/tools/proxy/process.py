"""Run the proxy as a server until it is interrupted."""

import signal
import socket
from types import FrameType

import uvicorn

from soundstage.tools.proxy.reverse_proxy import ReverseProxy
from soundstage.tools.proxy.upstream import Upstream


class ProxyServer(uvicorn.Server):
    """A uvicorn server that cancels the exchanges in progress before it shuts down."""

    def __init__(self, proxy: ReverseProxy, upstream: Upstream) -> None:
        config = uvicorn.Config(
            proxy,
            lifespan="off",
            ws="none",
            log_level="critical",  # errors are in the lines of the proxy itself
            access_log=False,
            server_header=False,  # these headers come from the service
            date_header=False,
        )
        super().__init__(config)
        self._proxy, self._upstream = proxy, upstream

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop without waiting for exchanges."""
        # uvicorn waits for requests in progress, and a stream may never end.
        self._proxy.close()
        await super().shutdown(sockets)
        await self._upstream.close()


def serve(proxy: ReverseProxy, upstream: Upstream, listener: socket.socket) -> None:
    """Serve until the process receives SIGINT or SIGTERM."""
    before = signal.signal(signal.SIGTERM, raise_interrupt)
    try:
        ProxyServer(proxy, upstream).run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


def raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Treat SIGTERM like SIGINT: uvicorn raises the signal again after its shutdown."""
    raise KeyboardInterrupt
