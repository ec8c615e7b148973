"""Those who wait for a world: for an instant on its clock, or for a change."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.types import Receive

from soundstage.world.clock import DAY, within
from soundstage.world.world import World

T = TypeVar("T")

_OVER = "nothing is waited for any more"


class Gone(ConnectionError):
    """The client went."""


class Closed(ConnectionError):
    """The server stops, or the world is another one now."""


class Lobby:
    """Those who wait for one world. It belongs to the server's thread.

    ``changes`` counts what they are woken for.
    """

    def __init__(self, world: World) -> None:
        self.changes = 0
        self._open = True
        self._world = world
        self._asleep: set[asyncio.Future[None]] = set()
        self._at_work: set[asyncio.Task[object]] = set()
        world.changed = self.wake

    def wake(self) -> None:
        """Let everybody look at what has become of the world."""
        self.changes += 1
        while self._asleep:
            sleeper = self._asleep.pop()
            if not sleeper.done():
                sleeper.set_result(None)

    def close(self) -> None:
        """Send everybody home, and whoever comes after them."""
        self._open = False
        self.clear()

    def clear(self) -> None:
        """Send everybody home."""
        for task in tuple(self._at_work):
            task.cancel()

    async def until(self, at: int | None, since: int) -> None:
        """Come back at an instant (never, if None) or after the next change.

        It may have come already: ``since`` are the ``changes`` that the caller knows.
        """
        if since != self.changes:
            return
        world = self._world
        sleeper: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._asleep.add(sleeper)
        try:
            while not sleeper.done() and (at is None or world.clock.now() < at):
                if at is None or not world.clock.speed:
                    await sleeper
                else:
                    span = (at - world.clock.now()) / world.clock.speed
                    await within(int(min(span, DAY)) + 1, asyncio.shield(sleeper))
        finally:
            self._asleep.discard(sleeper)

    async def accompany(self, work: Coroutine[None, None, T], receive: Receive) -> T:
        """What ``work`` gives. Raises ``Gone`` and ``Closed``."""
        if not self._open:
            work.close()
            raise Closed(_OVER)
        task = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(_left(receive))
        self._at_work.add(task)
        try:
            await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                task.cancel()
            return await task
        except asyncio.CancelledError:
            if not task.cancelled():
                raise
            reason = Gone if leaving.done() else Closed
            raise reason(_OVER) from None
        finally:
            self._at_work.discard(task)
            leaving.cancel()
            if not task.done():
                task.cancel()


async def _left(receive: Receive) -> None:
    """Come back when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
