"""A world's clock in the hands of a test."""

from collections.abc import Callable
from datetime import datetime, timedelta

from soundstage.server.worlds import Hosted
from soundstage.testing.server import Server
from soundstage.world.clock import EPOCH, instant_of
from soundstage.world.log import Advance


def as_datetime(instant: int) -> datetime:
    """The instant as Python has it, in UTC."""
    return EPOCH + timedelta(milliseconds=instant)


def as_instant(moment: datetime | str) -> int:
    """The instant of a datetime that knows its offset, or of an RFC 3339 text.

    Raises ``ValueError``.
    """
    return instant_of(moment if isinstance(moment, str) else moment.isoformat())


class Clock:
    """Virtual time. It goes forward only; every method gives the new present."""

    def __init__(self, server: Server, hosted: Hosted) -> None:
        self._server, self._hosted = server, hosted

    @property
    def now(self) -> datetime:
        """The present, in UTC; its finest part is the millisecond."""
        return self._at(lambda: None)

    @property
    def speed(self) -> float:
        """Virtual seconds per second of the wall; 0 where it is frozen."""
        return self._server.do(lambda: self._hosted.world.clock.speed)

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
        return self._forward(lambda _: total // timedelta(milliseconds=1))

    def advance_to(self, moment: datetime | str) -> datetime:
        """Go forward to this moment. Raises ``ValueError`` for one that is past."""
        instant = as_instant(moment)
        return self._forward(lambda now: instant - now)

    def to_next(self) -> datetime:
        """Go to the next instant at which anything of any API changes by itself.

        Raises ``LookupError`` where nothing will.
        """
        return self._forward(self._until_next)

    def freeze(self) -> datetime:
        """Let time stand still, as it does when a test begins."""
        return self.run_at(0)

    def run_at(self, speed: float) -> datetime:
        """Follow the wall's clock at this speed. Raises ``ValueError``."""
        return self._at(lambda: self._hosted.world.run_at(speed))

    def _until_next(self, now: int) -> int:
        upcoming = self._hosted.world.next_change()
        if upcoming is None:
            raise LookupError("nothing changes by itself any more")
        return upcoming - now

    def _forward(self, span: Callable[[int], int]) -> datetime:
        world = self._hosted.world
        return self._at(lambda: world.apply(Advance(span(world.clock.now()))))

    def _at(self, action: Callable[[], object]) -> datetime:
        def acted() -> int:
            action()
            return self._hosted.world.clock.now()

        return as_datetime(self._server.do(acted))
