"""The connection to one client, as faults use it: paused, stalled or cut."""

from typing import NamedTuple, Protocol

from starlette.types import Receive, Scope, Send

from soundstage.server.message import EncodedResponse, send_response
from soundstage.world.clock import completes_within, sleep

CONNECTION_EXTENSION = "soundstage.connection"
"""ASGI extension with the ``ConnectionControl``; absent in process (no socket)."""


class ConnectionCut(ConnectionError):
    """The connection was cut. Raised in process only, instead of cutting one."""


class NoResponse(TimeoutError):
    """No response is sent. Raised in process only, instead of a client's timeout."""


class ConnectionControl(Protocol):
    """What a fault can do with a connection.

    A ``stalled`` connection is closed when the server stops. After ``finish`` or
    ``reset``, ``receive`` returns ``http.disconnect``.
    """

    stalled: bool

    def buffer(self) -> None:
        """Keep what is written until ``flush``."""

    def flush(self) -> None:
        """Send what was kept."""

    def finish(self) -> None:
        """Send what was written, then close."""

    def reset(self) -> None:
        """Close with a TCP RST."""


class ClientConnection(NamedTuple):
    """The ASGI interface of one request, and the connection if there is one."""

    scope: Scope
    receive: Receive
    send: Send

    async def send_all(self, response: EncodedResponse) -> None:
        """Send a whole response, head and body in one write."""
        control = self._get_control()
        if control:
            control.buffer()
        try:
            await send_response(response, self.send)
        finally:
            if control:
                control.flush()

    async def send_start(self, response: EncodedResponse) -> None:
        """Send the status and the headers."""
        await self.send(response.start_event)

    async def send_chunk(self, body: bytes, *, last: bool = False) -> None:
        """Send a part of the body."""
        event = {"type": "http.response.body", "body": body, "more_body": not last}
        await self.send(event)

    async def pause(self, duration_ms: int) -> None:
        """Wait for a duration of real time, or until the client disconnects."""
        control = self._get_control()
        if control is None:
            await sleep(duration_ms)
            return
        control.stalled = True
        await completes_within(duration_ms, self._wait_for_disconnect())
        control.stalled = False

    async def hang(self, duration_ms: int) -> None:
        """Send nothing until the client disconnects, or for a duration; then close.

        Raises ``NoResponse``.
        """
        if self._get_control() is None:
            raise NoResponse("no response was sent")
        await self.pause(duration_ms)
        await self.finish()

    async def finish(self) -> None:
        """Close the connection after what was sent. Raises ``ConnectionCut``."""
        control = self._get_control()
        if control is None:
            raise ConnectionCut("the connection was closed before the response was complete")
        control.finish()
        await self._wait_for_disconnect()

    async def reset(self) -> None:
        """Reset the connection. Raises ``ConnectionCut``."""
        control = self._get_control()
        if control is None:
            raise ConnectionCut("the connection was reset")
        control.reset()
        await self._wait_for_disconnect()

    def _get_control(self) -> ConnectionControl | None:
        control: ConnectionControl | None
        control = self.scope.get("extensions", {}).get(CONNECTION_EXTENSION)
        return control

    async def _wait_for_disconnect(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
