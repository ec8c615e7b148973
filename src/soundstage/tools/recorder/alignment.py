"""The recorder's clock and the one of what was recorded."""

from collections.abc import Iterable
from dataclasses import dataclass

STRANGE = 2.0
"""So many times as fast as the recorder's no clock goes that follows the wall."""

LONG = 10_000
"""Milliseconds that the recorded clock must have gone on to be compared."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Gives the instant on the recorded clock of one on the recorder's."""

    origin: int
    speed: float
    shift: int

    def __call__(self, at: int) -> int:
        """The recorded clock's instant, or a little less."""
        return round(self.origin + (at - self.origin) * self.speed) + self.shift


def align(pairs: Iterable[tuple[int, int]], origin: int, speed: float) -> Alignment:
    """What brings every moment that was told to be no later than when it was seen.

    ``pairs`` have when something was seen, and a moment that it told. Clocks that
    follow the wall agree, unless what was seen was to come.
    """
    straight = Alignment(origin, speed, 0)
    ahead = [moment - straight(seen) for seen, moment in pairs]
    shift = max(ahead, default=0)
    return Alignment(origin, speed, max(0, shift) if speed == 1 else shift)


def pace(pairs: Iterable[tuple[int, int]]) -> float | None:
    """How many times as fast the recorded clock seems to have gone; None if as fast."""
    newest: dict[int, int] = {}
    for seen, moment in pairs:
        newest[seen] = max(moment, newest.get(seen, moment))
    if not newest:
        return None
    first, last = min(newest), max(newest)
    gone, told = last - first, newest[last] - newest[first]
    return told / gone if gone and told > max(LONG, STRANGE * gone) else None
