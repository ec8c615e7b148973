"""What an API does by itself as time goes on: the ticks of cron expressions, in UTC."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from heapq import merge
from typing import TYPE_CHECKING, Protocol

from soundstage.world.clock import DAY, EPOCH, clamp_timestamp
from soundstage.world.errors import ClockJumpTooLarge, FixtureError

if TYPE_CHECKING:
    from soundstage.world.collection import Collection
    from soundstage.world.commands import Command
    from soundstage.world.scenario import Definitions
    from soundstage.world.state import State

MAX_TICKS = 50_000
"""How many ticks a clock may pass at once: about five years of an hourly task."""

_FIELDS = 5  # minute, hour, day, month, weekday: nothing is finer than a minute
_LAST = "\U0010ffff"  # a key after all others


class ScheduleView(Protocol):
    """So much of a state as crons are found in; no history is drawn for less."""

    @property
    def definitions(self) -> "Definitions":
        """What runs are drawn from."""

    def collection(self, name: str) -> "Collection":
        """The records of one kind. Raises ``Unknown``."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Cron expressions that are in force, by a key each, and what their ticks do.

    Both are given the state as it is at an instant and are pure: what they give depends
    on nothing but their arguments. ``crons`` is asked again after every tick and every
    command, not in between. The commands of a tick are applied at its instant and not
    logged, since they follow from what is.
    """

    cron_expressions: Callable[[ScheduleView, int], Mapping[str, str]]
    commands_for_tick: Callable[["State", str, int], Sequence["Command"]]


@dataclass(frozen=True, order=True, slots=True)
class Tick:
    """An instant at which the cron expression of this key is due."""

    timestamp: int
    key: str


def find_first_tick(crons: Mapping[str, str], after: Tick) -> Tick | None:
    """The first tick after another one; those of one instant go by their keys."""
    found = (
        Tick(at, key)
        for key, cron in crons.items()
        if (at := next_cron_tick(cron, after.timestamp - (key > after.key))) is not None
    )
    return min(found, default=None)


@lru_cache(maxsize=4096)
def next_cron_tick(cron: str, after: int) -> int | None:
    """The first instant after another one that a cron expression names; None if none.

    Raises ``ValueError`` for what is no cron expression of five fields.
    """
    from cronsim import CronSim, CronSimError

    if len(cron.split()) != _FIELDS:
        raise ValueError(f"{cron!r} is no cron expression of {_FIELDS} fields")
    try:
        moment = next(CronSim(cron, EPOCH + timedelta(milliseconds=after)))
    except CronSimError as error:
        msg = f"{cron!r} is no cron expression: {error}"
        raise ValueError(msg) from error
    except (StopIteration, OverflowError):
        return None
    return (moment - EPOCH) // timedelta(milliseconds=1)


def validate_cron(cron: str, pointer: str) -> None:
    """Raise ``FixtureError`` for what is no cron expression."""
    try:
        next_cron_tick(cron, 0)
    except ValueError as error:
        raise FixtureError(str(error), pointer) from error


def count_ticks(crons: Iterable[str], start: int, end: int) -> int:
    """How many ticks there are, if both ends are whole days; enough to be too many."""
    ticks = 0
    for day, of_day in merge(
        *(_tick_days(cron, clamp_timestamp(start - DAY)) for cron in crons)
    ):
        if day > end or ticks > MAX_TICKS:
            break
        ticks += of_day
    return ticks


def _tick_days(cron: str, after: int) -> Iterator[tuple[int, int]]:
    """The midnights of the days on which a cron ticks, and how often it does then."""
    from cronsim import CronSim

    start = EPOCH + timedelta(milliseconds=after)
    parsed = CronSim(" ".join(["0 0", *cron.split()[2:]]), start)
    of_day = CronSim(cron, EPOCH)
    ticks = len(of_day.hours) * len(of_day.minutes)
    with suppress(OverflowError):  # the years end
        for moment in parsed:
            yield (moment - EPOCH) // timedelta(milliseconds=1), ticks


class Scheduler:
    """Which tick is next, of all APIs that have a schedule.

    ``state_of`` gives the state of an API as it is by the last tick, ``overview_of``
    what crons see of it.
    """

    def __init__(
        self,
        schedules: Mapping[str, Schedule],
        history_end: int,
        state_of: Callable[[str], "State"],
        view_of: Callable[[str], ScheduleView],
    ) -> None:
        self._schedules = schedules
        self._state_of = state_of
        self._view_of = view_of
        self._passed = dict.fromkeys(schedules, Tick(history_end, ""))
        self._next: dict[str, Tick | None] = {}
        self._due: tuple[tuple[Tick, str] | None] | None = None

    def is_due(self, now: int) -> bool:
        """Whether there may be something to do by now. O(1)."""
        if self._due is None:
            return bool(self._schedules)
        due = self._due[0]
        return due is not None and due[0].timestamp <= now

    def next_tick(self) -> tuple[Tick, str] | None:
        """The first tick to come, and whose it is. O(1) until something changes."""
        if self._due is None:
            found = ((self._next_tick_of(api), api) for api in self._passed)
            ticks = [(tick, api) for tick, api in found if tick]
            self._due = (min(ticks, default=None),)
        return self._due[0]

    def commands_for(self, tick: Tick, api: str) -> Sequence["Command"]:
        """What a tick does; the next one is looked for after it."""
        self._passed[api] = tick
        self.invalidate(api)
        return self._schedules[api].commands_for_tick(
            self._state_of(api), tick.key, tick.timestamp
        )

    def invalidate(self, api: str) -> None:
        """Look again: its crons may be others now."""
        self._next.pop(api, None)
        self._due = None

    def reschedule(self, api: str, timestamp: int) -> None:
        """Look again, from the instant of a command on: what it brings is not due yet.

        All that was due by then has been done.
        """
        if api in self._passed:
            self._passed[api] = max(self._passed[api], Tick(timestamp, _LAST))
            self.invalidate(api)

    def check_advance(self, start: int, end: int) -> None:
        """Raise ``TooFar`` if a clock would pass too many ticks at once."""
        if end - start <= DAY:
            return
        ticks = sum(
            count_ticks(self._cron_expressions_of(api, start).values(), start, end)
            for api in self._schedules
        )
        if ticks > MAX_TICKS:
            raise ClockJumpTooLarge(MAX_TICKS)

    def _next_tick_of(self, api: str) -> Tick | None:
        if api not in self._next:
            passed = self._passed[api]
            self._next[api] = find_first_tick(
                self._cron_expressions_of(api, passed.timestamp), passed
            )
        return self._next[api]

    def _cron_expressions_of(self, api: str, timestamp: int) -> Mapping[str, str]:
        return self._schedules[api].cron_expressions(self._view_of(api), timestamp)
