"""A world that stands still, unless somebody waits for it to go on."""

import asyncio
from weakref import WeakKeyDictionary

from soundstage.server.waiters import Waiters
from soundstage.world.commands import Advance
from soundstage.world.errors import WorldError
from soundstage.world.world import World

MAX_ADVANCES_PER_TASK = 12
"""How often one request is helped: a stream would wait for ever."""


class AutoAdvancingWaiters(Waiters):
    """Turns a frozen clock to the instant that a request waits for."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._advance_counts: WeakKeyDictionary[object, int] = WeakKeyDictionary()

    async def wait_until(self, timestamp: int | None, since: int) -> None:
        """As ``Lobby`` has it; but what would never come in a frozen world comes.

        What does not come even so is waited for no more: a stream ends.
        """
        clock = self._world.clock
        if clock.speed or since != self.change_count:
            await super().wait_until(timestamp, since)
        elif not self._advance_to(timestamp):
            raise asyncio.CancelledError

    def _advance_to(self, timestamp: int | None) -> bool:
        task = asyncio.current_task()
        helped = self._advance_counts.get(task, 0)
        if timestamp is None or helped == MAX_ADVANCES_PER_TASK:
            return False
        self._advance_counts[task] = helped + 1
        try:
            self._world.apply(Advance(max(timestamp - self._world.clock.now(), 0)))
        except (WorldError, ValueError):
            return False  # it is too far away
        return True
