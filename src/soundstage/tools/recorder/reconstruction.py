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
from soundstage.types import Document, Json
from soundstage.world.clock import SECOND
from soundstage.world.record import Kind

TOLERANCE = 5 * SECOND
"""Largest difference in ms between two clocks that count as equal."""

REMOVED: Final = object()
"""Stands in a patch for a field that no longer exists."""


@dataclass(frozen=True, slots=True)
class Version:
    """A document and the time since which it is valid.

    The time is ``exact`` if the document contains it, else that of an observation.
    """

    timestamp: int
    document: Document
    exact: bool = True


@dataclass(frozen=True, slots=True)
class RecordHistory:
    """A reconstructed record; ``fields`` are all that responses may show of it."""

    kind: Kind
    id: str
    versions: list[Version]
    fields: frozenset[str]

    @property
    def began(self) -> int:
        """The timestamp of the first version."""
        return self.versions[0].timestamp

    def starting_at(self, earliest: int) -> "RecordHistory":
        """Return the history with no version before this timestamp."""
        moved = (
            replace(v, timestamp=max(earliest, v.timestamp)) for v in self.versions
        )
        return replace(self, versions=list(moved))


class HistoryBuilder:
    """Builds histories of records.

    ``contract_fields`` are those of each type of record by its schema, ``align``
    converts the time of an observation to the recorded clock.
    """

    def __init__(
        self,
        profile: FixtureProfile,
        contract_fields: Mapping[str, set[str]],
        align: Callable[[int], int],
    ) -> None:
        self._profile, self._formats = profile, profile.formats
        self._contract_fields, self._align = contract_fields, align

    def build(
        self, observed: list[ObservedRecord], names: Mapping[str, Json] | None = None
    ) -> RecordHistory:
        """Build a history from all observations of a record, in order of time.

        A run, given with the ``names`` of its task, began with the defaults of the
        fixture and may have changed before it was observed; other records did not.
        """
        kind, record_id = observed[0].kind, observed[0].id
        record = self._profile.types[kind.name]
        observed = [self._without_unknown_fields(record, one) for one in observed]
        fields = frozenset().union(*(one.view_fields for one in observed))
        began = self._creation_time(record, observed[0])
        snapshots = self._snapshots(record, observed)
        document = initial = snapshots[0][2]
        if names is not None:
            # What changes later was not there at first, unless runs begin with it.
            changing = record.changing_fields
            initial = {n: v for n, v in document.items() if n not in changing}
            changing = changing - {one.field for one in record.lifecycles}
            default = self._profile.generate(kind, record_id, began, names) or {}
            initial |= {n: default[n] for n in default if n in changing & fields}
        versions = [Version(began, initial)]
        if names is not None:
            transitions = self._transitions(record, versions, snapshots[0], is_new=True)
            versions = _add_versions([], transitions)
        for snapshot in snapshots[1:]:
            transitions = self._transitions(record, versions, snapshot)
            if transitions and transitions[0].exact:
                versions = compress_before(versions, transitions[0].timestamp)
            versions = _add_versions(versions, transitions)
        return RecordHistory(kind, record_id, versions, fields)

    def _without_unknown_fields(
        self, record: RecordProfile, observed: ObservedRecord
    ) -> ObservedRecord:
        """Return the record without fields that belong to the response only."""
        name, document = record.kind.name, observed.document
        contract_fields = self._contract_fields.get(name)
        known = contract_fields | record.fields if contract_fields else document.keys()
        if unknown := sorted(document.keys() - known):
            self._profile.notes[
                f"not kept, as no {name} has it: {', '.join(unknown)}"
            ] = None
        document = {n: v for n, v in document.items() if n in known}
        return replace(observed, document=document)

    def _creation_time(self, record: RecordProfile, observed: ObservedRecord) -> int:
        """Return the earliest creation time in a record, or when it was observed."""
        fields, document = record.creation_fields, observed.document
        names = [n for n in fields if n not in record.changing_fields] or fields
        parsed = [self._formats.parse(document.get(name)) for name in names or document]
        times = [found[1] for found in parsed if found]
        return min(times) if times else self._align(observed.timestamp)

    def _snapshots(
        self, record: RecordProfile, observed: list[ObservedRecord]
    ) -> list[tuple[int, int, Document]]:
        """Combine views: a field is removed if a view that had it lacks it.

        A snapshot is a timestamp, the time since the view was last seen, a document.
        """
        result: list[tuple[int, int, Document]] = []
        last: dict[str, tuple[int, Document]] = {}
        constant: Document = {}
        current: Document = {}
        for one in observed:
            timestamp, document = self._align(one.timestamp), one.document
            if _is_outdated(record, current, document):
                continue
            if one.view not in last:
                changing = record.changing_fields
                constant |= {n: v for n, v in document.items() if n not in changing}
            before, shown = last.get(one.view, (timestamp, {}))
            removed = shown.keys() - document.keys()
            current = {n: v for n, v in current.items() if n not in removed} | document
            last[one.view] = (timestamp, document)
            result.append((timestamp, timestamp - before, current))
        return [(at, gap, constant | document) for at, gap, document in result]

    def _transitions(
        self,
        record: RecordProfile,
        versions: list[Version],
        snapshot: tuple[int, int, Document],
        *,
        is_new: bool = False,
    ) -> list[Transition]:
        """Return the transitions from the last version to a snapshot.

        Fields that contain a timestamp, or a duration, changed at that time. The rest
        changed with the last of them, or when it was observed.
        """
        began, since = versions[0].timestamp, _last_exact(versions)
        timestamp, gap, document = snapshot
        old = versions[-1].document
        if not (rest := diff(old, document)) and not is_new:
            return []
        seen = max(timestamp, versions[-1].timestamp)
        dates: dict[int, Patch] = {}
        for path, at in self._dated_paths(record, rest, began):
            at_earliest = max(at, since)
            in_order = since - TOLERANCE <= at <= seen + max(gap, SECOND)
            if in_order and at_earliest != began:
                dates.setdefault(at_earliest, {})[path] = rest[path]
        transitions = [
            Transition(at, patch, dated_fields=frozenset(path[0] for path in patch))
            for at, patch in sorted(dates.items())
        ] or [Transition(seen, exact=False)]
        dated = {path for patch in dates.values() for path in patch}
        rest = {path: value for path, value in rest.items() if path not in dated}
        if is_new:
            transitions.insert(0, Transition(began, diff({}, old)))
        last = transitions[-1]
        for lifecycle in record.lifecycles:
            if (lifecycle.field,) in rest:
                before = None if is_new else old.get(lifecycle.field)
                states = before, rest.pop((lifecycle.field,))
                transitions, last = add_states(
                    record,
                    lifecycle,
                    states,
                    transitions,
                    is_new=is_new,
                )
        last.patch |= rest
        return transitions

    def _dated_paths(
        self, record: RecordProfile, patch: Patch, began: int
    ) -> list[tuple[tuple[str, ...], int]]:
        """Return the timestamps in a patch, or the ends of durations if it has none."""
        parsed = {path: self._formats.parse(value) for path, value in patch.items()}
        return [(path, found[1]) for path, found in parsed.items() if found] or [
            (path, end)
            for path, value in patch.items()
            if path[0] in record.timestamp_fields
            for end in self._formats.end_times(value, began)
        ]


def _is_outdated(record: RecordProfile, current: Document, document: Document) -> bool:
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


def diff(old: Document, new: Document) -> Patch:
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


def apply(document: Document, patch: Patch) -> Document:
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
