"""Moments and spans, told from how an API writes them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from soundstage.types import Json
from soundstage.world.clock import EARLIEST, LATEST, SECOND, instant_of
from soundstage.world.record import Vocabulary

_PROBE = 1_767_225_600_123
_UNITS = {10: ("s", 1), 13: ("ms", SECOND), 16: ("us", 10**6), 19: ("ns", 10**9)}
"""By how many digits an instant of our time has: the unit, and so many a second."""

_LOOSE = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d{1,2})(:\d\d:\d\d)(\.\d+)?(?: ?(?:Z|UTC|\+00(?::?00)*))?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class _Elapsed:
    name: str
    draw: Callable[[int, int], Json]
    unit: float  # milliseconds


class Moments:
    """Reads what the moments of a vocabulary have written."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._shapes: dict[tuple[type, str], str] = {}
        self._elapsed: list[_Elapsed] = []
        for name, draw in vocabulary.moments.items():
            written = draw(_PROBE, _PROBE - SECOND)
            found = _read(written)
            if isinstance(written, int) and written and not draw(_PROBE, _PROBE):
                self._elapsed.append(_Elapsed(name, draw, SECOND / written))
            elif found and abs(found[1] - _PROBE) < SECOND:
                self._shapes.setdefault((type(written), found[0]), name)

    def told(self, value: Json) -> tuple[str, int] | None:
        """The name of the moment that a value is, and its instant."""
        found = _read(value)
        name = found and self._shapes.get((type(value), found[0]))
        return (name, found[1]) if found and name else None

    def ends(self, value: Json, began: int) -> Iterator[int]:
        """The instants at which something is over that lasted so long."""
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            for elapsed in self._elapsed:
                span = round(value * elapsed.unit)
                if span and began + span <= LATEST:
                    yield began + span

    def elapsed(self, value: Json, at: int, began: int) -> str | None:
        """The name of the span since the beginning that a value is, or nearly."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return None
        for elapsed in self._elapsed:
            off = abs(value - elapsed.draw(at, began)) * elapsed.unit
            if at > began and off < 1:
                return elapsed.name
        return None


def _read(value: Json) -> tuple[str, int] | None:
    """How an instant is written, and which it is; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    text = str(value)
    if text.isascii() and text.isdigit():
        unit, many = _UNITS.get(len(text), ("", 1))
        return (unit, int(text) * SECOND // many) if unit else None
    try:
        instant = instant_of(text)
    except ValueError:
        return _read_loosely(text)
    return ("text", instant) if EARLIEST < instant < LATEST else None


def _read_loosely(text: str) -> tuple[str, int] | None:
    """``2025-09-12 8:02:44.0 +00:00:00`` and the like, all of them UTC."""
    if not (match := _LOOSE.fullmatch(text)):
        return None
    day, hour, rest, fraction = match.groups()
    try:
        return "loose", instant_of(f"{day}T{hour:>02}{rest}{fraction or ''}Z")
    except ValueError:
        return None
