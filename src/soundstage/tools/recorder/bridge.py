"""The states between two that were seen, as a lifecycle has them."""

from collections import deque

from soundstage.types import Json
from soundstage.world.lifecycle import Lifecycle


def bridge(lifecycle: Lifecycle, old: Json, new: Json) -> list[Json] | None:
    """The shortest way from ``old`` (None: from before the beginning) to ``new``.

    It ends with ``new``, and is empty where nothing changes. None if there is no way.
    """
    if old == new:
        return []
    starts = lifecycle.begins if old is None else lifecycle.moves.get(old, frozenset())
    ways = deque([start] for start in sorted(starts, key=str))
    passed = set(starts)
    while ways:
        way = ways.popleft()
        if way[-1] == new:
            return way
        onward = lifecycle.moves.get(way[-1], frozenset()) - passed
        passed |= onward
        ways += [[*way, state] for state in sorted(onward, key=str)]
    return None


def opened(lifecycle: Lifecycle, state: Json) -> list[Json]:
    """The shortest way to a state from another in which records begin."""
    ways = [
        [begin, *onward]
        for begin in sorted(lifecycle.begins - {state}, key=str)
        if (onward := bridge(lifecycle, begin, state))
    ]
    return min(ways, key=len) if ways else [state]


def stop(
    lifecycle: Lifecycle, old: Json, new: Json, states: frozenset[Json]
) -> Json | None:
    """The one of these states that lies best on the way from ``old`` to ``new``."""
    found = []
    for state in sorted(states - {old, new}, key=str):
        there, onward = bridge(lifecycle, old, state), bridge(lifecycle, state, new)
        if there and onward:
            found.append((len(there) + len(onward), state))
    return min(found, key=lambda one: one[0])[1] if found else None
