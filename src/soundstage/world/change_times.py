"""When records change, kept so that the next instant is found at once."""

from bisect import bisect_right, insort
from collections import Counter
from collections.abc import Callable, Iterable, Sequence


class Instants:
    """Instants, each with how often it is there; those ``below`` are shared.

    The next one is found in O(log n), and O(1) for each on the way that is no more.
    """

    def __init__(
        self,
        instants: Iterable[int] = (),
        below: "Callable[[], Instants] | None" = None,
    ) -> None:
        self._below = below
        self._counts = Counter(instants)
        self.instants = sorted(self._counts)

    def add(self, instants: Iterable[int]) -> None:
        """Let these be there once more. O(log n) each, where they are late ones."""
        for at in instants:
            if at not in self._counts:
                insort(self.instants, at)
            self._counts[at] += 1

    def remove(self, instants: Iterable[int]) -> None:
        """Let these be there once less."""
        self._counts.subtract(instants)

    def next_after(self, now: int) -> int | None:
        """The first one after now; None if there is none."""
        shared = self._below().instants if self._below else ()
        found = (self._first(each, now) for each in (self.instants, shared))
        return min((at for at in found if at is not None), default=None)

    def _first(self, instants: Sequence[int], now: int) -> int | None:
        for i in range(bisect_right(instants, now), len(instants)):
            if self.count(instants[i]) > 0:
                return instants[i]
        return None

    def count(self, at: int) -> int:
        """How often this one is there."""
        return self._counts[at] + (self._below().count(at) if self._below else 0)
