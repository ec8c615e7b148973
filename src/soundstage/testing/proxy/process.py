"""The proxy as it listens, until it is told to stop."""

import signal
import socket
from types import FrameType

import uvicorn

from soundstage.testing.proxy.relay import Relay
from soundstage.testing.proxy.upstream import Upstream


class ProxyServer(uvicorn.Server):
    """uvicorn's; what is under way is let go of before it waits for it."""

    def __init__(self, relay: Relay, upstream: Upstream) -> None:
        config = uvicorn.Config(
            relay,
            lifespan="off",
            ws="none",
            log_level="critical",  # what goes wrong stands in our own lines
            access_log=False,
            server_header=False,  # they are the service's
            date_header=False,
        )
        super().__init__(config)
        self._relay, self._upstream = relay, upstream

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: no exchange is waited for."""
        self._relay.close()
        await super().shutdown(sockets)
        await self._upstream.close()


def listen(relay: Relay, upstream: Upstream, listener: socket.socket) -> None:
    """Serve until the process is interrupted or told to end."""
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        ProxyServer(relay, upstream).run(sockets=[listener])
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """To be told to end is to be interrupted; uvicorn hands it on when it has ended."""
    raise KeyboardInterrupt
