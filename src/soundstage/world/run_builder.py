"""A run while its steps are played: its names, records, and the runs it starts."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from soundstage.types import Json, JsonObject
from soundstage.world.clock import clamp_timestamp
from soundstage.world.errors import FixtureError, IllegalTransition, UnknownName
from soundstage.world.random import RandomSource
from soundstage.world.record import BEGINNING, Record, RecordType
from soundstage.world.scenario import (
    RUN,
    Definitions,
    QueuedScenario,
    RecordPatch,
    RunRequest,
    Scenario,
    Step,
    StepSequence,
    Successor,
)
from soundstage.world.values import ValueGenerator, apply_patch, require_count

MAX_CHAIN_LENGTH = 64
"""How many runs may start one another in a row, and scenarios play one another."""

Provenance: TypeAlias = dict[tuple[str, int], str]
"""Record id and instant -> the pointer of the patch that made that version."""


@dataclass(slots=True)
class GenerationContext:
    """What runs are drawn from. What is drawn as planned is taken out of ``planned``.

    A ``trail`` that is handed in is filled, for those who check fixtures. ``aside``
    are the draws of records that nothing else depends on, where they have their own;
    an ``outline`` leaves them out. ``until`` is the last instant that was played.
    """

    definitions: Definitions
    random: RandomSource
    queued_scenarios: list[QueuedScenario] = field(default_factory=list)
    provenance: Provenance | None = None
    detail_random: RandomSource | None = None
    summary_only: bool = False
    last_event_at: int = BEGINNING

    def choose_scenario(self, task: str) -> str:
        """How a run unfolds that names no scenario: planned, the task's, any."""
        for i, plan in enumerate(self.queued_scenarios):
            if plan.task in {None, task}:
                left = replace(plan, times=plan.times - 1)
                self.queued_scenarios[i : i + 1] = [left] if left.times else []
                return plan.scenario
        chosen = self.definitions.task(task).get("scenario")
        return str(chosen or self.definitions.choose_scenario(self.random))


@dataclass(slots=True)
class _Draft:
    record_type: RecordType
    id: str
    name: str | None
    timestamps: list[int]
    versions: list[JsonObject | None]

    def build(self) -> Record:
        return Record(
            self.record_type,
            self.id,
            tuple(self.timestamps),
            tuple(self.versions),
            self.name,
        )


class RunBuilder:
    """A run while its steps are played; what values see of it is the Scene protocol."""

    def __init__(
        self,
        context: GenerationContext,
        timestamp: int,
        variables: Mapping[str, Json],
        explicit: Collection[str],
    ) -> None:
        self.random = context.random
        self.timestamp = timestamp
        self.variables = dict(variables)
        self.requested_id: str | None = None
        self.drafts: dict[str, _Draft] = {}
        self.run_requests: list[RunRequest] = []
        self._explicit = explicit
        self._context = context
        self._definitions = context.definitions
        self._timestamp_formats = context.definitions.model.timestamp_formats
        self._detail_types = self._find_detail_types()
        self._record_created_at = timestamp
        self._depth = 0

    def resolve(self, name: str) -> Json:
        head, _, path = name.partition(".")
        if moment := self._timestamp_formats.get(head):
            return moment(self.timestamp, self._record_created_at)
        value = self.variables[head]
        for part in path.split(".") if path else ():
            if not isinstance(value, dict):
                raise KeyError(name)
            value = value[part]
        return value

    def records(self) -> tuple[Record, ...]:
        """The run's own record first, then the others as they began."""
        run = self.drafts[RUN]
        return (
            run.build(),
            *(draft.build() for draft in self.drafts.values() if draft is not run),
        )

    def resume(self, record: Record) -> None:
        """Go on with a record that an earlier drawing made."""
        draft = _Draft(
            record.record_type,
            record.id,
            record.name,
            list(record.timestamps),
            list(record.versions),
        )
        self._add_draft(draft, record.name)

    def generate_missing(self, values: Mapping[str, ValueGenerator]) -> None:
        """Draw what nobody has given."""
        self.generate({n: v for n, v in values.items() if n not in self._explicit})

    def play_sequence(self, sequence: StepSequence) -> None:
        """Play a beginning or an ending."""
        self.generate_missing(sequence.variables)
        self.play(sequence.steps)

    def generate(self, values: Mapping[str, ValueGenerator]) -> None:
        for name, value in values.items():
            self.variables[name] = value(self, None)

    def play(self, steps: tuple[Step, ...]) -> None:
        for step in steps:
            if step.delay:
                self.timestamp = clamp_timestamp(
                    self.timestamp + step.delay(self, None)
                )
            if step.repeat:
                self._repeat(step, require_count(step.repeat(self, None), step.pointer))
            else:
                self.generate(step.variables)
            for change in step.patches:
                if change.name is None and change.type_name in self._detail_types:
                    self._apply_detail_patch(change)
                else:
                    self._apply_patch(change)
            if step.play:
                self._play_scenario(str(step.play(self, None)), step.pointer)
            if step.successor:
                self._request_successor(step.successor)

    def _play_scenario(self, name: str, pointer: str) -> None:
        """Go on with the steps of a scenario."""
        if self._depth == MAX_CHAIN_LENGTH:
            msg = f"more than {MAX_CHAIN_LENGTH} scenarios play one another"
            raise FixtureError(msg, f"{pointer}/play")
        scenario = self._get_scenario(name, f"{pointer}/play")
        self._depth += 1
        self.generate_missing(scenario.variables)
        self.play(scenario.steps)
        self._depth -= 1

    def _repeat(self, step: Step, times: int) -> None:
        outer = {
            name: self.variables[name] for name in ("count",) if name in self.variables
        }
        for count in range(1, times + 1):
            self.variables["count"] = count
            self.generate(step.variables)
            self.play(step.steps)
        self.variables.pop("count", None)
        self.variables.update(outer)

    def _find_detail_types(self) -> frozenset[str]:
        """What nothing else depends on, unless it has a name; it may be drawn later."""
        if self._context.detail_random is None and not self._context.summary_only:
            return frozenset()
        kinds = self._definitions.model.record_types
        return frozenset(name for name, kind in kinds.items() if kind.belongs_to_run)

    def _apply_detail_patch(self, patch: RecordPatch) -> None:
        if self._context.detail_random is None:
            return
        before = self.random, self._record_created_at
        self.random = self._context.detail_random
        self._apply_patch(patch)
        self.random, self._record_created_at = before

    def _apply_patch(self, patch: RecordPatch) -> None:
        draft = self.drafts.get(patch.name) if patch.name else None
        old = draft.versions[-1] if draft else None
        self._record_created_at = draft.timestamps[0] if draft else self.timestamp
        fresh = draft is None
        if draft is None:
            draft = self._create_draft(patch)
        try:
            new = apply_patch(draft.versions[-1] or {}, patch.template, self)
            for lifecycle in self._definitions.lifecycles.get(patch.type_name, ()):
                lifecycle.check(old, new)
        except IllegalTransition as error:
            raise IllegalTransition(error.message, patch.pointer) from None
        except (TypeError, AttributeError) as error:
            msg = f"a value does not fit here: {error}"
            raise FixtureError(msg, patch.pointer) from error
        if fresh:
            draft.id = str(
                new.get(draft.record_type.id_field, draft.id)
            )  # a step may say it
        if draft.timestamps[-1] == self.timestamp:
            draft.versions[-1] = new
        else:
            draft.timestamps.append(self.timestamp)
            draft.versions.append(new)
        if patch.name:
            self.variables[patch.name] = new
        if self._context.provenance is not None:
            self._context.provenance[draft.id, self.timestamp] = patch.pointer

    def _create_draft(self, patch: RecordPatch) -> _Draft:
        kind = self._definitions.model.record_types[patch.type_name]
        given = self.requested_id if patch.type_name == RUN else None
        record_id = given or kind.id_format(self.random, self.timestamp)
        start: JsonObject = {kind.id_field: record_id}
        if patch.name:
            self.variables[patch.name] = start
        if defaults := self._definitions.defaults.get(patch.type_name):
            start = apply_patch(start, defaults, self)
        draft = _Draft(kind, record_id, patch.name, [self.timestamp], [start])
        self._add_draft(draft, patch.name)
        return draft

    def _add_draft(self, draft: _Draft, name: str | None) -> None:
        self.drafts[name or f"#{len(self.drafts)}"] = draft
        if name:
            self.variables[name] = draft.versions[-1]

    def _request_successor(self, successor: Successor) -> None:
        scenario = str(successor.scenario(self, None))
        names = {name: value(self, None) for name, value in successor.variables.items()}
        self._get_scenario(scenario, successor.pointer)
        self.run_requests.append(
            RunRequest("", scenario, self.timestamp, variables=names)
        )

    def _get_scenario(self, name: str, pointer: str) -> Scenario:
        try:
            return self._definitions.scenario(name)
        except UnknownName as error:
            raise FixtureError(str(error), pointer) from error
