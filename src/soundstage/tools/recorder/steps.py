"""The steps of a scenario that repeats the histories of a run's records."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from soundstage.tools.recorder.fixture_profile import FixtureProfile
from soundstage.tools.recorder.reconstruction import TOLERANCE, RecordHistory, equals
from soundstage.types import Json, JsonObject
from soundstage.world.scenario import RUN
from soundstage.world.values import find_form, format_duration, to_fixture_value

MIN_ID_LENGTH = 8
"""Characters of an identifier that is replaced within longer texts."""


class _Change(NamedTuple):
    timestamp: int
    history: RecordHistory
    before: JsonObject | None
    document: JsonObject


class StepsBuilder:
    """Builds the steps of a fixture; ``names`` are those of the run's task.

    ``histories`` begin with that of the run.
    """

    def __init__(
        self, profile: FixtureProfile, names: Mapping[str, Json], histories: list[RecordHistory]
    ) -> None:
        self._profile, self._formats = profile, profile.formats
        self._histories = histories
        self._record_names = dict(_name_records(histories))
        self._references: dict[str, str] = {}
        self._names = dict(names)

    def build(self) -> list[JsonObject]:
        """Return the steps, each after the time since the one before it."""
        steps: list[JsonObject] = []
        now = self._histories[0].began
        for timestamp, changes in self._changes_by_time():
            step: JsonObject = {}
            if timestamp > now:
                step["after"] = format_duration(timestamp - now)
            now = timestamp
            for change in changes:
                type_name = change.history.record_type.name
                name = self._record_names.get(change.history.id)
                key = f"{type_name}/{name}" if name not in {None, RUN} else type_name
                # A step can change a named record once only.
                if name and key in step:
                    steps.append(step)
                    step = {}
                step.setdefault(key, []).append(self._render_patch(change))
            steps.append(step)
        for step in steps:
            step |= {k: v[0] for k, v in step.items() if len(v) == 1 and k != "after"}
        return steps

    def _changes_by_time(self) -> Iterator[tuple[int, list[_Change]]]:
        """Yield changes by time: the run's, then others after those they refer to."""
        changes: dict[int, list[_Change]] = {}
        for history in self._histories:
            before = None
            for version in history.versions:
                change = _Change(version.timestamp, history, before, version.document)
                changes.setdefault(version.timestamp, []).append(change)
                before = version.document
        for timestamp, group in sorted(changes.items()):
            run, names = self._histories[0], self._record_names
            own = [change for change in group if change.history is run]
            named = [change for change in group if change.history.id in names.keys() - {run.id}]
            rest = [change for change in group if change.history.id not in names]
            yield timestamp, [*own, *_order_by_references(named), *rest]

    def _render_patch(self, change: _Change) -> JsonObject:
        """Return the patch of a step, without what the fixture generates itself."""
        timestamp, history, before, document = change
        record_type, parse = history.record_type, self._formats.parse
        ignored = {record_type.id_field}
        if before is None:
            start = self._profile.generate(record_type, history.id, timestamp, self._names)
            ignored |= self._profile.generated_ids(record_type, self._names, document)
            before = start or {}
        if name := self._record_names.get(history.id):
            # From now on, other records can refer to this one by its name.
            self._references[history.id] = f"{name}.{record_type.id_field}"
            self._names[name] = document
        for name, value in before.items():
            is_hidden = name not in document and name not in history.fields
            time = parse(document.get(name))
            if is_hidden or (time is not None and time == parse(value)):
                ignored.add(name)
        old = {n: v for n, v in before.items() if n not in ignored}
        new = {n: v for n, v in document.items() if n not in ignored}
        return self._render_changes(old, new, change, record_type.name)

    def _render_changes(
        self, old: JsonObject, new: JsonObject, change: _Change, place: str
    ) -> JsonObject:
        """Return the changed fields as a JSON Merge Patch: null removes a field."""
        result: JsonObject = {}
        for name, value in new.items():
            before = old.get(name)
            if name in old and equals(before, value):
                continue
            parsed = self._formats.parse(value)
            if value is None:
                result[name] = {"literal": None}
            elif isinstance(value, dict) and not find_form(value):
                inner = before if isinstance(before, dict) else {}
                inner = self._render_changes(inner, value, change, f"{place}.{name}")
                result[name] = {"literal": value} if find_form(inner) else inner
            elif before and isinstance(value, list) and equals(before, value[:-1]):
                result[name] = {"append": self._render(value[-1], change)}
            elif parsed and abs(parsed[1] - change.timestamp) <= TOLERANCE:
                result[name] = f"${parsed[0]}"
            else:
                result[name] = self._render(value, change)
                if parsed:
                    note = f"{place}.{name} keeps its recorded moment, {value}"
                    self._profile.notes[note] = None
        return result | {name: None for name in old if name not in new}

    def _render(self, value: Json, change: _Change) -> Json:
        """Return a fixture value: times and known identifiers by their names."""
        if isinstance(value, list):
            return [self._render(item, change) for item in value]
        if isinstance(value, dict) and not find_form(value):
            return {name: self._render(inner, change) for name, inner in value.items()}
        timestamp, began = change.timestamp, change.history.began
        if (parsed := self._formats.parse(value)) and parsed[1] == timestamp:
            return f"${parsed[0]}"
        if name := self._formats.duration_name(value, timestamp, began):
            return f"${name}"
        if not isinstance(value, str):
            return to_fixture_value(value)
        references = self._references
        if value in references:
            return f"${references[value]}"
        ids = [re.escape(i) for i in references if len(i) >= MIN_ID_LENGTH and i in value]
        if not ids:
            return to_fixture_value(value)
        parts = re.split(f"({'|'.join(ids)})", value)
        return "".join(
            f"${{{references[part]}}}" if part in references else part.replace("$", "$$")
            for part in parts
        )


def _name_records(histories: list[RecordHistory]) -> Iterator[tuple[str, str]]:
    """Yield names for the run and the records that change or are referred to."""
    counts: Counter[str] = Counter()
    run, *others = histories
    texts = {
        text
        for history in histories
        for version in history.versions
        for name, value in version.document.items()
        if name != history.record_type.id_field
        for text in _texts(value)
    }
    for history in others:
        if len(history.versions) > 1 or history.id in texts:
            type_name = history.record_type.name
            counts[type_name] += 1
            yield history.id, f"{type_name}{counts[type_name]}"
    yield run.id, RUN


def _texts(value: Json) -> set[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {text for inner in value for text in _texts(inner)}
    return {value} if isinstance(value, str) else set()


def _order_by_references(changes: list[_Change]) -> Iterator[_Change]:
    """Yield changes after those of the records that they refer to."""
    left = changes
    while left:
        ids = {one.history.id for one in left}
        free = [one for one in left if not ids & _texts(one.document) - {one.history.id}]
        free = free or left[:1]  # a cycle is broken anywhere
        yield from free
        left = [one for one in left if one not in free]
