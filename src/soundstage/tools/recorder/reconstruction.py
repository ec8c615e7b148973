"""Reconstruct the history of a record from the observations of it."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from soundstage.tools.recorder.extraction import ObservedRecord
from soundstage.tools.recorder.fixture_profile import FixtureProfile
from soundstage.types import Json, JsonObject
from soundstage.world.clock import MIN_TIMESTAMP, SECOND
from soundstage.world.lifecycle import Lifecycle

TOLERANCE = 5 * SECOND
"""Largest difference in ms between two clocks that count as equal."""

REMOVED: Final = object()
"""The value in a patch for a field that no longer exists."""

States = frozenset[Json]


@dataclass(frozen=True, slots=True)
class Version:
    """A document and the time since which it is valid."""

    timestamp: int
    document: JsonObject
    exact: bool = True  # the document contains the time; else it is that of an observation


@dataclass(slots=True, eq=False)
class Transition:
    """New values of fields (or ``REMOVED``) at one time, which is ``exact`` as in a version."""

    timestamp: int
    patch: JsonObject = field(default_factory=dict)
    exact: bool = True


class RecordHistory:
    """A record as its observations show it: its versions, and all fields of its views.

    ``align`` converts the time of an observation to the recorded clock. A run, with the ``names``
    of its task, began with the defaults of the fixture and may have changed before it was
    observed; other records did not.
    """

    def __init__(
        self,
        profile: FixtureProfile,
        align: Callable[[int], int],
        observed: list[ObservedRecord],
        names: Mapping[str, Json] | None = None,
        earliest: int = MIN_TIMESTAMP,
    ) -> None:
        self.record_type, self.id = observed[0].record_type, observed[0].id
        self.fields = frozenset(name for one in observed for name in one.view_fields)
        self._profile, self._parse = profile, profile.formats.parse
        self._record = record = profile.types[self.record_type.name]
        # Fields that are not in the schema of the record belong to the response only.
        shown = {name for one in observed for name in one.document}
        if unknown := shown - (record.fields or shown):
            note = f"not kept, as no {self.record_type.name} has it: {', '.join(sorted(unknown))}"
            profile.notes[note] = None
        observed = [replace(one, document=without(one.document, unknown)) for one in observed]
        first = observed[0]
        created = [n for n in record.creation_fields if n not in record.changing_fields]
        fields = created or record.creation_fields or first.document
        parsed = [self._parse(first.document.get(name)) for name in fields]
        times = [found[1] for found in parsed if found]
        self.began = min(times, default=align(first.timestamp))
        snapshots = self._snapshots(observed, align)
        self.versions = [Version(self.began, snapshots[0][2])]
        if names is not None:
            self._begin(names, snapshots[0])
        for snapshot in snapshots[1:]:
            transitions = self._transitions(snapshot)
            # What was only observed before happened before this timestamp as well.
            if transitions and transitions[0].exact:
                self.versions = compress_before(self.versions, transitions[0].timestamp)
            self._add_versions(transitions)
        self.versions = [replace(v, timestamp=max(earliest, v.timestamp)) for v in self.versions]
        self.began = self.versions[0].timestamp

    def _begin(self, names: Mapping[str, Json], snapshot: tuple[int, int, JsonObject]) -> None:
        """Set the versions of a run until its first snapshot, from the fixture's defaults."""
        _, _, document = snapshot
        record, profile = self._record, self._profile
        # What changes later was not there at first, unless runs begin with it.
        initial = without(document, record.changing_fields)
        states = {lifecycle.field for lifecycle in record.lifecycles}
        defaults = profile.generate(self.record_type, self.id, self.began, names) or {}
        shown = record.changing_fields & self.fields - states
        initial |= {n: v for n, v in defaults.items() if n in shown}
        self.versions = [Version(self.began, initial)]
        transitions = self._transitions(snapshot, is_new=True)
        self.versions = []
        self._add_versions(transitions)

    def _snapshots(
        self, observed: list[ObservedRecord], align: Callable[[int], int]
    ) -> list[tuple[int, int, JsonObject]]:
        """Combine views: a field is removed if a view that had it lacks it.

        A snapshot is a timestamp, the time since the view was last seen, a document.
        """
        result: list[tuple[int, int, JsonObject]] = []
        last: dict[str, tuple[int, JsonObject]] = {}
        constant: JsonObject = {}
        current: JsonObject = {}
        for one in observed:
            timestamp, document = align(one.timestamp), one.document
            if self._is_outdated(current, document):
                continue
            if one.view not in last:
                constant |= without(document, self._record.changing_fields)
            before, shown = last.get(one.view, (timestamp, {}))
            # Other views may never show a field: only its own view can remove it.
            current = without(current, shown.keys() - document.keys()) | document
            last[one.view] = (timestamp, document)
            result.append((timestamp, timestamp - before, current))
        return [(at, gap, constant | document) for at, gap, document in result]

    def _is_outdated(self, current: JsonObject, document: JsonObject) -> bool:
        """Whether the document has an earlier state: in a stream, or overtaken."""
        return any(
            find_path(lifecycle, now, then) is None and bool(find_path(lifecycle, then, now))
            for lifecycle in self._record.lifecycles
            if (now := current.get(lifecycle.field)) is not None
            and (then := document.get(lifecycle.field)) is not None
        )

    def _add_versions(self, transitions: list[Transition]) -> None:
        for change in transitions:
            old = self.versions[-1].document if self.versions else {}
            document = apply(old, change.patch)
            if not self.versions or diff(old, document):
                self.versions.append(Version(change.timestamp, document, change.exact))

    def _transitions(
        self, snapshot: tuple[int, int, JsonObject], *, is_new: bool = False
    ) -> list[Transition]:
        """Return the transitions from the last version to a snapshot.

        Fields that contain a timestamp, or a duration, changed at that time. The rest changed
        with the last of them, or when it was observed.
        """
        timestamp, gap, document = snapshot
        since = max(one.timestamp for one in self.versions if one.exact)
        old = self.versions[-1].document
        if not (rest := diff(old, document)) and not is_new:
            return []
        seen = max(timestamp, self.versions[-1].timestamp)
        latest = seen + max(gap, SECOND)
        dates: dict[int, JsonObject] = {}
        # A timestamp outside of this interval is not the time of the change.
        for name, at in self._dated_fields(rest):
            date = max(at, since)
            if since - TOLERANCE <= at <= latest and date != self.versions[0].timestamp:
                dates.setdefault(date, {})[name] = rest[name]
        transitions = [Transition(at, patch) for at, patch in sorted(dates.items())]
        transitions = transitions or [Transition(seen, exact=False)]
        rest = without(rest, [name for patch in dates.values() for name in patch])
        if is_new:
            transitions.insert(0, Transition(self.began, diff({}, old)))
        last = transitions[-1]
        for lifecycle in self._record.lifecycles:
            if lifecycle.field in rest:
                states = None if is_new else old.get(lifecycle.field), rest.pop(lifecycle.field)
                last = self._add_states(lifecycle, states, transitions, is_new=is_new)
        last.patch |= rest
        return transitions

    def _dated_fields(self, patch: JsonObject) -> list[tuple[str, int]]:
        """Return the timestamps in a patch, or the ends of durations if it has none."""
        parsed = {name: self._parse(value) for name, value in patch.items()}
        return [(name, found[1]) for name, found in parsed.items() if found] or [
            (name, end)
            for name, value in patch.items()
            if name in self._record.timestamp_fields
            for end in self._profile.formats.end_times(value, self.began)
        ]

    def _add_states(
        self,
        lifecycle: Lifecycle,
        states: tuple[Json, Json],
        transitions: list[Transition],
        *,
        is_new: bool,
    ) -> Transition:
        """Add the states to several transitions; return the transition to the new state.

        The evidence is the fixture: a step that sets ``startedAt`` sets the status ``started``
        too. The old state may be None. Transitions that the lifecycle requires are inserted.
        """
        (old, new), key = states, lifecycle.field
        possible = [self._possible_states(lifecycle, one) for one in transitions]
        last = _choose_last(lifecycle, new, possible, is_new=is_new)
        present, reached = old, list[Json]()
        for i, candidates in enumerate(possible[:last]):
            can_change = i > 0 or old is not None
            state = find_waypoint(lifecycle, present, new, candidates) if can_change else None
            present = present if state is None else state
            reached.append(state)
        reached.append(new)
        present = old
        if old is None:
            first = next(state for state in reached if state is not None)
            others = lifecycle.initial - {first}
            path = [first] if last == 0 else find_path(lifecycle, None, first, others)
            present = reached[0] = path[0] if path else first
            transitions[0].patch[key] = present
        chosen = transitions[last]
        for transition, state in zip(transitions[: last + 1], reached, strict=True):
            if state in {None, present}:
                continue
            for passed in (find_path(lifecycle, present, state) or [state])[:-1]:
                note = f"when {lifecycle.field} came to be {passed!r} is not known"
                self._profile.notes[note] = None
                between = Transition(transition.timestamp, {key: passed}, transition.exact)
                transitions.insert(transitions.index(transition), between)
            transition.patch = {key: state, **transition.patch}
            present = state
        return chosen

    def _possible_states(self, lifecycle: Lifecycle, transition: Transition) -> States:
        """Return the states that steps of the fixture set with these timestamps."""
        known = self._record.states
        keys = [(lifecycle.field, name) for name in transition.patch]
        states = [frozenset(known[key]) for key in keys if key in known]
        return frozenset.intersection(*states) if states else frozenset()


def _choose_last(lifecycle: Lifecycle, new: Json, possible: list[States], *, is_new: bool) -> int:
    """Choose the transition to the last state: the last one with the best evidence."""
    is_initial = is_new and new in lifecycle.initial
    indexes = [
        i
        for i, states in enumerate(possible)
        if new in states
        and (i > 0 or not is_new)
        # A record may begin in an initial state. Evidence against it is the timestamp of a
        # single state, or of final states only.
        and (not is_initial or len(states) == 1 or not any(map(lifecycle.transitions.get, states)))
    ]
    default = 0 if is_initial else len(possible) - 1
    return min(reversed(indexes), key=lambda i: len(possible[i]), default=default)


def find_path(
    lifecycle: Lifecycle, old: Json, new: Json, starts: Iterable[Json] = ()
) -> list[Json] | None:
    """Return the shortest path from a state to another, or None if none exists.

    It ends with ``new`` and does not contain ``old``. If ``old`` is None, the record does not
    exist yet, and begins in one of ``starts`` (default: any initial state).
    """
    if old == new:
        return []
    known = lifecycle.transitions.get(old, ()) if old is not None else lifecycle.initial
    paths = [[start] for start in sorted(starts or known, key=str)]
    visited = {path[0] for path in paths}
    for path in paths:  # grows while it is read
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


def compress_before(versions: list[Version], end: int) -> list[Version]:
    """Move versions with inexact times before ``end``, in proportion and in order."""
    since, last = max(one.timestamp for one in versions if one.exact), versions[-1].timestamp
    if last < end or last == since:
        return versions
    share = (end - since) / (last - since + 1)
    moved = [min(v.timestamp, since + int((v.timestamp - since) * share)) for v in versions]
    pairs = zip(versions, moved, strict=True)
    return [v if v.exact else replace(v, timestamp=at) for v, at in pairs]


def without(document: JsonObject, names: Iterable[str]) -> JsonObject:
    """Return a copy of the document without some fields."""
    return {name: value for name, value in document.items() if name not in names}


def diff(old: JsonObject, new: JsonObject) -> JsonObject:
    """Return the fields that change, with their new values.

    >>> diff({"a": 1, "b": 2}, {"a": 1, "b": 3})
    {'b': 3}
    """
    patch = {n: value for n, value in new.items() if n not in old or not equals(old[n], value)}
    return patch | {name: REMOVED for name in old if name not in new}


def apply(document: JsonObject, patch: JsonObject) -> JsonObject:
    """Return a copy of the document with the patch applied."""
    return {n: value for n, value in (document | patch).items() if value is not REMOVED}


def equals(left: Json, right: Json) -> bool:
    """Whether two values are the same JSON text: ``1`` is not ``1.0``."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
