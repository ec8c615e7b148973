"""Durations and moments as Trigger.dev's clients write them."""

import re

from soundstage.apis.trigger_dev.errors import RejectedRequest
from soundstage.types import Json
from soundstage.world.clock import DAY, UNITS, instant_of, rfc3339, within_years

MAX_DELAY = 36_525 * DAY

_UNITS = {**UNITS, "hr": UNITS["h"], "w": 7 * DAY}
_PART = re.compile(r"(\d+)(ms|hr|[wdhms])", re.ASCII)
_INTEGER = re.compile(r"\d+", re.ASCII)


def parse_duration(text: str) -> int:
    """The milliseconds of ``1h42m``; of each unit only the first counts."""
    parts: dict[str, int] = {}
    for number, unit in _PART.findall(text):
        parts.setdefault(unit, int(number) * _UNITS[unit])
    return sum(parts.values())


def is_duration(text: str) -> bool:
    """Whether it is a duration, and not a moment."""
    return re.fullmatch(rf"({_PART.pattern})+", text, re.ASCII) is not None


def parse_delay(text: str, now: int) -> int:
    """How long a delay lasts from now on; none, or a moment gone by, gives 0.

    A hundred years at most: what comes after it must lie before the end of time.
    """
    if not text:
        return 0
    delay = parse_duration(text) if is_duration(text) else instant_of(text) - now
    return max(0, min(delay, MAX_DELAY))


def parse_future_delay(text: str, now: int) -> int:
    """The same, where it must lie ahead. Raises ``Declined``."""
    delay = parse_delay(text, now)
    if not delay:
        raise RejectedRequest(400, "Invalid delay value")
    return delay


def normalize_ttl(ttl: Json) -> str | None:
    """A time to live as the server keeps it: seconds are written as ``1h42m``.

    None if there is none, or one of no time at all.
    """
    if not isinstance(ttl, int | float):
        return ttl if ttl and parse_duration(ttl) else None
    text = ""
    left = int(ttl)
    for unit in ("w", "d", "h", "m", "s"):
        count, left = divmod(left, _UNITS[unit] // 1000)
        text += f"{count}{unit}" if count else ""
    return text or None


def normalize_time(text: str) -> str:
    """A moment in RFC 3339, from that or from milliseconds, to be compared as text."""
    whole = _INTEGER.fullmatch(text)
    return rfc3339(within_years(int(text)) if whole else instant_of(text))
