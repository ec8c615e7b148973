"""Durations, delays and times in the formats of Trigger.dev's clients."""

import re

from soundstage.apis.trigger_dev.errors import RejectedRequest
from soundstage.types import Json
from soundstage.world.clock import (
    DAY,
    DURATION_UNITS,
    clamp_timestamp,
    format_rfc3339,
    parse_rfc3339,
)

# A hundred years; what follows a delay must happen before the year 10000.
MAX_DELAY = 36_525 * DAY

_UNITS = {**DURATION_UNITS, "hr": DURATION_UNITS["h"], "w": 7 * DAY}
_PART = re.compile(r"(\d+)(ms|hr|[wdhms])", re.ASCII)
_INTEGER = re.compile(r"\d+", re.ASCII)


def parse_duration(text: str) -> int:
    """Return a duration in ms.

    >>> parse_duration("1h42m")
    6120000
    """
    parts: dict[str, int] = {}
    for number, unit in _PART.findall(text):
        # Only the first number of each unit counts, as at the real server.
        parts.setdefault(unit, int(number) * _UNITS[unit])
    return sum(parts.values())


def is_duration(text: str) -> bool:
    """Whether a text is a duration, such as ``1h42m``, rather than a time."""
    return re.fullmatch(rf"({_PART.pattern})+", text, re.ASCII) is not None


def parse_delay(text: str, now: int) -> int:
    """Return a delay in ms from a duration or a time; 0 for an empty or past one."""
    if not text:
        return 0
    delay = parse_duration(text) if is_duration(text) else parse_rfc3339(text) - now
    return max(0, min(delay, MAX_DELAY))


def parse_future_delay(text: str, now: int) -> int:
    """Return a delay in ms. Raises ``RejectedRequest`` if it is 0."""
    delay = parse_delay(text, now)
    if not delay:
        raise RejectedRequest(400, "Invalid delay value")
    return delay


def normalize_ttl(ttl: Json) -> str | None:
    """Return a time to live as text, from a text or from seconds; None if it is 0.

    >>> normalize_ttl(6120)
    '1h42m'
    """
    if not isinstance(ttl, int | float):
        return ttl if ttl and parse_duration(ttl) else None
    text = ""
    remaining = int(ttl)
    for unit in ("w", "d", "h", "m", "s"):
        count, remaining = divmod(remaining, _UNITS[unit] // 1000)
        text += f"{count}{unit}" if count else ""
    return text or None


def normalize_time(text: str) -> str:
    """Return a time in RFC 3339 (UTC, ms), from RFC 3339 or ms since the epoch.

    The results sort as text in the order of time.
    """
    is_integer = _INTEGER.fullmatch(text)
    return format_rfc3339(clamp_timestamp(int(text)) if is_integer else parse_rfc3339(text))
