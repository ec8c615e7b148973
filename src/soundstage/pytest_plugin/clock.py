"""A world's clock in the hands of a test."""

from collections.abc import Callable
from datetime import datetime, timedelta

from soundstage.server.background import BackgroundServer
from soundstage.server.hosts import WorldHost
from soundstage.world.clock import EPOCH, parse_rfc3339
from soundstage.world.commands import Advance


def as_datetime(timestamp: int) -> datetime:
    """The instant as Python has it, in UTC."""
    return EPOCH + timedelta(milliseconds=timestamp)


def as_timestamp(moment: datetime | str) -> int:
    """The instant of a datetime that knows its offset, or of an RFC 3339 text.

    Raises ``ValueError``.
    """
    return parse_rfc3339(moment if isinstance(moment, str) else moment.isoformat())


class Clock:
    """Virtual time. It goes forward only; every method gives the new present."""

    def __init__(self, server: BackgroundServer, world_host: WorldHost) -> None:
        self._server, self._world_host = server, world_host

    @property
    def now(self) -> datetime:
        """The present, in UTC; its finest part is the millisecond."""
        return self._run_and_get_now(lambda: None)

    @property
    def speed(self) -> float:
        """Virtual seconds per second of the wall; 0 where it is frozen."""
        return self._server.call(lambda: self._world_host.world.clock.speed)

    def advance(  # noqa: PLR0913 - one of them is given
        self,
        span: timedelta = timedelta(0),
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
        ms: float = 0,
    ) -> datetime:
        """Go forward at once, by the sum. Raises ``ValueError`` for less than 0."""
        total = span + timedelta(
            days=days, hours=hours, minutes=minutes, seconds=seconds, milliseconds=ms
        )
        return self._advance(lambda _: total // timedelta(milliseconds=1))

    def advance_to(self, moment: datetime | str) -> datetime:
        """Go forward to this moment. Raises ``ValueError`` for one that is past."""
        instant = as_timestamp(moment)
        return self._advance(lambda now: instant - now)

    def to_next(self) -> datetime:
        """Go to the next instant at which anything of any API changes by itself.

        Raises ``LookupError`` where nothing will.
        """
        return self._advance(self._duration_to_next_change)

    def freeze(self) -> datetime:
        """Let time stand still, as it does when a test begins."""
        return self.run_at(0)

    def run_at(self, speed: float) -> datetime:
        """Follow the wall's clock at this speed. Raises ``ValueError``."""
        return self._run_and_get_now(lambda: self._world_host.world.set_speed(speed))

    def _duration_to_next_change(self, now: int) -> int:
        upcoming = self._world_host.world.next_change()
        if upcoming is None:
            raise LookupError("nothing changes by itself any more")
        return upcoming - now

    def _advance(self, compute_duration: Callable[[int], int]) -> datetime:
        world = self._world_host.world
        return self._run_and_get_now(
            lambda: world.apply(Advance(compute_duration(world.clock.now())))
        )

    def _run_and_get_now(self, action: Callable[[], object]) -> datetime:
        def run_action() -> int:
            action()
            return self._world_host.world.clock.now()

        return as_datetime(self._server.call(run_action))
