"""Advance the virtual clock from change to change until a condition is true."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from soundstage.pytest_plugin.clock import Clock, as_datetime, as_timestamp
from soundstage.types import Json

T = TypeVar("T")


class NotReached(AssertionError):
    """A condition stayed false; ``seen`` is the last value that was observed."""

    def __init__(self, reason: str, now: str, seen: Json) -> None:
        super().__init__(f"{reason} ({now}); last seen: {seen!r}")
        self.seen = seen


def advance_until(
    clock: Clock,
    limit: timedelta,
    condition: Callable[[], T],
    get_next_change: Callable[[], int | None],
    get_last_value: Callable[[], Json] | None = None,
) -> T:
    """Advance the clock until ``condition`` is true; returns its value.

    The clock stops at every change, a timestamp from ``get_next_change``, and finally
    at the first one where the condition is true. Raises ``NotReached`` with the value
    of ``get_last_value``, or of the condition, after ``limit`` or the last change.
    """
    end = as_timestamp(clock.now + limit)
    while True:
        value = condition()
        if value:
            return value
        timestamp = get_next_change()
        if timestamp is None or timestamp > end:
            reason = "nothing changes any more" if timestamp is None else f"not within {limit}"
            now = clock.now.isoformat(timespec="milliseconds")
            raise NotReached(reason, now, get_last_value() if get_last_value else value)
        # Nothing changes between changes, so that no time in between is evaluated.
        clock.advance_to(as_datetime(timestamp))
