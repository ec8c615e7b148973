"""When records change, kept so that the next instant is found at once."""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence


class ChangeTimes:
    """Instants, each with how often it is there; those ``below`` are shared.

    The next one is found in O(log n), and O(1) for each on the way that is no more.
    """

    def __init__(
        self,
        timestamps: Iterable[int] = (),
        base: "Callable[[], ChangeTimes] | None" = None,
    ) -> None:
        self._base = base
        self._counts = Counter(timestamps)
        self.timestamps = sorted(self._counts)

    def add(self, timestamps: Iterable[int]) -> None:
        """Let these be there once more. O(log n) each, where they are late ones."""
        for at in timestamps:
            if at not in self._counts:
                insort(self.timestamps, at)
            self._counts[at] += 1

    def remove(self, timestamps: Iterable[int]) -> None:
        """Let these be there once less."""
        self._counts.subtract(timestamps)

    def next_after(self, now: int) -> int | None:
        """The first one after now; None if there is none."""
        shared = self._base().timestamps if self._base else ()
        found = (self._first_after(each, now) for each in (self.timestamps, shared))
        return min((at for at in found if at is not None), default=None)

    def _first_after(self, timestamps: Sequence[int], now: int) -> int | None:
        for i in range(bisect_right(timestamps, now), len(timestamps)):
            if self.count(timestamps[i]) > 0:
                return timestamps[i]
        return None

    def count(self, timestamp: int) -> int:
        """How often this one is there."""
        return self._counts[timestamp] + (
            self._base().count(timestamp) if self._base else 0
        )
