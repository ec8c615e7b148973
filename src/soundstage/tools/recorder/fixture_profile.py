"""What a fixture knows of records: formats of time, initial values, fields that change."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from soundstage.types import Json, JsonObject
from soundstage.world.clock import MAX_TIMESTAMP, MIN_TIMESTAMP, SECOND, parse_rfc3339
from soundstage.world.errors import FixtureError
from soundstage.world.lifecycle import Lifecycle
from soundstage.world.random import SeededRandom
from soundstage.world.record import ApiModel, RecordType
from soundstage.world.run_builder import GenerationContext, RunBuilder
from soundstage.world.scenario import RUN, Definitions
from soundstage.world.values import apply_patch

_SAMPLE = 1_767_225_600_123  # 2026-01-01T00:00:00.123Z
# Units per second, by the number of digits that a present timestamp has.
_UNITS = {10: 1, 13: SECOND, 16: 10**6, 19: 10**9}
# ``2025-09-12 8:02:44.0 +00:00:00`` and the like, all of them UTC.
_LOOSE = re.compile(
    r"(\d{4}-\d\d-\d\d)[ T](\d{1,2})(:\d\d:\d\d)(\.\d+)?(?: ?(?:Z|UTC|\+00(?::?00)*))?", re.ASCII
)
_RFC3339 = "{}T{:0>2}{}{}Z"
# The forms of identifiers that fixtures generate: UUID, ULID, trace and span ID.
_ID = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9A-HJKMNP-TV-Z]{26}"
    r"|[0-9a-f]{16}|[0-9a-f]{32}"
)


class TimestampFormats:
    """Recognizes the timestamps and durations that fixtures of an API generate."""

    def __init__(self, model: ApiModel) -> None:
        self._names: dict[tuple[type, int], str] = {}
        # Name, function and ms per unit of the durations since a record began.
        self._durations: list[tuple[str, Callable[[int, int], Json], float]] = []
        for name, render in model.timestamp_formats.items():
            sample = render(_SAMPLE, _SAMPLE - SECOND)
            form, timestamp = _parse(sample)
            # A duration is a number that is 0 when the record begins.
            if isinstance(sample, int) and sample and not render(_SAMPLE, _SAMPLE):
                self._durations.append((name, render, SECOND / sample))
            elif abs(timestamp - _SAMPLE) < SECOND:
                self._names.setdefault((type(sample), form), name)

    def parse(self, value: Json) -> tuple[str, int] | None:
        """Return the name of a value's format and its timestamp (ms), or None."""
        form, timestamp = _parse(value)
        name = self._names.get((type(value), form))
        # Zero values, such as the year 1 in Go, are no timestamps.
        return (name, timestamp) if name and MIN_TIMESTAMP < timestamp < MAX_TIMESTAMP else None

    def end_times(self, value: Json, began: int) -> list[int]:
        """Return the possible timestamps at the end of a duration since ``began``."""
        durations = self._durations if type(value) in {int, float} else []
        times = [began + round(value * unit) for _, _, unit in durations]
        return [time for time in times if began < time <= MAX_TIMESTAMP]

    def duration_name(self, value: Json, timestamp: int, began: int) -> str | None:
        """Return the format in which the value is the time since ``began``, or None."""
        for name, render, unit in self._durations if type(value) in {int, float} else ():
            if timestamp > began and abs(value - render(timestamp, began)) * unit < 1:
                return name
        return None


def _parse(value: Json) -> tuple[int, int]:
    """Return the form (digits, or 0 for RFC 3339, 1 for a loose one) and the timestamp."""
    text = str(value) if type(value) in {int, str} else ""
    if text.isascii() and text.isdigit():
        return len(text), int(text) * SECOND // _UNITS.get(len(text), 1)
    match = _LOOSE.fullmatch(text)
    for form, candidate in enumerate((text, _RFC3339.format(*match.groups("")) if match else "")):
        with suppress(ValueError):
            return form, parse_rfc3339(candidate)
    return -1, 0


@dataclass(slots=True)
class RecordProfile:
    """The fields of one type of record, by what happens to them."""

    lifecycles: tuple[Lifecycle, ...]
    fields: set[str]
    creation_fields: list[str]
    changing_fields: set[str] = field(default_factory=set)
    timestamp_fields: set[str] = field(default_factory=set)
    # By a lifecycle field and a timestamp field: what steps of the fixture set together with it.
    states: dict[tuple[str, str], set[Json]] = field(default_factory=lambda: defaultdict(set))


class FixtureProfile:
    """Profiles of all types of record (``types``), from a fixture and its ``node``.

    ``contract`` has the fields of a type by its schema: if it has none, those of the fixture are
    not complete either. ``notes`` collects what is uncertain.
    """

    def __init__(
        self, definitions: Definitions, node: JsonObject, contract: Mapping[str, Iterable[str]]
    ) -> None:
        self.definitions = definitions
        self.formats = TimestampFormats(definitions.model)
        self.notes: dict[str, None] = {}
        self.types: dict[str, RecordProfile] = {}
        for name, record_type in definitions.model.record_types.items():
            initial = node.get("defaults", {}).get(name, {})
            created = [n for n, value in initial.items() if self._is_timestamp(value)]
            lifecycles, fields = definitions.lifecycles.get(name, ()), {record_type.id_field}
            self.types[name] = RecordProfile(lifecycles, fields.union(initial), created)
        for section in ("scenarios", "beginnings", "endings"):
            for item in node.get(section, {}).values():
                steps = item if isinstance(item, list) else item["steps"]
                self._collect(steps, {RUN} if section == "endings" else set())
        for name, record in self.types.items():
            known = contract.get(name)
            record.fields = record.fields.union(known) if known else set()

    def _is_timestamp(self, value: Json) -> bool:
        return isinstance(value, str) and value[1:] in self.definitions.model.timestamp_formats

    def _collect(self, steps: list[JsonObject], existing: set[str]) -> None:
        """Collect the fields in steps; ``existing`` are the records created so far."""
        for step in steps:
            self._collect(step.get("steps", []), existing)
            for key, value in step.items():
                type_name, has_name, _ = key.partition("/")
                if not (record := self.types.get(type_name)):
                    continue
                for patch in value if isinstance(value, list) else [value]:
                    record.fields.update(patch)
                    if key in existing:
                        record.changing_fields.update(patch)
                    timestamps = {n for n, v in patch.items() if self._is_timestamp(v)}
                    record.timestamp_fields |= timestamps
                    for lifecycle in record.lifecycles:
                        state = patch.get(lifecycle.field)
                        states = state.get("any", []) if isinstance(state, dict) else [state]
                        for name in timestamps if state is not None else ():
                            record.states[lifecycle.field, name].update(states)
                # Only the run and named records can be changed by later steps.
                if has_name or type_name == RUN:
                    existing.add(key)

    def generate(
        self,
        record_type: RecordType,
        record_id: str,
        at: int,
        names: Mapping[str, Json],
        seed: int = 0,
    ) -> JsonObject | None:
        """Generate a record from its defaults; None if these need unknown names."""
        start: JsonObject = {record_type.id_field: record_id}
        names = {**names, RUN: start} if record_type.name == RUN else names
        random = SeededRandom(seed, "record")
        context = RunBuilder(GenerationContext(self.definitions, random), at, names, ())
        try:
            return apply_patch(start, self.definitions.defaults.get(record_type.name, {}), context)
        except FixtureError:
            return None

    def generated_ids(
        self, record_type: RecordType, names: Mapping[str, Json], document: JsonObject
    ) -> set[str]:
        """Return the fields of a record whose identifiers are generated anew."""
        # What differs between two seeds is generated, and not a constant.
        one, other = (self.generate(record_type, "", 0, names, seed) or {} for seed in (1, 2))
        generated = (name for name in one if one[name] != other[name])
        return {name for name in generated if _ID.fullmatch(str(document.get(name)))}
