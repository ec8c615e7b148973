"""Timestamps and durations in the formats of an API, and clocks brought into line."""

import re
from collections.abc import Callable, Iterable, Iterator

from soundstage.types import Json
from soundstage.world.clock import MAX_TIMESTAMP, MIN_TIMESTAMP, SECOND, parse_rfc3339
from soundstage.world.record import ApiModel

_SAMPLE = 1_767_225_600_123  # 2026-01-01T00:00:00.123Z
# Units per second, by the number of digits that a present timestamp has.
_UNITS = {10: 1, 13: SECOND, 16: 10**6, 19: 10**9}
# ``2025-09-12 8:02:44.0 +00:00:00`` and the like, all of them UTC.
_LOOSE = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d{1,2})(:\d\d:\d\d)(\.\d+)?(?: ?(?:Z|UTC|\+00(?::?00)*))?", re.ASCII
)


class TimestampFormats:
    """Recognizes the timestamps and durations that fixtures of an API generate."""

    def __init__(self, model: ApiModel) -> None:
        self._names: dict[tuple[type, int], str] = {}
        # Name, function and ms per unit of the durations since a record began.
        self._durations: list[tuple[str, Callable[[int, int], Json], float]] = []
        for name, render in model.timestamp_formats.items():
            sample = render(_SAMPLE, _SAMPLE - SECOND)
            parsed = _parse(sample)
            # A duration is a number that is 0 when the record begins.
            if isinstance(sample, int) and sample and not render(_SAMPLE, _SAMPLE):
                self._durations.append((name, render, SECOND / sample))
            elif parsed and abs(parsed[1] - _SAMPLE) < SECOND:
                self._names.setdefault((type(sample), parsed[0]), name)

    def parse(self, value: Json) -> tuple[str, int] | None:
        """Return the name of a value's format and its timestamp (ms), or None."""
        parsed = _parse(value)
        name = parsed and self._names.get((type(value), parsed[0]))
        return (name, parsed[1]) if parsed and name else None

    def end_times(self, value: Json, began: int) -> Iterator[int]:
        """Yield the possible timestamps at the end of a duration since ``began``."""
        for _, _, unit in self._durations if _is_number(value) else ():
            duration = round(value * unit)
            if 0 < duration <= MAX_TIMESTAMP - began:
                yield began + duration

    def duration_name(self, value: Json, timestamp: int, began: int) -> str | None:
        """Return the format in which the value is the time since ``began``, or None."""
        for name, render, unit in self._durations if _is_number(value) else ():
            if timestamp > began and abs(value - render(timestamp, began)) * unit < 1:
                return name
        return None


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _parse(value: Json) -> tuple[int, int] | None:
    """Return the form (digits, or 0 for RFC 3339, 1 for a loose one) and the timestamp."""
    text = "" if isinstance(value, bool) or not isinstance(value, str | int) else str(value)
    if text.isascii() and text.isdigit():
        unit = _UNITS.get(len(text))
        return (len(text), int(text) * SECOND // unit) if unit else None
    match = _LOOSE.fullmatch(text)
    loose = "{}T{:0>2}{}{}Z".format(*match.groups("")) if match else ""
    for form, candidate in enumerate((text, loose)):
        try:
            timestamp = parse_rfc3339(candidate)
        except ValueError:
            continue
        # Zero values, such as the year 1 in Go, are no timestamps.
        return (form, timestamp) if MIN_TIMESTAMP < timestamp < MAX_TIMESTAMP else None
    return None


def align_clocks(
    pairs: Iterable[tuple[int, int]], origin: int, speed: float
) -> Callable[[int], int]:
    """Return the conversion from the recorder's clock to the recorded one.

    ``pairs`` are the time of an observation and a timestamp that it contained. Nothing is
    observed before it happens, so the recorded clock is moved ahead if necessary.
    """

    def scale(timestamp: int) -> int:
        return round(origin + (timestamp - origin) * speed)

    ahead = max((recorded - scale(seen) for seen, recorded in pairs), default=0)
    shift = max(0, ahead) if speed == 1 else ahead
    return lambda timestamp: scale(timestamp) + shift


def estimate_speed(pairs: Iterable[tuple[int, int]]) -> float | None:
    """Return how fast the recorded clock ran, or None if it followed the wall clock."""
    newest = dict(sorted(pairs))
    first, last = min(newest, default=0), max(newest, default=0)
    if first == last:
        return None
    passed, recorded = last - first, newest[last] - newest[first]
    return recorded / passed if recorded > max(10 * SECOND, 2 * passed) else None
