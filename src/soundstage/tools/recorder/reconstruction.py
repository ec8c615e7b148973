"""Reconstruct the history of a record from the observations of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from soundstage.tools.recorder.extraction import ObservedRecord
from soundstage.tools.recorder.fixture_profile import FixtureProfile, RecordProfile
from soundstage.tools.recorder.transitions import (
    Patch,
    Transition,
    add_states,
    find_path,
)
from soundstage.types import Json, JsonObject
from soundstage.world.clock import SECOND
from soundstage.world.record import RecordType

TOLERANCE = 5 * SECOND
"""Largest difference in ms between two clocks that count as equal."""

REMOVED: Final = object()
"""The value in a patch for a field that no longer exists."""


@dataclass(frozen=True, slots=True)
class Version:
    """A document and the time since which it is valid.

    The time is ``exact`` if the document contains it, else that of an observation.
    """

    timestamp: int
    document: JsonObject
    exact: bool = True


@dataclass(frozen=True, slots=True)
class RecordHistory:
    """A reconstructed record; ``fields`` are all that responses may show of it."""

    record_type: RecordType
    id: str
    versions: list[Version]
    fields: frozenset[str]

    @property
    def began(self) -> int:
        """The timestamp of the first version."""
        return self.versions[0].timestamp


def build_history(
    profile: FixtureProfile,
    align: Callable[[int], int],
    observed: list[ObservedRecord],
    names: Mapping[str, Json] | None = None,
    earliest: int | None = None,
) -> RecordHistory:
    """Build a history from all observations of a record, in order of time.

    A run, given with the ``names`` of its task, began with the defaults of the
    fixture and may have changed before it was observed; other records did not.
    ``align`` converts the time of an observation to the recorded clock. No version is
    before the ``earliest`` timestamp.
    """
    builder = _HistoryBuilder(profile, align, observed)
    versions = builder.build_versions(names)
    if earliest is not None:
        versions = [replace(v, timestamp=max(earliest, v.timestamp)) for v in versions]
    return RecordHistory(
        observed[0].record_type, observed[0].id, versions, builder.view_fields
    )


class _HistoryBuilder:
    """Builds the versions of one record."""

    def __init__(
        self,
        profile: FixtureProfile,
        align: Callable[[int], int],
        observed: list[ObservedRecord],
    ) -> None:
        self._profile, self._align, self._parse = profile, align, profile.formats.parse
        self._record = record = profile.types[observed[0].record_type.name]
        self.view_fields = frozenset[str]().union(
            *(one.view_fields for one in observed)
        )
        self._observed = [self._without_unknown_fields(one) for one in observed]
        first = self._observed[0]
        created = [n for n in record.creation_fields if n not in record.changing_fields]
        fields = created or record.creation_fields or first.document
        parsed = [self._parse(first.document.get(name)) for name in fields]
        times = [found[1] for found in parsed if found]
        self._began = min(times) if times else align(first.timestamp)

    def _without_unknown_fields(self, observed: ObservedRecord) -> ObservedRecord:
        """Return the record without fields that belong to the response only."""
        known = self._record.fields or observed.document.keys()
        if unknown := sorted(observed.document.keys() - known):
            name = self._record.record_type.name
            note = f"not kept, as no {name} has it: {', '.join(unknown)}"
            self._profile.notes[note] = None
        document = {n: v for n, v in observed.document.items() if n in known}
        return replace(observed, document=document)

    def build_versions(self, names: Mapping[str, Json] | None) -> list[Version]:
        """Return the versions of the record; ``names`` are given for a run."""
        snapshots, record = self._snapshots(), self._record
        document = snapshots[0][2]
        versions = [Version(self._began, document)]
        if names is not None:
            # What changes later was not there at first, unless runs begin with it.
            changing = record.changing_fields
            initial = {n: v for n, v in document.items() if n not in changing}
            defaults = self._profile.generate(
                record.record_type, self._observed[0].id, self._began, names
            )
            shown = changing & self.view_fields
            shown -= {lifecycle.field for lifecycle in record.lifecycles}
            initial |= {n: v for n, v in (defaults or {}).items() if n in shown}
            versions = [Version(self._began, initial)]
            transitions = self._transitions(versions, snapshots[0], is_new=True)
            versions = _add_versions([], transitions)
        for snapshot in snapshots[1:]:
            transitions = self._transitions(versions, snapshot)
            # What was only observed before happened before this timestamp as well.
            if transitions and transitions[0].exact:
                versions = compress_before(versions, transitions[0].timestamp)
            versions = _add_versions(versions, transitions)
        return versions

    def _snapshots(self) -> list[tuple[int, int, JsonObject]]:
        """Combine views: a field is removed if a view that had it lacks it.

        A snapshot is a timestamp, the time since the view was last seen, a document.
        """
        result: list[tuple[int, int, JsonObject]] = []
        last: dict[str, tuple[int, JsonObject]] = {}
        constant: JsonObject = {}
        current: JsonObject = {}
        changing = self._record.changing_fields
        for one in self._observed:
            timestamp, document = self._align(one.timestamp), one.document
            if _is_outdated(self._record, current, document):
                continue
            if one.view not in last:
                constant |= {n: v for n, v in document.items() if n not in changing}
            before, shown = last.get(one.view, (timestamp, {}))
            # Other views may never show a field: only its own view can remove it.
            removed = shown.keys() - document.keys()
            current = {n: v for n, v in current.items() if n not in removed} | document
            last[one.view] = (timestamp, document)
            result.append((timestamp, timestamp - before, current))
        return [(at, gap, constant | document) for at, gap, document in result]

    def _transitions(
        self,
        versions: list[Version],
        snapshot: tuple[int, int, JsonObject],
        *,
        is_new: bool = False,
    ) -> list[Transition]:
        """Return the transitions from the last version to a snapshot.

        Fields that contain a timestamp, or a duration, changed at that time. The rest
        changed with the last of them, or when it was observed.
        """
        timestamp, gap, document = snapshot
        since, old = _last_exact(versions), versions[-1].document
        if not (rest := diff(old, document)) and not is_new:
            return []
        seen = max(timestamp, versions[-1].timestamp)
        latest = seen + max(gap, SECOND)
        dates: dict[int, Patch] = {}
        # A timestamp outside of this interval is not the time of the change.
        for path, at in self._dated_paths(rest):
            date = max(at, since)
            if since - TOLERANCE <= at <= latest and date != versions[0].timestamp:
                dates.setdefault(date, {})[path] = rest[path]
        transitions = [
            Transition(at, patch, dated_fields=frozenset(path[0] for path in patch))
            for at, patch in sorted(dates.items())
        ] or [Transition(seen, exact=False)]
        dated = {path for patch in dates.values() for path in patch}
        rest = {path: value for path, value in rest.items() if path not in dated}
        if is_new:
            transitions.insert(0, Transition(self._began, diff({}, old)))
        last = transitions[-1]
        for lifecycle in self._record.lifecycles:
            if (lifecycle.field,) in rest:
                before = None if is_new else old.get(lifecycle.field)
                states = before, rest.pop((lifecycle.field,))
                transitions, last = add_states(
                    self._record, lifecycle, states, transitions, is_new=is_new
                )
        last.patch |= rest
        return transitions

    def _dated_paths(self, patch: Patch) -> list[tuple[tuple[str, ...], int]]:
        """Return the timestamps in a patch, or the ends of durations if it has none."""
        parsed = {path: self._parse(value) for path, value in patch.items()}
        return [(path, found[1]) for path, found in parsed.items() if found] or [
            (path, end)
            for path, value in patch.items()
            if path[0] in self._record.timestamp_fields
            for end in self._profile.formats.end_times(value, self._began)
        ]


def _is_outdated(
    record: RecordProfile, current: JsonObject, document: JsonObject
) -> bool:
    """Whether the document has an earlier state: in a stream, or overtaken."""
    for lifecycle in record.lifecycles:
        now, then = current.get(lifecycle.field), document.get(lifecycle.field)
        if now is None or then is None or find_path(lifecycle, now, then) is not None:
            continue
        if find_path(lifecycle, then, now):
            return True
    return False


def _add_versions(
    versions: list[Version], transitions: list[Transition]
) -> list[Version]:
    result = list(versions)
    for change in transitions:
        old = result[-1].document if result else {}
        document = apply(old, change.patch)
        if not result or diff(old, document):
            result.append(Version(change.timestamp, document, change.exact))
    return result


def _last_exact(versions: list[Version]) -> int:
    return max(version.timestamp for version in versions if version.exact)


def compress_before(versions: list[Version], end: int) -> list[Version]:
    """Move versions with inexact times before ``end``, in proportion and in order."""
    since, last = _last_exact(versions), versions[-1].timestamp
    share = (end - since) / (last - since + 1) if last > since else 0
    return [
        replace(version, timestamp=min(at, since + int((at - since) * share)))
        if last >= end and not version.exact
        else version
        for version in versions
        for at in [version.timestamp]
    ]


def diff(old: JsonObject, new: JsonObject) -> Patch:
    """Return the new values by the path of their field, down to the leaves.

    >>> diff({"a": {"b": 1}, "c": [2]}, {"a": {"b": 3}, "c": [2]})
    {('a', 'b'): 3}
    """
    patch: Patch = {}
    for name, value in new.items():
        before = old.get(name, REMOVED)
        if before is not REMOVED and equals(before, value):
            continue
        if isinstance(value, dict) and (value or isinstance(before, dict)):
            inner = diff(before if isinstance(before, dict) else {}, value)
            patch |= {(name, *path): change for path, change in inner.items()}
        else:
            patch[name,] = value
    return patch | {(name,): REMOVED for name in old if name not in new}


def apply(document: JsonObject, patch: Patch) -> JsonObject:
    """Return a copy of the document with the patch applied."""
    result = dict(document)
    for (name, *rest), change in patch.items():
        if rest:
            inner = result.get(name)
            inner = inner if isinstance(inner, dict) else {}
            result[name] = apply(inner, {tuple(rest): change})
        elif change is REMOVED:
            result.pop(name, None)
        else:
            result[name] = change
    return result


def equals(left: Json, right: Json) -> bool:
    """Whether two values are the same JSON text: ``1`` is not ``1.0``."""
    return json.dumps(left, sort_keys=True) == json.dumps(right, sort_keys=True)
