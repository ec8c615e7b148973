"""Cron expressions: five fields or a name such as @daily, and when they are due next."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from soundstage.world.clock import DAY, EPOCH, LATEST, MINUTE

NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
MONTHS = dict(
    zip(
        "jan feb mar apr may jun jul aug sep oct nov dec".split(),
        range(1, 13),
        strict=True,
    )
)
WEEKDAYS = dict(zip("sun mon tue wed thu fri sat".split(), range(7), strict=True))

FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day", 1, 31, {}),
    ("month", 1, 12, MONTHS),
    ("weekday", 0, 6, WEEKDAYS),
)

HORIZON = 5 * 366
"""Days in which an expression comes true, or never does: the 29th of February does."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a task is due. ``either`` is cron's rule for two restricted kinds of day."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool
    zone: ZoneInfo

    def next(self, after: int) -> int | None:
        """The first instant after this one; None if there is none in five years.

        A local time that a change of the clocks skips is skipped; one that comes twice
        counts the first time.
        """
        if after > LATEST - 2 * DAY:
            return None
        began = (EPOCH + timedelta(milliseconds=after)).astimezone(self.zone)
        for day in self._dates(began.date()):
            for hour in self.hours:
                if day == began.date() and hour < began.hour:
                    continue
                for minute in self.minutes:
                    at = self._instant(datetime.combine(day, time(hour, minute)))
                    if at is not None and at > after:
                        return at
        return None

    def _dates(self, first: date) -> Iterator[date]:
        for day in range(min(HORIZON, (date.max - first).days)):
            candidate = first + timedelta(days=day)
            if candidate.month in self.months and self._is_day(candidate):
                yield candidate

    def _is_day(self, day: date) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return in_month or in_week if self.either else in_month and in_week

    def _instant(self, local: datetime) -> int | None:
        moment = local.replace(tzinfo=self.zone).astimezone(UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) != local:
            return None
        return (moment - EPOCH) // timedelta(minutes=1) * MINUTE


@lru_cache(maxsize=256)
def schedule_of(expression: str, zone: str = "UTC") -> Schedule:
    """The schedule of an expression. Raises ``ValueError`` for what is none."""
    texts = NAMED.get(expression.strip().lower(), expression).split()
    if len(texts) != len(FIELDS):
        msg = f"{expression!r} is no cron expression of five fields"
        raise ValueError(msg)
    try:
        minutes, hours, days, months, weekdays = (
            _values(text.lower(), *field)
            for text, field in zip(texts, FIELDS, strict=True)
        )
        place = ZoneInfo(zone)
    except (ValueError, ZoneInfoNotFoundError) as error:
        msg = f"{expression!r} in {zone!r} is no schedule: {error}"
        raise ValueError(msg) from error
    restricted = [text for text in (texts[2], texts[4]) if text[0] not in "*?"]
    return Schedule(
        tuple(sorted(minutes)),
        tuple(sorted(hours)),
        days,
        months,
        weekdays,
        len(restricted) > 1,
        place,
    )


def _values(
    text: str, name: str, least: int, most: int, words: dict[str, int]
) -> frozenset[int]:
    """``*/15``, ``1-5``, ``mon,wed`` and the like."""
    found: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if first in {"*", "?"}:
            start, end = least, most
        else:
            start = words[first] if first in words else int(first)
            end = words[last] if last in words else int(last) if dash else start
            end = most if step and not dash else end
        by = int(step or 1)
        if not least <= start <= end <= most or by < 1:
            msg = f"{part!r} is no {name} from {least} to {most}"
            raise ValueError(msg)
        found.update(range(start, end + 1, by))
    return frozenset(found)
