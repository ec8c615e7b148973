"""The states between two that were seen, as a lifecycle has them."""

from collections.abc import Iterator

from soundstage.types import Json
from soundstage.world.lifecycle import Lifecycle

LONGEST = 8
"""States in a row that are looked for."""


def bridge(lifecycle: Lifecycle, old: Json, new: Json, moments: int) -> list[Json]:
    """The states from ``old`` (None: from the beginning) to ``new``, which is the last.

    The way that has a state for each of so many moments, else the shortest; only
    ``new``, where no way leads there.
    """
    starts = lifecycle.begins if old is None else lifecycle.moves.get(old, frozenset())
    ways = sorted(
        (way for start in starts for way in _ways(lifecycle, [start], new)),
        key=lambda way: (len(way) != moments, len(way), [str(state) for state in way]),
    )
    return ways[0] if ways else [new]


def _ways(lifecycle: Lifecycle, way: list[Json], end: Json) -> Iterator[list[Json]]:
    if way[-1] == end:
        yield way
        return
    if len(way) < LONGEST:
        for state in lifecycle.moves.get(way[-1], ()):
            if state not in way:
                yield from _ways(lifecycle, [*way, state], end)
