"""The way to one client: slow, silent or cut, if a fault wants it so."""

from typing import NamedTuple, Protocol

from starlette.types import Receive, Scope, Send

from soundstage.server.message import EncodedResponse, send_response
from soundstage.world.clock import wait, within

CONNECTION_EXTENSION = "soundstage.connection"
"""Where the extensions of an ASGI scope carry the connection; not so in process."""


class ConnectionCut(ConnectionError):
    """The connection was cut. Raised in process only, where there is none to cut."""


class NoResponse(TimeoutError):
    """No answer comes. Raised in process only, where nobody waits for it."""


class ConnectionControl(Protocol):
    """What a fault may do to a connection. Who is ``held`` goes when the server stops.

    Both ways to end it let ``receive`` give ``http.disconnect``.
    """

    stalled: bool

    def buffer(self) -> None:
        """Keep what is written until ``pour``."""

    def flush(self) -> None:
        """Send what was kept."""

    def finish(self) -> None:
        """Send what was written, then close."""

    def reset(self) -> None:
        """Close with a TCP RST."""


class ClientConnection(NamedTuple):
    """The ASGI ends of one request."""

    scope: Scope
    receive: Receive
    send: Send

    async def send_all(self, response: EncodedResponse) -> None:
        """The whole answer at once."""
        connection = self._get_control()
        if connection:
            connection.buffer()
        try:
            await send_response(response, self.send)
        finally:
            if connection:
                connection.flush()

    async def send_start(self, response: EncodedResponse) -> None:
        """Status and headers."""
        await self.send(response.start_event)

    async def send_chunk(self, body: bytes, *, last: bool = False) -> None:
        """Some of the body."""
        part = {"type": "http.response.body", "body": body, "more_body": not last}
        await self.send(part)

    async def pause(self, duration_ms: int) -> None:
        """Let time of the wall go by; no longer than the client waits."""
        connection = self._get_control()
        if connection is None:
            await wait(duration_ms)
            return
        connection.stalled = True
        await within(duration_ms, self._wait_for_disconnect())
        connection.stalled = False

    async def hang(self, duration_ms: int) -> None:
        """Say nothing until the client goes, or for so long. Raises ``Silent``."""
        if self._get_control() is None:
            raise NoResponse("no answer came")
        await self.pause(duration_ms)
        await self.finish()

    async def finish(self) -> None:
        """Close after what was sent. Raises ``Cut``."""
        connection = self._get_control()
        if connection is None:
            raise ConnectionCut(
                "the connection was closed before the answer was complete"
            )
        connection.finish()
        await self._wait_for_disconnect()

    async def reset(self) -> None:
        """Reset the connection. Raises ``Cut``."""
        connection = self._get_control()
        if connection is None:
            raise ConnectionCut("the connection was reset")
        connection.reset()
        await self._wait_for_disconnect()

    def _get_control(self) -> ConnectionControl | None:
        connection: ConnectionControl | None
        connection = self.scope.get("extensions", {}).get(CONNECTION_EXTENSION)
        return connection

    async def _wait_for_disconnect(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
