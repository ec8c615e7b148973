"""The steps of a scenario that repeats the histories of a run's records."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping

from soundstage.tools.recorder.fixture_profile import FixtureProfile
from soundstage.tools.recorder.reconstruction import TOLERANCE, RecordHistory, equals, without
from soundstage.types import Json, JsonObject
from soundstage.world.scenario import RUN
from soundstage.world.values import find_form, format_duration, to_fixture_value

MIN_ID_LENGTH = 8
"""Characters of an identifier that is replaced within longer texts."""

Change = tuple[RecordHistory, int]
"""A record and the index of its new version."""


class StepsBuilder:
    """Builds steps from the histories of a run (the first) and of its other records.

    ``names`` are those of the run's task.
    """

    def __init__(
        self, profile: FixtureProfile, names: Mapping[str, Json], histories: list[RecordHistory]
    ) -> None:
        self._profile, self._formats, self._histories = profile, profile.formats, histories
        # The run has a name, as have records that change or are referred to.
        self._record_names = {histories[0].id: RUN}
        texts = {
            text
            for history in histories
            for version in history.versions
            for text in _texts(without(version.document, [history.record_type.id_field]))
        }
        counts: Counter[str] = Counter()
        for history in histories[1:]:
            if len(history.versions) > 1 or history.id in texts:
                type_name = history.record_type.name
                counts[type_name] += 1
                self._record_names[history.id] = f"{type_name}{counts[type_name]}"
        self._references: dict[str, str] = {}
        self._names = dict(names)
        self._timestamp = self._began = 0  # of the record that is rendered

    def build(self) -> list[JsonObject]:
        """Return the steps, each after the time since the one before it."""
        steps: list[JsonObject] = []
        now = self._histories[0].began
        for timestamp, changes in self._changes_by_time():
            step: JsonObject = {}
            if timestamp > now:
                step["after"] = format_duration(timestamp - now)
            now = timestamp
            for history, i in changes:
                key = history.record_type.name
                if name := self._record_names.get(history.id):
                    key = RUN if name == RUN else f"{key}/{name}"
                    # A step can change a named record once only.
                    if key in step:
                        steps.append(step)
                        step = {}
                step.setdefault(key, []).append(self._render_patch(history, i))
            steps.append(step)
        for step in steps:
            step |= {k: v[0] for k, v in step.items() if len(v) == 1 and k != "after"}
        return steps

    def _changes_by_time(self) -> Iterator[tuple[int, list[Change]]]:
        """Yield changes by time: the run's, then others after those they refer to."""
        changes: dict[int, list[Change]] = {}
        for history in self._histories:
            for i, version in enumerate(history.versions):
                changes.setdefault(version.timestamp, []).append((history, i))
        names = self._record_names
        for timestamp, group in sorted(changes.items()):
            own = [one for one in group if names.get(one[0].id) == RUN]
            named = [one for one in group if names.get(one[0].id) not in {RUN, None}]
            rest = [one for one in group if one[0].id not in names]
            yield timestamp, [*own, *_order_by_references(named), *rest]

    def _render_patch(self, history: RecordHistory, i: int) -> JsonObject:
        """Return the patch for a version, without what the fixture generates itself."""
        record_type, parse = history.record_type, self._formats.parse
        timestamp, document = history.versions[i].timestamp, history.versions[i].document
        self._timestamp, self._began = timestamp, history.began
        ignored = {record_type.id_field}
        before = history.versions[i - 1].document
        if i == 0:
            before = self._profile.generate(record_type, history.id, timestamp, self._names) or {}
            ignored |= self._profile.generated_ids(record_type, self._names, document)
        if name := self._record_names.get(history.id):
            # From now on, other records can refer to this one by its name.
            self._references[history.id] = f"{name}.{record_type.id_field}"
            self._names[name] = document
        for name, value in before.items():
            is_hidden = name not in document and name not in history.fields
            time = parse(document.get(name))
            if is_hidden or (time is not None and time == parse(value)):
                ignored.add(name)
        old, new = without(before, ignored), without(document, ignored)
        return self._render_changes(old, new, record_type.name)

    def _render_changes(self, old: JsonObject, new: JsonObject, place: str) -> JsonObject:
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
                inner = self._render_changes(inner, value, f"{place}.{name}")
                result[name] = {"literal": value} if find_form(inner) else inner
            elif before and isinstance(value, list) and equals(before, value[:-1]):
                result[name] = {"append": self._render(value[-1])}
            elif parsed and abs(parsed[1] - self._timestamp) <= TOLERANCE:
                result[name] = f"${parsed[0]}"
            else:
                result[name] = self._render(value)
                if parsed:
                    note = f"{place}.{name} keeps its recorded moment, {value}"
                    self._profile.notes[note] = None
        return result | {name: None for name in old if name not in new}

    def _render(self, value: Json) -> Json:
        """Return a fixture value: times and known identifiers by their names."""
        if isinstance(value, list):
            return [self._render(item) for item in value]
        if isinstance(value, dict) and not find_form(value):
            return {name: self._render(inner) for name, inner in value.items()}
        timestamp = self._timestamp
        if (parsed := self._formats.parse(value)) and parsed[1] == timestamp:
            return f"${parsed[0]}"
        if name := self._formats.duration_name(value, timestamp, self._began):
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


def _texts(value: Json) -> set[str]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return {text for inner in value for text in _texts(inner)}
    return {value} if isinstance(value, str) else set()


def _order_by_references(changes: list[Change]) -> Iterator[Change]:
    """Yield changes after those of the records that they refer to."""
    left = changes
    while left:
        ids = {history.id for history, _ in left}
        texts = [_texts(history.versions[i].document) - {history.id} for history, i in left]
        free = [one for one, found in zip(left, texts, strict=True) if not ids & found]
        free = free or left[:1]  # a cycle is broken anywhere
        yield from free
        left = [one for one in left if one not in free]
