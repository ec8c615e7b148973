"""Virtual time, and the only place where the wall clock is read.

A timestamp is an ``int``: milliseconds since 1970-01-01T00:00:00Z. A duration is an
``int`` of milliseconds.
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

MAX_SPEED = 1_000_000
"""The highest speed of a clock, in virtual seconds per second."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# RFC 3339 writes the years 0000 to 9999, and Python's datetime starts at 0001.
MIN_TIMESTAMP = -62_135_596_800_000  # 0001-01-01T00:00:00Z
MAX_TIMESTAMP = 253_402_300_799_999  # 9999-12-31T23:59:59.999Z


def wall_clock_now() -> int:
    """Return the timestamp of the machine's own clock."""
    return time.time_ns() // 1_000_000  # noqa: TID251 - the one place


def _monotonic_ms() -> int:
    return time.monotonic_ns() // 1_000_000  # noqa: TID251 - the one place


async def sleep(duration: int) -> None:
    """Wait for a duration of wall-clock time, in ms."""
    import asyncio

    await asyncio.sleep(duration / SECOND)  # noqa: TID251 - the one place


async def completes_within(duration: int, awaitable: Awaitable[object]) -> bool:
    """Whether the awaitable completes within ``duration`` ms of wall-clock time."""
    import asyncio

    try:
        await asyncio.wait_for(awaitable, duration / SECOND)
    except TimeoutError:
        return False
    return True


class Clock:
    """Virtual time that follows the wall clock at ``speed`` and never goes back.

    ``start`` is its first timestamp, by default that of the wall clock. Speed 0 freezes
    it. ``monotonic_ms`` returns the elapsed ms of real time; tests pass their own.

    >>> clock = Clock(start=0, speed=0)
    >>> clock.advance(90 * SECOND)
    90000
    >>> clock.now()
    90000
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
        """Create another clock that follows the same source of real time."""
        return Clock(start, speed, self._monotonic_ms)

    @property
    def speed(self) -> float:
        """Virtual seconds per second of real time; 0 if frozen."""
        return self._speed

    def now(self) -> int:
        """Return the present timestamp; at most ``MAX_TIMESTAMP``."""
        if not self._speed:
            return self._base_timestamp
        elapsed = int((self._monotonic_ms() - self._base_monotonic) * self._speed)
        return min(self._base_timestamp + elapsed, MAX_TIMESTAMP)

    def advance(self, duration: int) -> int:
        """Go forward by ``duration`` ms and return the new timestamp.

        Raises ``ValueError`` for a negative duration and beyond the year 9999.
        """
        if duration < 0:
            msg = f"a clock is advanced by a duration of 0 or more, not {duration} ms"
            raise ValueError(msg)
        self._rebase(_validate_timestamp(self.now() + duration))
        return self._base_timestamp

    def set_speed(self, speed: float) -> None:
        """Follow real time at this speed from now on; 0 freezes the clock."""
        speed = _validate_speed(speed)
        self._rebase(self.now())
        self._speed = speed

    def _rebase(self, timestamp: int) -> None:
        self._base_timestamp, self._base_monotonic = timestamp, self._monotonic_ms()


def _validate_speed(speed: float) -> float:
    # This form of the comparison rejects NaN too.
    if not 0 <= speed <= MAX_SPEED:
        msg = f"a clock's speed is a number from 0 to {MAX_SPEED}, not {speed}"
        raise ValueError(msg)
    return speed


def _validate_timestamp(timestamp: int) -> int:
    if not MIN_TIMESTAMP <= timestamp <= MAX_TIMESTAMP:
        msg = "a clock shows the years 0001 to 9999"
        raise ValueError(msg)
    return timestamp


# Responses repeat timestamps: within a page, and from one page to the next.
@lru_cache(4096)
def format_rfc3339(timestamp: int) -> str:
    """Format a timestamp in fixed width, so that text order is time order.

    >>> format_rfc3339(1_767_225_600_000)
    '2026-01-01T00:00:00.000Z'
    """
    day, rest = divmod(timestamp, DAY)
    hours, rest = divmod(rest, HOUR)
    minutes, rest = divmod(rest, MINUTE)
    seconds, ms = divmod(rest, SECOND)
    return f"{_format_date(day)}T{hours:02}:{minutes:02}:{seconds:02}.{ms:03}Z"


@lru_cache(maxsize=512)
def _format_date(day: int) -> str:
    return (EPOCH + timedelta(days=day)).date().isoformat()


_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d+))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def parse_rfc3339(text: str) -> int:
    """Parse an RFC 3339 date and time with any offset; digits below ms are cut off.

    A time outside the years 0001 to 9999 becomes the nearest timestamp inside.
    Raises ``ValueError`` for anything that is not RFC 3339.

    >>> parse_rfc3339("2026-01-01T01:00:00+01:00")
    1767225600000
    """
    match = _RFC3339.fullmatch(text)
    if match is None:
        msg = f"{text!r} is not a date and time of RFC 3339"
        raise ValueError(msg)
    day, clock, fraction, offset = match.groups()
    if day.startswith("0000"):
        return MIN_TIMESTAMP
    offset = "+00:00" if offset in "Zz" else offset
    # Python has no leap seconds: 23:59:60 is the second after 23:59:59.
    leap = clock.endswith(":60")
    clock = clock[:-2] + "59" if leap else clock
    moment = datetime.fromisoformat(f"{day}T{clock}{offset}")
    whole_ms = (moment - EPOCH) // timedelta(milliseconds=1) + leap * SECOND
    return clamp_timestamp(whole_ms + int((fraction or "0").ljust(3, "0")[:3]))


def clamp_timestamp(timestamp: int) -> int:
    """Return the nearest timestamp in the years 0001 to 9999."""
    return max(MIN_TIMESTAMP, min(timestamp, MAX_TIMESTAMP))


_DURATION = re.compile(r"(\d+)(ms|s|m|h|d)", re.ASCII)


def parse_duration(text: str) -> int:
    """Parse ``250ms``, ``4s``, ``2m``, ``3h`` or ``1d`` into ms.

    Raises ``ValueError`` for anything else.

    >>> parse_duration("2m")
    120000
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        msg = f"{text!r} is not a duration such as 250ms, 4s, 2m, 3h or 1d"
        raise ValueError(msg)
    return int(match[1]) * DURATION_UNITS[match[2]]
