"""The proxy as it listens, until it is told to stop."""

import signal
import socket
from types import FrameType

import uvicorn

from soundstage.tools.proxy.reverse_proxy import ReverseProxy
from soundstage.tools.proxy.upstream import Upstream


class ProxyServer(uvicorn.Server):
    """uvicorn's; what is under way is let go of before it waits for it."""

    def __init__(self, proxy: ReverseProxy, upstream: Upstream) -> None:
        config = uvicorn.Config(
            proxy,
            lifespan="off",
            ws="none",
            log_level="critical",  # what goes wrong stands in our own lines
            access_log=False,
            server_header=False,  # they are the service's
            date_header=False,
        )
        super().__init__(config)
        self._proxy, self._upstream = proxy, upstream

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: no exchange is waited for."""
        self._proxy.close()
        await super().shutdown(sockets)
        await self._upstream.close()


def serve(proxy: ReverseProxy, upstream: Upstream, listener: socket.socket) -> None:
    """Serve until the process is interrupted or told to end."""
    before = signal.signal(signal.SIGTERM, raise_interrupt)
    try:
        ProxyServer(proxy, upstream).run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


def raise_interrupt(_signal: int, _frame: FrameType | None) -> None:
    """To be told to end is to be interrupted; uvicorn hands it on when it has ended."""
    raise KeyboardInterrupt
