"""What a fixture knows of records: initial values, and fields that change later."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from soundstage.tools.recorder.timestamps import TimestampFormats
from soundstage.types import Json, JsonObject
from soundstage.world.errors import FixtureError
from soundstage.world.lifecycle import Lifecycle
from soundstage.world.random import SeededRandom
from soundstage.world.record import RecordType
from soundstage.world.run_builder import GenerationContext, RunBuilder
from soundstage.world.scenario import RUN, Definitions
from soundstage.world.values import apply_patch

# The forms of identifiers that fixtures generate: UUID, ULID, trace and span ID.
_ID = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9A-HJKMNP-TV-Z]{26}"
    r"|[0-9a-f]{16}|[0-9a-f]{32}"
)


@dataclass(slots=True)
class RecordProfile:
    """The fields of one type of record, by what happens to them.

    ``states`` has, by a lifecycle field and a timestamp field, the states that steps of the
    fixture set together with that timestamp.
    """

    record_type: RecordType
    lifecycles: tuple[Lifecycle, ...]
    fields: set[str]
    creation_fields: list[str]
    changing_fields: set[str] = field(default_factory=set)
    timestamp_fields: set[str] = field(default_factory=set)
    states: dict[tuple[str, str], set[Json]] = field(default_factory=lambda: defaultdict(set))


class FixtureProfile:
    """Profiles of all types of record (``types``), from a fixture and its ``node``.

    ``contract_fields`` are those of a type by its schema: if it has none, those of the
    fixture are not complete either. ``notes`` collects what is uncertain.
    """

    def __init__(
        self, definitions: Definitions, node: JsonObject, contract_fields: Mapping[str, set[str]]
    ) -> None:
        self.definitions = definitions
        self.formats = TimestampFormats(definitions.model)
        self.notes: dict[str, None] = {}
        self.types: dict[str, RecordProfile] = {}
        for name, record_type in definitions.model.record_types.items():
            initial = node.get("defaults", {}).get(name, {})
            created = [n for n, value in initial.items() if self._is_timestamp(value)]
            lifecycles = definitions.lifecycles.get(name, ())
            fields = {record_type.id_field, *initial}
            self.types[name] = RecordProfile(record_type, lifecycles, fields, created)
        for section in ("scenarios", "beginnings", "endings"):
            for item in node.get(section, {}).values():
                steps = item if isinstance(item, list) else item["steps"]
                self._collect(steps, {RUN} if section == "endings" else set())
        for name, record in self.types.items():
            known = contract_fields.get(name)
            record.fields = known | record.fields if known else set()

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
        return {
            name
            for name, value in one.items()
            if value != other[name] and _ID.fullmatch(str(document.get(name)))
        }
