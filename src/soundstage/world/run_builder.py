"""Generation of runs: a run's whole timeline is built when it starts.

This module is long since generating a run, ending it at a deadline and starting its
successors call one another.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from soundstage.types import Json, JsonObject
from soundstage.world.clock import clamp_timestamp
from soundstage.world.errors import FixtureError, IllegalTransition, UnknownName
from soundstage.world.random import RandomSource
from soundstage.world.record import BEGINNING, Record, RecordType
from soundstage.world.runs import Interruption, Run
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
from soundstage.world.values import ValueGenerator, apply_patch, require_count, to_duration

MAX_CHAIN_LENGTH = 64
"""The most runs that may start one another, and scenarios that may play one another."""

Provenance: TypeAlias = dict[tuple[str, int], str]
"""Record id and timestamp -> the pointer of the patch that made that version."""


@dataclass(slots=True)
class GenerationContext:
    """What runs are generated from. A queued scenario that is used is removed.

    ``provenance`` is filled if given, for the validation of fixtures.
    ``detail_random`` generates the records that nothing else depends on;
    ``summary_only`` leaves these records out. ``last_event_at`` becomes the timestamp
    of the last step that was played.
    """

    definitions: Definitions
    random: RandomSource
    queued_scenarios: list[QueuedScenario] = field(default_factory=list)
    provenance: Provenance | None = None
    detail_random: RandomSource | None = None
    summary_only: bool = False
    last_event_at: int = BEGINNING

    def choose_scenario(self, task: str) -> str:
        """Return the scenario of a run: queued, the task's own, or chosen by weight."""
        for i, queued in enumerate(self.queued_scenarios):
            if queued.task in {None, task}:
                remaining = replace(queued, times=queued.times - 1)
                self.queued_scenarios[i : i + 1] = [remaining] if remaining.times else []
                return queued.scenario
        own = self.definitions.task(task).get("scenario")
        return str(own or self.definitions.choose_scenario(self.random))


def generate_run(context: GenerationContext, request: RunRequest) -> Run:
    """Generate a run to its end, and the runs that it starts.

    Raises ``UnknownName`` and ``FixtureError``.
    """
    definitions = context.definitions
    task = definitions.task(request.task)
    scenario_name = request.scenario or context.choose_scenario(request.task)
    if request.chain_length > MAX_CHAIN_LENGTH:
        msg = f"more than {MAX_CHAIN_LENGTH} runs start one another in a row"
        raise FixtureError(msg, f"/scenarios/{scenario_name}")
    scenario = definitions.scenario(scenario_name)
    own_names = {"task": request.task, "scenario": scenario_name}
    # In ascending priority: a request overrides the fixture.
    variables = {**task, **own_names, **request.variables}
    builder = RunBuilder(
        context, request.timestamp, variables, request.variables.keys(), request.run_id
    )
    builder.generate_missing(scenario.variables)
    if request.beginning is not None:
        builder.play_sequence(definitions.step_sequence("beginning", request.beginning))
    builder.play(scenario.steps)
    context.last_event_at = max(context.last_event_at, builder.timestamp)
    if RUN not in builder.drafts:
        msg = f"the scenario never makes a record of kind {RUN!r}"
        raise FixtureError(msg, f"/scenarios/{scenario_name}")
    deadlines = {n: to_duration(value) for n, value in task.get("deadlines", {}).items()}
    run = Run(
        task=request.task,
        scenario=scenario_name,
        started_at=request.timestamp,
        records=builder.records(),
        variables=builder.variables,
        explicit_variables=frozenset(request.variables),
        deadlines={**deadlines, **request.deadlines},
        chain_length=request.chain_length,
    )
    return _apply_deadline(context, run, request.timestamp, builder.run_requests)


def interrupt_run(context: GenerationContext, run: Run, interruption: Interruption) -> Run | None:
    """Replace the future of a run by an ending.

    Returns None if the ending does not apply, as to a finished run. Raises
    ``UnknownName`` for an unknown ending.
    """
    definitions, now = context.definitions, interruption.timestamp
    ending = definitions.step_sequence("ending", interruption.ending)
    document = run.records[0].as_of(now)
    if document is None or not definitions.can_end(document, ending):
        return None
    # An ending must not see records that never come to exist.
    future = {r.name for r in run.records if r.created_at > now}
    variables = {n: v for n, v in run.variables.items() if n not in future}
    explicit = run.explicit_variables | interruption.variables.keys()
    builder = RunBuilder(context, now, {**variables, **interruption.variables}, explicit)
    deleted: list[Record] = []
    for record in run.records:
        past = record.truncate(now)
        if past and past.versions[-1] is None:
            # An ending must not bring a deleted record back.
            deleted.append(past)
        elif past:
            builder.resume(past)
    builder.play_sequence(ending)
    context.last_event_at = max(context.last_event_at, builder.timestamp)
    new = replace(
        run,
        records=(*builder.records(), *deleted),
        variables=builder.variables,
        explicit_variables=explicit,
        deadlines_hit={n: at for n, at in run.deadlines_hit.items() if at <= now},
        successors=tuple(s for s in run.successors if s.started_at <= now),
    )
    return _apply_deadline(context, new, now, builder.run_requests)


def _apply_deadline(
    context: GenerationContext, run: Run, since: int, requests: list[RunRequest]
) -> Run:
    """End the run at its first deadline after ``since``, and add its successors."""
    interruption = _find_first_deadline(context.definitions, run, since)
    if interruption is None:
        return _add_successors(context, run, requests)
    # Successors that the steps start after the deadline never start.
    deadline = interruption.timestamp
    requests = [request for request in requests if request.timestamp <= deadline]
    run = replace(
        run,
        deadlines_hit={**run.deadlines_hit, interruption.ending: deadline},
        successors=(*run.successors, *_generate_successors(context, run, requests)),
    )
    return interrupt_run(context, run, interruption) or run


def _find_first_deadline(definitions: Definitions, run: Run, since: int) -> Interruption | None:
    interruptions = (
        Interruption(name, timestamp)
        for name, duration in run.deadlines.items()
        # Each deadline ends a run once, also one that an ending requeues.
        if name not in run.deadlines_hit
        and (timestamp := _deadline_timestamp(definitions, run, name, duration)) is not None
        and timestamp >= since
    )
    return min(interruptions, key=lambda each: each.timestamp, default=None)


def _deadline_timestamp(definitions: Definitions, run: Run, name: str, duration: int) -> int | None:
    """Return when a deadline ends the run; None if it has left the states by then."""
    ending, record = definitions.step_sequence("ending", name), run.records[0]
    entered = (
        timestamp
        for timestamp, version in zip(record.timestamps, record.versions, strict=True)
        if version is not None and definitions.can_end(version, ending)
    )
    first = next(entered, None)
    if first is None:
        return None
    deadline = clamp_timestamp(first + duration)
    document = record.as_of(deadline)
    return deadline if document and definitions.can_end(document, ending) else None


def _add_successors(context: GenerationContext, run: Run, requests: list[RunRequest]) -> Run:
    """Add the runs that the steps request, or else the one that the API requests."""
    on_finish = context.definitions.on_finish
    if on_finish and not requests and not run.successors and (request := on_finish(run)):
        requests = [request]
    successors = _generate_successors(context, run, requests)
    return replace(run, successors=(*run.successors, *successors))


def _generate_successors(
    context: GenerationContext, run: Run, requests: list[RunRequest]
) -> tuple[Run, ...]:
    chain_length = run.chain_length + 1
    return tuple(
        generate_run(context, replace(request, task=run.task, chain_length=chain_length))
        for request in requests
    )


@dataclass(slots=True)
class _Draft:
    """A record while its versions are being added."""

    record_type: RecordType
    id: str
    name: str | None
    timestamps: list[int]
    versions: list[JsonObject | None]

    def build(self) -> Record:
        return Record(
            self.record_type, self.id, tuple(self.timestamps), tuple(self.versions), self.name
        )


class RunBuilder:
    """Plays the steps of a run; an ``EvaluationContext`` for their values.

    ``explicit`` are the names of variables that are not generated. ``run_id`` is the
    id of the run's own record if it is known.
    """

    def __init__(
        self,
        context: GenerationContext,
        timestamp: int,
        variables: Mapping[str, Json],
        explicit: Collection[str],
        run_id: str | None = None,
    ) -> None:
        self.random = context.random
        self.timestamp = timestamp
        self.variables = dict(variables)
        self.drafts: dict[str, _Draft] = {}
        self.run_requests: list[RunRequest] = []
        self._run_id = run_id
        self._explicit = explicit
        self._context = context
        self._definitions = context.definitions
        self._timestamp_formats = context.definitions.model.timestamp_formats
        self._detail_types = _find_detail_types(context)
        self._record_created_at = timestamp
        self._depth = 0

    def resolve(self, name: str) -> Json:
        head, _, path = name.partition(".")
        if timestamp_format := self._timestamp_formats.get(head):
            return timestamp_format(self.timestamp, self._record_created_at)
        value = self.variables[head]
        for part in path.split(".") if path else ():
            if not isinstance(value, dict):
                raise KeyError(name)
            value = value[part]
        return value

    def records(self) -> tuple[Record, ...]:
        """Return the run's own record, then the others in order of creation."""
        run = self.drafts[RUN]
        return (run.build(), *(draft.build() for draft in self.drafts.values() if draft is not run))

    def resume(self, record: Record) -> None:
        """Continue a record of an earlier generation."""
        draft = _Draft(
            record.record_type,
            record.id,
            record.name,
            list(record.timestamps),
            list(record.versions),
        )
        self._add_draft(draft, record.name)

    def generate_missing(self, values: Mapping[str, ValueGenerator]) -> None:
        """Generate the variables that are not explicit."""
        self._generate({n: v for n, v in values.items() if n not in self._explicit})

    def play_sequence(self, sequence: StepSequence) -> None:
        """Play a beginning or an ending."""
        self.generate_missing(sequence.variables)
        self.play(sequence.steps)

    def play(self, steps: tuple[Step, ...]) -> None:
        """Play steps in order."""
        for step in steps:
            if step.delay:
                self.timestamp = clamp_timestamp(self.timestamp + step.delay(self, None))
            if step.repeat:
                times = require_count(step.repeat(self, None), step.pointer)
                self._repeat(step, times)
            else:
                self._generate(step.variables)
            for patch in step.patches:
                if patch.name is None and patch.type_name in self._detail_types:
                    self._apply_detail_patch(patch)
                else:
                    self._apply_patch(patch)
            if step.play:
                self._play_scenario(str(step.play(self, None)), step.pointer)
            if step.successor:
                self._request_successor(step.successor)

    def _generate(self, values: Mapping[str, ValueGenerator]) -> None:
        for name, value in values.items():
            self.variables[name] = value(self, None)

    def _play_scenario(self, name: str, pointer: str) -> None:
        if self._depth == MAX_CHAIN_LENGTH:
            msg = f"more than {MAX_CHAIN_LENGTH} scenarios play one another"
            raise FixtureError(msg, f"{pointer}/play")
        scenario = self._get_scenario(name, f"{pointer}/play")
        self._depth += 1
        self.generate_missing(scenario.variables)
        self.play(scenario.steps)
        self._depth -= 1

    def _repeat(self, step: Step, times: int) -> None:
        # ``$count`` is that of the innermost repetition.
        outer = {n: self.variables[n] for n in ("count",) if n in self.variables}
        for count in range(1, times + 1):
            self.variables["count"] = count
            self._generate(step.variables)
            self.play(step.steps)
        self.variables.pop("count", None)
        self.variables.update(outer)

    def _apply_detail_patch(self, patch: RecordPatch) -> None:
        if self._context.detail_random is None:
            return
        # Restored below, so that the rest of the run does not depend on the details.
        before = self.random, self._record_created_at
        self.random = self._context.detail_random
        self._apply_patch(patch)
        self.random, self._record_created_at = before

    def _apply_patch(self, patch: RecordPatch) -> None:
        draft = self.drafts.get(patch.name) if patch.name else None
        old = draft.versions[-1] if draft else None
        self._record_created_at = draft.timestamps[0] if draft else self.timestamp
        is_new = draft is None
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
        if is_new:
            # The patch of a new record may set its id.
            draft.id = str(new.get(draft.record_type.id_field, draft.id))
        # Patches at one timestamp make one version: no reader sees one in between.
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
        record_type = self._definitions.model.record_types[patch.type_name]
        known_id = self._run_id if patch.type_name == RUN else None
        record_id = known_id or record_type.id_format(self.random, self.timestamp)
        initial: JsonObject = {record_type.id_field: record_id}
        if patch.name:
            # The defaults may refer to the record's own id.
            self.variables[patch.name] = initial
        if defaults := self._definitions.defaults.get(patch.type_name):
            initial = apply_patch(initial, defaults, self)
        draft = _Draft(record_type, record_id, patch.name, [self.timestamp], [initial])
        self._add_draft(draft, patch.name)
        return draft

    def _add_draft(self, draft: _Draft, name: str | None) -> None:
        self.drafts[name or f"#{len(self.drafts)}"] = draft
        if name:
            self.variables[name] = draft.versions[-1]

    def _request_successor(self, successor: Successor) -> None:
        scenario = str(successor.scenario(self, None))
        variables = {n: value(self, None) for n, value in successor.variables.items()}
        self._get_scenario(scenario, successor.pointer)
        # The task is that of the run, which the builder does not know.
        self.run_requests.append(RunRequest("", scenario, self.timestamp, variables=variables))

    def _get_scenario(self, name: str, pointer: str) -> Scenario:
        try:
            return self._definitions.scenario(name)
        except UnknownName as error:
            raise FixtureError(str(error), pointer) from error


def _find_detail_types(context: GenerationContext) -> frozenset[str]:
    """Return the record types that may be generated apart from the rest of a run.

    Nothing depends on such records if they have no name in the scenario.
    """
    if context.detail_random is None and not context.summary_only:
        return frozenset()
    record_types = context.definitions.model.record_types
    return frozenset(n for n, each in record_types.items() if each.belongs_to_run)
