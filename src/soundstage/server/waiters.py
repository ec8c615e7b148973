"""Those who wait for a world: for an instant on its clock, or for a change."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.types import Receive

from soundstage.world.clock import DAY, completes_within
from soundstage.world.world import World

T = TypeVar("T")

_CANCELLED = "nothing is waited for any more"


class ClientDisconnected(ConnectionError):
    """The client went."""


class WorldClosed(ConnectionError):
    """The server stops, or the world is another one now."""


class Waiters:
    """Those who wait for one world. It belongs to the server's thread.

    ``changes`` counts what they are woken for.
    """

    def __init__(self, world: World) -> None:
        self.change_count = 0
        self._is_open = True
        self._world = world
        self._pending: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        world.on_change = self.notify_all

    def notify_all(self) -> None:
        """Let everybody look at what has become of the world."""
        self.change_count += 1
        while self._pending:
            sleeper = self._pending.pop()
            if not sleeper.done():
                sleeper.set_result(None)

    def close(self) -> None:
        """Send everybody home, and whoever comes after them."""
        self._is_open = False
        self.cancel_all()

    def cancel_all(self) -> None:
        """Send everybody home."""
        for task in tuple(self._tasks):
            task.cancel()

    async def wait_until(self, timestamp: int | None, since: int) -> None:
        """Come back at an instant (never, if None) or after the next change.

        It may have come already: ``since`` are the ``changes`` that the caller knows.
        """
        if since != self.change_count:
            return
        world = self._world
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.add(sleeper)
        try:
            while not sleeper.done() and (
                timestamp is None or world.clock.now() < timestamp
            ):
                if timestamp is None or not world.clock.speed:
                    await sleeper
                else:
                    span = (timestamp - world.clock.now()) / world.clock.speed
                    await completes_within(
                        int(min(span, DAY)) + 1, asyncio.shield(sleeper)
                    )
        finally:
            self._pending.discard(sleeper)

    async def run_until_disconnect(
        self, work: Coroutine[None, None, T], receive: Receive
    ) -> T:
        """What ``work`` gives. Raises ``Gone`` and ``Closed``."""
        if not self._is_open:
            work.close()
            raise WorldClosed(_CANCELLED)
        task = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(_wait_for_disconnect(receive))
        self._tasks.add(task)
        try:
            await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                task.cancel()
            return await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            reason = ClientDisconnected if leaving.done() else WorldClosed
            raise reason(_CANCELLED) from None
        finally:
            self._tasks.discard(task)
            leaving.cancel()
            if not task.done():
                task.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    """Come back when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
