"""A world that stands still, unless somebody waits for it to go on."""

import asyncio
from weakref import WeakKeyDictionary

from soundstage.server.waiting import Lobby
from soundstage.world.errors import WorldError
from soundstage.world.log import Advance
from soundstage.world.world import World

MOST = 12
"""How often one request is helped: a stream would wait for ever."""


class Hurried(Lobby):
    """Turns a frozen clock to the instant that a request waits for."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._helped: WeakKeyDictionary[object, int] = WeakKeyDictionary()

    async def until(self, at: int | None, since: int) -> None:
        """As ``Lobby`` has it; but what would never come in a frozen world comes.

        What does not come even so is waited for no more: a stream ends.
        """
        clock = self._world.clock
        if clock.speed or since != self.changes:
            await super().until(at, since)
        elif not self._helps(at):
            raise asyncio.CancelledError

    def _helps(self, at: int | None) -> bool:
        task = asyncio.current_task()
        helped = self._helped.get(task, 0)
        if at is None or helped == MOST:
            return False
        self._helped[task] = helped + 1
        try:
            self._world.apply(Advance(max(at - self._world.clock.now(), 0)))
        except (WorldError, ValueError):
            return False  # it is too far away
        return True
