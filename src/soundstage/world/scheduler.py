"""Scheduled runs: the commands that ticks of cron expressions apply to APIs."""

from collections.abc import Callable, Mapping, Sequence

from soundstage.world.clock import DAY
from soundstage.world.commands import Command
from soundstage.world.cron import MAX_TICKS, Tick, count_ticks, find_first_tick
from soundstage.world.errors import ClockJumpTooLarge
from soundstage.world.state import Schedule, ScheduleView, State

_LAST_KEY = "\U0010ffff"  # greater than the key of any task


class Scheduler:
    """Finds the next tick among all APIs that have a schedule.

    ``state_of`` returns the state of an API as of its last tick, ``view_of`` the part
    of it that cron expressions depend on. Ticks begin after ``history_end``.
    """

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        history_end: int,
        state_of: Callable[[str], State],
        view_of: Callable[[str], ScheduleView],
    ) -> None:
        self._schedules = schedules
        self._state_of = state_of
        self._view_of = view_of
        self._passed = dict.fromkeys(schedules, Tick(history_end, ""))
        self._next: dict[str, Tick | None] = {}
        # None: unknown; a tuple of None: no API has another tick.
        self._due: tuple[tuple[Tick, str] | None] | None = None

    def is_due(self, now: int) -> bool:
        """Whether a tick may be due. O(1)."""
        if self._due is None:
            return bool(self._schedules)
        due = self._due[0]
        return due is not None and due[0].timestamp <= now

    def next_tick(self) -> tuple[Tick, str] | None:
        """Return the next tick and its API. O(1) until something changes."""
        if self._due is None:
            pairs = ((self._next_tick_of(api), api) for api in self._passed)
            ticks = [(tick, api) for tick, api in pairs if tick]
            self._due = (min(ticks, default=None),)
        return self._due[0]

    def commands_for(self, tick: Tick, api: str) -> Sequence[Command]:
        """Return the commands of a tick, and go on to the next one."""
        self._passed[api] = tick
        self.invalidate(api)
        schedule = self._schedules[api]
        return schedule.commands_for_tick(self._state_of(api), tick.key, tick.timestamp)

    def invalidate(self, api: str) -> None:
        """Recompute the next tick: the cron expressions may have changed."""
        self._next.pop(api, None)
        self._due = None

    def reschedule(self, api: str, timestamp: int) -> None:
        """Recompute the next tick after a command at ``timestamp``.

        All earlier ticks have been applied. A cron expression that the command adds is
        first due after it.
        """
        if api in self._passed:
            self._passed[api] = max(self._passed[api], Tick(timestamp, _LAST_KEY))
            self.invalidate(api)

    def check_advance(self, start: int, end: int) -> None:
        """Raise ``ClockJumpTooLarge`` if an advance would pass too many ticks."""
        # A cron expression has at most 1,440 ticks a day: short advances need no count.
        if end - start <= DAY:
            return
        ticks = sum(
            count_ticks(self._crons_of(api, start).values(), start, end) for api in self._schedules
        )
        if ticks > MAX_TICKS:
            raise ClockJumpTooLarge(MAX_TICKS)

    def _next_tick_of(self, api: str) -> Tick | None:
        if api not in self._next:
            passed = self._passed[api]
            crons = self._crons_of(api, passed.timestamp)
            self._next[api] = find_first_tick(crons, passed)
        return self._next[api]

    def _crons_of(self, api: str, timestamp: int) -> Mapping[str, str]:
        return self._schedules[api].cron_expressions(self._view_of(api), timestamp)
