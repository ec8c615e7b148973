"""Waiters for a frozen world that advance the clock when a request waits."""

import asyncio
from weakref import WeakKeyDictionary

from soundstage.server.waiters import Waiters
from soundstage.world.commands import Advance
from soundstage.world.errors import WorldError
from soundstage.world.world import World

MAX_ADVANCES_PER_TASK = 12
"""Limit for one request: a stream would otherwise wait forever."""


class AutoAdvancingWaiters(Waiters):
    """Advances a frozen clock to the timestamp that a request waits for."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        # Entries of finished tasks disappear.
        self._advance_counts: WeakKeyDictionary[object, int] = WeakKeyDictionary()

    async def wait_until(self, timestamp: int | None, since: int) -> None:
        """Wait for a change, or until a timestamp (ms since the epoch).

        With a frozen clock, advance it to the timestamp. If that is not possible,
        cancel the request, so that a stream ends.
        """
        clock = self._world.clock
        if clock.speed or since != self.change_count:
            await super().wait_until(timestamp, since)
        elif not self._advance_to(timestamp):
            raise asyncio.CancelledError

    def _advance_to(self, timestamp: int | None) -> bool:
        task = asyncio.current_task()
        count = self._advance_counts.get(task, 0)
        if timestamp is None or count == MAX_ADVANCES_PER_TASK:
            return False
        self._advance_counts[task] = count + 1
        try:
            self._world.apply(Advance(max(timestamp - self._world.clock.now(), 0)))
        except (WorldError, ValueError):
            return False  # the jump is too large for the clock
        return True
