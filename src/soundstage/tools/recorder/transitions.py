"""States of a record between two observations, placed at known timestamps."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from soundstage.tools.recorder.fixture_profile import RecordProfile
from soundstage.types import Json
from soundstage.world.lifecycle import Lifecycle

Patch = dict[tuple[str, ...], Json]
States = frozenset[Json]


@dataclass(slots=True)
class Transition:
    """A change at one timestamp, which the values of ``dated_fields`` contain.

    Without any the timestamp is not ``exact``: it is the time of an observation.
    """

    timestamp: int
    patch: Patch = field(default_factory=dict)
    exact: bool = True
    dated_fields: frozenset[str] = frozenset()


def add_states(
    record: RecordProfile,
    lifecycle: Lifecycle,
    states: tuple[Json, Json],
    transitions: list[Transition],
    *,
    is_new: bool,
) -> tuple[list[Transition], Transition]:
    """Decide at which of several timestamps a record entered which state.

    The evidence is the fixture: a step that sets ``startedAt`` sets the status
    ``started`` too. ``states`` are the old one (None if not known) and the new one.
    Returns the transitions, with those that the lifecycle requires in between, and the
    one to the new state. The first one creates the record if it ``is_new``.
    """
    (old, new), key = states, (lifecycle.field,)
    possible = [_possible_states(record, lifecycle, one) for one in transitions]
    last = _choose_last(lifecycle, new, possible, is_new=is_new)
    present, reached = old, list[Json]()
    for i, candidates in enumerate(possible):
        state = new if i == last else None
        if new not in reached and state is None and (i or old is not None):
            state = find_waypoint(lifecycle, present, new, candidates)
        present = present if state is None else state
        reached.append(state)
    present = old
    if old is None:
        first = next(state for state in reached if state is not None)
        others = lifecycle.initial - {first}
        path = [first] if last == 0 else find_path(lifecycle, None, first, others)
        present = reached[0] = path[0] if path else first
        transitions[0].patch[key] = present
    result: list[Transition] = []
    for transition, state in zip(transitions, reached, strict=True):
        if state not in {None, present}:
            path = find_path(lifecycle, present, state) or [state]
            for passed in path[:-1]:
                note = f"when {lifecycle.field} came to be {passed!r} is not known"
                record.notes[note] = None
                at, exact = transition.timestamp, transition.exact
                result.append(Transition(at, {key: passed}, exact))
            transition.patch = {key: state, **transition.patch}
            present = state
        result.append(transition)
    return result, transitions[last]


def _possible_states(
    record: RecordProfile, lifecycle: Lifecycle, transition: Transition
) -> States:
    """Return the states that steps of the fixture set with these timestamps."""
    keys = [(lifecycle.field, name) for name in transition.dated_fields]
    states = [frozenset(record.states[key]) for key in keys if key in record.states]
    return frozenset.intersection(*states) if states else frozenset()


def _choose_last(
    lifecycle: Lifecycle, new: Json, possible: list[States], *, is_new: bool
) -> int:
    """Choose the transition to the last state: the last one with the best evidence."""
    first = 1 if is_new and len(possible) > 1 else 0
    indexes = [i for i in range(first, len(possible)) if new in possible[i]]
    default = len(possible) - 1
    if is_new and new in lifecycle.initial:
        # A record may begin in this state. Evidence against it is the timestamp of a
        # single state, or of final states only.
        indexes = [
            i
            for i in indexes
            if len(possible[i]) == 1
            or not any(map(lifecycle.transitions.get, possible[i]))
        ]
        default = 0
    return min(reversed(indexes), key=lambda i: len(possible[i]), default=default)


def find_path(
    lifecycle: Lifecycle, old: Json, new: Json, starts: Iterable[Json] = ()
) -> list[Json] | None:
    """Return the shortest path from a state to another, or None if none exists.

    It ends with ``new`` and does not contain ``old``. If ``old`` is None, the record
    does not exist yet, and begins in one of ``starts`` (default: any initial state).
    """
    if old == new:
        return []
    known = lifecycle.transitions.get(old, ()) if old is not None else lifecycle.initial
    paths = deque([start] for start in sorted(starts or known, key=str))
    visited = {path[0] for path in paths}
    while paths:
        path = paths.popleft()
        if path[-1] == new:
            return path
        onward = lifecycle.transitions.get(path[-1], frozenset()) - visited
        visited |= onward
        paths += [[*path, state] for state in sorted(onward, key=str)]
    return None


def find_waypoint(lifecycle: Lifecycle, old: Json, new: Json, states: States) -> Json:
    """Return the state on the shortest path from ``old`` to ``new``, or None."""
    lengths = {
        state: len(before) + len(after)
        for state in sorted(states - {old, new}, key=str)
        if (before := find_path(lifecycle, old, state))
        and (after := find_path(lifecycle, state, new))
    }
    return min(lengths, key=lambda state: lengths[state], default=None)
