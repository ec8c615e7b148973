"""Coroutines that wait for a world: for a time on its clock, or for a change."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

from starlette.types import Receive

from soundstage.world.clock import DAY, completes_within
from soundstage.world.world import World

T = TypeVar("T")

_CANCELLED = "waiting was cancelled: the world was reset, or the server stops"


class ClientDisconnected(ConnectionError):
    """The client disconnected before its response was complete."""


class WorldClosed(ConnectionError):
    """The server stops, or the world was reset, replaced or deleted."""


class Waiters:
    """The coroutines that wait for one world.

    Not thread-safe: use it from the server's event loop. ``change_count`` counts the
    changes that wake them: commands, and changes of the clock's speed.
    """

    def __init__(self, world: World) -> None:
        self.change_count = 0
        self._is_open = True
        self._world = world
        self._pending: set[asyncio.Future[None]] = set()
        self._tasks: set[asyncio.Task[object]] = set()
        world.on_change = self.notify_all

    def notify_all(self) -> None:
        """Wake all waiters."""
        self.change_count += 1
        while self._pending:
            future = self._pending.pop()
            if not future.done():
                future.set_result(None)

    def close(self) -> None:
        """Cancel all waiters and reject new ones."""
        self._is_open = False
        self.cancel_all()

    def cancel_all(self) -> None:
        """Cancel all waiters."""
        for task in tuple(self._tasks):
            task.cancel()

    async def wait_until(self, timestamp: int | None, since: int) -> None:
        """Wait until a virtual timestamp (never, if None) or the next change.

        ``since`` is the ``change_count`` that the caller has seen; a change after that
        ends the wait at once.
        """
        if since != self.change_count:
            return
        clock = self._world.clock
        change: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._pending.add(change)
        try:
            while not change.done() and (timestamp is None or clock.now() < timestamp):
                if timestamp is None or not clock.speed:
                    await change
                else:
                    # A day at most: a slow clock could ask for more than a timer takes.
                    real_ms = (timestamp - clock.now()) / clock.speed
                    await completes_within(int(min(real_ms, DAY)) + 1, asyncio.shield(change))
        finally:
            self._pending.discard(change)

    async def run_until_disconnect(self, work: Coroutine[None, None, T], receive: Receive) -> T:
        """Run a coroutine and return its result; cancel it if the client disconnects.

        Raises ``ClientDisconnected`` and ``WorldClosed``.
        """
        if not self._is_open:
            work.close()
            raise WorldClosed(_CANCELLED)
        task = asyncio.ensure_future(work)
        disconnect = asyncio.ensure_future(_wait_for_disconnect(receive))
        self._tasks.add(task)
        try:
            await asyncio.wait({task, disconnect}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                task.cancel()
            return await task
        except asyncio.CancelledError:
            if not task.cancelled():  # this request's own task was cancelled
                raise
            reason = ClientDisconnected if disconnect.done() else WorldClosed
            raise reason(_CANCELLED) from None
        finally:
            self._tasks.discard(task)
            disconnect.cancel()
            if not task.done():
                task.cancel()


async def _wait_for_disconnect(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
