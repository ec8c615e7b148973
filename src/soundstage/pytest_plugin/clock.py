"""The virtual clock of a test's world."""

from collections.abc import Callable
from datetime import datetime, timedelta

from soundstage.server.background import BackgroundWorld
from soundstage.world.clock import EPOCH, parse_rfc3339
from soundstage.world.commands import Advance
from soundstage.world.world import World


def as_datetime(timestamp: int) -> datetime:
    """Convert ms since the epoch to a ``datetime`` in UTC.

    >>> as_datetime(1767225600000).isoformat()
    '2026-01-01T00:00:00+00:00'
    """
    return EPOCH + timedelta(milliseconds=timestamp)


def as_timestamp(moment: datetime | str) -> int:
    """Convert an aware ``datetime`` or an RFC 3339 text to ms since the epoch.

    Raises ``ValueError`` for other texts and for a ``datetime`` without an offset.

    >>> as_timestamp("2026-01-01T00:00:00Z")
    1767225600000
    """
    return parse_rfc3339(moment if isinstance(moment, str) else moment.isoformat())


class Clock:
    """The virtual clock of a world, shared by all its APIs.

    It only moves forward. Methods that change it return the new time.
    """

    def __init__(self, world: BackgroundWorld) -> None:
        self._world = world

    @property
    def now(self) -> datetime:
        """The current virtual time in UTC, with a resolution of 1 ms."""
        return self._apply(lambda _: None)

    @property
    def speed(self) -> float:
        """Virtual seconds per second of wall-clock time; 0 is frozen."""
        return self._world.call(lambda world: world.clock.speed)

    def advance(  # noqa: PLR0913 - keywords of timedelta
        self,
        span: timedelta = timedelta(0),
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        ms: float = 0,
    ) -> datetime:
        """Advance by the sum of the durations. Raises ``ValueError`` if negative."""
        total = span + timedelta(
            days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=ms
        )
        return self._advance(lambda _: total // timedelta(milliseconds=1))

    def advance_to(self, moment: datetime | str) -> datetime:
        """Advance to this time. Raises ``ValueError`` if it is in the past."""
        timestamp = as_timestamp(moment)
        return self._advance(lambda world: timestamp - world.clock.now())

    def to_next(self) -> datetime:
        """Advance to the next change that any API makes by itself.

        Raises ``LookupError`` if there is none.
        """
        return self._advance(_duration_to_next_change)

    def freeze(self) -> datetime:
        """Stop the clock, as at the start of a test."""
        return self.run_at(0)

    def run_at(self, speed: float) -> datetime:
        """Follow the wall clock at this speed. Raises ``ValueError`` if negative."""
        return self._apply(lambda world: world.set_speed(speed))

    def _advance(self, compute_duration: Callable[[World], int]) -> datetime:
        return self._apply(lambda world: world.apply(Advance(compute_duration(world))))

    def _apply(self, action: Callable[[World], object]) -> datetime:
        # One call into the server's thread, so that no other change comes between the
        # action and the reading of the clock.
        def run_action(world: World) -> int:
            action(world)
            return world.clock.now()

        return as_datetime(self._world.call(run_action))


def _duration_to_next_change(world: World) -> int:
    timestamp = world.next_change()
    if timestamp is None:
        raise LookupError("nothing changes by itself any more")
    return timestamp - world.clock.now()
