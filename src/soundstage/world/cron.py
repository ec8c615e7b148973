"""Cron expressions: their ticks, in UTC."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from heapq import merge

from soundstage.world.clock import DAY, EPOCH, clamp_timestamp
from soundstage.world.errors import FixtureError

MAX_TICKS = 50_000
"""The most ticks that one advance may pass: about five years of an hourly task."""

_FIELD_COUNT = 5  # minute, hour, day, month, weekday: nothing is finer than a minute


@dataclass(frozen=True, order=True, slots=True)
class Tick:
    """A timestamp at which the cron expression with this key is due."""

    timestamp: int
    key: str


def find_first_tick(crons: Mapping[str, str], after: Tick) -> Tick | None:
    """Return the first tick after another one, or None.

    Ticks of the same timestamp are ordered by their keys.

    >>> find_first_tick({"a": "0 * * * *", "b": "30 * * * *"}, Tick(0, ""))
    Tick(timestamp=0, key='a')
    """
    ticks = (
        Tick(timestamp, key)
        for key, cron in crons.items()
        # A greater key may still be due at the same timestamp.
        if (timestamp := next_cron_tick(cron, after.timestamp - (key > after.key))) is not None
    )
    return min(ticks, default=None)


@lru_cache(maxsize=4096)
def next_cron_tick(cron: str, after: int) -> int | None:
    """Return the first tick after a timestamp; None if the years end before it.

    Raises ``ValueError`` for anything but a cron expression of five fields.

    >>> next_cron_tick("0 * * * *", 1)
    3600000
    """
    from cronsim import CronSim, CronSimError

    if len(cron.split()) != _FIELD_COUNT:
        raise ValueError(f"{cron!r} is no cron expression of {_FIELD_COUNT} fields")
    try:
        moment = next(CronSim(cron, EPOCH + timedelta(milliseconds=after)))
    except CronSimError as error:
        msg = f"{cron!r} is no cron expression: {error}"
        raise ValueError(msg) from error
    except (StopIteration, OverflowError):
        return None
    return (moment - EPOCH) // timedelta(milliseconds=1)


def validate_cron(cron: str, pointer: str) -> None:
    """Raise ``FixtureError`` for anything but a cron expression."""
    try:
        next_cron_tick(cron, 0)
    except ValueError as error:
        raise FixtureError(str(error), pointer) from error


def count_ticks(crons: Iterable[str], start: int, end: int) -> int:
    """Count the ticks on the days from ``start`` to ``end``.

    The first and the last day count as a whole. Counting stops above ``MAX_TICKS``.
    """
    # Per day, not per tick: a clock may go forward thousands of years at once.
    ticks = 0
    for day, ticks_of_day in merge(
        *(_tick_days(cron, clamp_timestamp(start - DAY)) for cron in crons)
    ):
        if day > end or ticks > MAX_TICKS:
            break
        ticks += ticks_of_day
    return ticks


def _tick_days(cron: str, after: int) -> Iterator[tuple[int, int]]:
    """Yield the midnights of the days with ticks, and the number of ticks on each."""
    from cronsim import CronSim

    start = EPOCH + timedelta(milliseconds=after)
    days = CronSim(" ".join(["0 0", *cron.split()[2:]]), start)
    parsed = CronSim(cron, EPOCH)
    ticks = len(parsed.hours) * len(parsed.minutes)
    with suppress(OverflowError):  # datetime ends with the year 9999
        for moment in days:
            yield (moment - EPOCH) // timedelta(milliseconds=1), ticks
