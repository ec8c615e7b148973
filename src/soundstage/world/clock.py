"""Virtual time, and the only place where the wall clock is read.

An instant is an ``int``: milliseconds since 1970-01-01T00:00:00Z. A span is an ``int``
of milliseconds.
"""

import re
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

DURATION_UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}

MAX_SPEED = 1_000_000  # virtual seconds per second

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MIN_TIMESTAMP = (
    -62_135_596_800_000
)  # 0001-01-01T00:00:00Z, the first that RFC 3339 writes
MAX_TIMESTAMP = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z, the last one


def wall_clock_now() -> int:
    """The instant on the machine's own clock."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - the one place


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000  # noqa: TID251 - the one place


async def sleep(duration: int) -> None:
    """Let a span of the wall's time go by."""
    import asyncio

    await asyncio.sleep(duration / SECOND)  # noqa: TID251 - the one place


async def completes_within(duration: int, awaitable: Awaitable[object]) -> bool:
    """Whether it happens before a span of the wall's time has gone by."""
    import asyncio

    try:
        await asyncio.wait_for(awaitable, duration / SECOND)
    except TimeoutError:
        return False
    return True


class Clock:
    """Virtual time: follows the wall at ``speed``, frozen at speed 0; never goes back.

    ``start`` is the instant it begins at, the wall's own when ``None``. ``elapsed``
    gives the wall's milliseconds; tests hand in their own.
    """

    def __init__(
        self,
        start: int | None = None,
        speed: float = 1.0,
        monotonic_ms: Callable[[], int] = _monotonic_ms,
    ) -> None:
        self._monotonic_ms = monotonic_ms
        self._base_monotonic = monotonic_ms()
        self._base_timestamp = wall_clock_now() if start is None else start
        self._speed = _validate_speed(speed)
        _validate_timestamp(self._base_timestamp)

    def new_clock(self, start: int | None, speed: float) -> "Clock":
        """Another clock by the same wall."""
        return Clock(start, speed, self._monotonic_ms)

    @property
    def speed(self) -> float:
        """Virtual seconds that go by in one second of the wall."""
        return self._speed

    def now(self) -> int:
        """The present instant; ``LATEST`` at most."""
        if not self._speed:
            return self._base_timestamp
        run = int((self._monotonic_ms() - self._base_monotonic) * self._speed)
        return min(self._base_timestamp + run, MAX_TIMESTAMP)

    def advance(self, duration: int) -> int:
        """Go forward at once; returns the new present."""
        if duration < 0:
            msg = f"a clock is advanced by a span of 0 or more, not {duration} ms"
            raise ValueError(msg)
        self._rebase(_validate_timestamp(self.now() + duration))
        return self._base_timestamp

    def set_speed(self, speed: float) -> None:
        """Follow the wall at this speed from now on; 0 freezes."""
        speed = _validate_speed(speed)
        self._rebase(self.now())
        self._speed = speed

    def _rebase(self, timestamp: int) -> None:
        self._base_timestamp, self._base_monotonic = timestamp, self._monotonic_ms()


def _validate_speed(speed: float) -> float:
    if not 0 <= speed <= MAX_SPEED:  # NaN is refused too
        msg = f"a clock's speed is a number from 0 to {MAX_SPEED}, not {speed}"
        raise ValueError(msg)
    return speed


def _validate_timestamp(timestamp: int) -> int:
    if not MIN_TIMESTAMP <= timestamp <= MAX_TIMESTAMP:
        msg = "a clock shows the years 0001 to 9999"
        raise ValueError(msg)
    return timestamp


@lru_cache(4096)  # one instant is told many times: in a page, in every answer of a test
def format_rfc3339(timestamp: int) -> str:
    """``2026-01-01T00:00:00.000Z``: fixed width, so that text order is time order."""
    day, rest = divmod(timestamp, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds, ms = divmod(rest, SECOND)
    return f"{_format_date(day)}T{hours:02}:{minutes:02}:{seconds:02}.{ms:03}Z"


@lru_cache(maxsize=512)
def _format_date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).date().isoformat()


_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)",
    re.ASCII,
)


def parse_rfc3339(text: str) -> int:
    """The instant of an RFC 3339 text with any offset; finer than ms is cut off.

    What lies outside the years 0001 to 9999 is the nearest instant inside.
    Raises ``ValueError`` for anything that is not RFC 3339.
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        msg = f"{text!r} is not a date and time of RFC 3339"
        raise ValueError(msg)
    day, clock, fraction, offset = match.groups()
    if day.startswith("0000"):
        return MIN_TIMESTAMP
    offset = "+00:00" if offset in "Zz" else offset
    leap = clock.endswith(":60")  # a leap second is read as the one after :59
    clock = clock[:-2] + "59" if leap else clock
    moment = datetime.fromisoformat(f"{day}T{clock}{offset}")
    whole = (moment - EPOCH) // timedelta(milliseconds=1) + leap * SECOND
    return clamp_timestamp(whole + int((fraction or "0").ljust(3, "0")[:3]))


def clamp_timestamp(timestamp: int) -> int:
    """The nearest instant in the years 0001 to 9999."""
    return max(MIN_TIMESTAMP, min(timestamp, MAX_TIMESTAMP))


_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)", re.ASCII)


def parse_duration(text: str) -> int:
    """The milliseconds of ``250ms``, ``4s``, ``2m``, ``3h`` or ``1d``."""
    match = _DURATION.fullmatch(text)
    if match is None:
        msg = f"{text!r} is not a duration such as 250ms, 4s, 2m, 3h or 1d"
        raise ValueError(msg)
    return int(match[1]) * DURATION_UNITS[match[2]]
