"""Letting time go by, from change to change, until something holds."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from soundstage.pytest_plugin.clock import Clock, as_datetime, as_timestamp
from soundstage.types import Json

T = TypeVar("T")


class NotReached(AssertionError):
    """Time went by, and a condition did not come to hold; it was ``seen`` last."""

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
    """The first value of ``condition`` that is true. Raises ``NotReached``.

    The clock goes to each ``upcoming`` instant in turn, and stays at the one at which
    the condition holds, or at the last one within ``limit``. ``show`` gives what is
    reported as last seen, the condition's own value if left out.
    """
    end = as_timestamp(clock.now + limit)
    while True:
        seen = condition()
        if seen:
            return seen
        at = get_next_change()
        if at is None or at > end:
            reason = "nothing changes any more" if at is None else f"not within {limit}"
            now = clock.now.isoformat(timespec="milliseconds")
            raise NotReached(reason, now, get_last_value() if get_last_value else seen)
        clock.advance_to(as_datetime(at))
