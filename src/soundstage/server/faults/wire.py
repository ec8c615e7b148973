"""The way to one client: slow, silent or cut, if a fault wants it so."""

from typing import NamedTuple, Protocol

from starlette.types import Receive, Scope, Send

from soundstage.server.message import Message, send_message
from soundstage.world.clock import wait, within

CONNECTION = "soundstage.connection"
"""Where the extensions of an ASGI scope carry the connection; not so in process."""


class Cut(ConnectionError):
    """The connection was cut. Raised in process only, where there is none to cut."""


class Silent(TimeoutError):
    """No answer comes. Raised in process only, where nobody waits for it."""


class Connection(Protocol):
    """What a fault may do to a connection. Who is ``held`` goes when the server stops.

    Both ways to end it let ``receive`` give ``http.disconnect``.
    """

    held: bool

    def gather(self) -> None:
        """Keep what is written until ``pour``."""

    def pour(self) -> None:
        """Send what was kept."""

    def finish(self) -> None:
        """Send what was written, then close."""

    def reset(self) -> None:
        """Close with a TCP RST."""


class Wire(NamedTuple):
    """The ASGI ends of one request."""

    scope: Scope
    receive: Receive
    send: Send

    async def send_all(self, message: Message) -> None:
        """The whole answer at once."""
        connection = self._connection()
        if connection:
            connection.gather()
        try:
            await send_message(message, self.send)
        finally:
            if connection:
                connection.pour()

    async def start(self, message: Message) -> None:
        """Status and headers."""
        await self.send(message.start)

    async def send_part(self, body: bytes, *, last: bool = False) -> None:
        """Some of the body."""
        part = {"type": "http.response.body", "body": body, "more_body": not last}
        await self.send(part)

    async def pause(self, milliseconds: int) -> None:
        """Let time of the wall go by; no longer than the client waits."""
        connection = self._connection()
        if connection is None:
            await wait(milliseconds)
            return
        connection.held = True
        await within(milliseconds, self._gone())
        connection.held = False

    async def hang(self, milliseconds: int) -> None:
        """Say nothing until the client goes, or for so long. Raises ``Silent``."""
        if self._connection() is None:
            raise Silent("no answer came")
        await self.pause(milliseconds)
        await self.finish()

    async def finish(self) -> None:
        """Close after what was sent. Raises ``Cut``."""
        connection = self._connection()
        if connection is None:
            raise Cut("the connection was closed before the answer was complete")
        connection.finish()
        await self._gone()

    async def reset(self) -> None:
        """Reset the connection. Raises ``Cut``."""
        connection = self._connection()
        if connection is None:
            raise Cut("the connection was reset")
        connection.reset()
        await self._gone()

    def _connection(self) -> Connection | None:
        connection: Connection | None
        connection = self.scope.get("extensions", {}).get(CONNECTION)
        return connection

    async def _gone(self) -> None:
        while (await self.receive())["type"] != "http.disconnect":
            pass
