"""From a scenario to a run: its whole future, drawn and written down when it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from soundstage.types import Json
from soundstage.world.clock import clamp_timestamp
from soundstage.world.errors import FixtureError
from soundstage.world.record import Record
from soundstage.world.run_builder import MAX_CHAIN_LENGTH, GenerationContext, RunBuilder
from soundstage.world.scenario import RUN, Definitions, RunRequest
from soundstage.world.values import to_duration


@dataclass(frozen=True, slots=True)
class Run:
    """A run under way, or over: its timeline, written when it started.

    ``records[0]`` is its own record. ``names`` is what its steps were drawn with, and
    ``given`` those of them that nobody drew. ``struck`` says when which of its
    ``deadlines`` end it. ``successors`` are the runs that it starts.
    """

    task: str
    scenario: str
    started_at: int
    records: tuple[Record, ...]
    variables: Mapping[str, Json]
    explicit_variables: frozenset[str] = frozenset()
    deadlines: Mapping[str, int] = field(default_factory=dict)
    deadlines_hit: Mapping[str, int] = field(default_factory=dict)
    successors: tuple["Run", ...] = ()
    chain_length: int = 0

    @property
    def id(self) -> str:
        """The identifier of its own record."""
        return self.records[0].id


@dataclass(frozen=True, slots=True)
class Interruption:
    """Where a run is interrupted, and the ending that it is given.

    ``names`` win over what the ending draws.
    """

    ending: str
    timestamp: int
    variables: Mapping[str, Json] = field(default_factory=dict)


def generate_run(context: GenerationContext, request: RunRequest) -> Run:
    """The run, to its end, and those that it starts.

    Raises ``Unknown`` and ``FixtureError``.
    """
    script, scenario_name = context.definitions, request.scenario
    task = script.task(request.task)
    scenario_name = scenario_name or context.choose_scenario(request.task)
    if request.chain_length > MAX_CHAIN_LENGTH:
        msg = f"more than {MAX_CHAIN_LENGTH} runs start one another in a row"
        raise FixtureError(msg, f"/scenarios/{scenario_name}")
    scenario = script.scenario(scenario_name)
    about = {"task": request.task, "scenario": scenario_name}
    names = {**task, **about, **request.variables}
    drawing = RunBuilder(context, request.timestamp, names, request.variables.keys())
    if request.run_id is not None:
        drawing.requested_id = request.run_id
    drawing.generate_missing(scenario.variables)
    if request.beginning is not None:
        drawing.play_sequence(script.step_sequence("beginning", request.beginning))
    drawing.play(scenario.steps)
    context.last_event_at = max(context.last_event_at, drawing.timestamp)
    if RUN not in drawing.drafts:
        msg = f"the scenario never makes a record of kind {RUN!r}"
        raise FixtureError(msg, f"/scenarios/{scenario_name}")
    spans = {
        name: to_duration(span) for name, span in task.get("deadlines", {}).items()
    }
    run = Run(
        task=request.task,
        scenario=scenario_name,
        started_at=request.timestamp,
        records=drawing.records(),
        variables=drawing.variables,
        explicit_variables=frozenset(request.variables),
        deadlines={**spans, **request.deadlines},
        chain_length=request.chain_length,
    )
    return _finish_run(context, run, request.timestamp, drawing.run_requests)


def interrupt_run(
    context: GenerationContext, run: Run, interruption: Interruption
) -> Run | None:
    """The run with its future replaced by an ending; ``None`` if it is not for it.

    It is for no run that had ended by then. Raises ``Unknown`` for an ending that is
    not there.
    """
    script, at = context.definitions, interruption.timestamp
    ending = script.step_sequence("ending", interruption.ending)
    document = run.records[0].as_of(at)
    if document is None or not script.can_end(document, ending):
        return None
    to_come = {r.name for r in run.records if r.created_at > at}
    names = {n: v for n, v in run.variables.items() if n not in to_come}
    given = run.explicit_variables | interruption.variables.keys()
    drawing = RunBuilder(context, at, {**names, **interruption.variables}, given)
    gone: list[Record] = []
    for record in run.records:
        past = record.truncate(at)
        if past and past.versions[-1] is None:
            gone.append(past)  # it was deleted: an ending has nothing to say of it
        elif past:
            drawing.resume(past)
    drawing.play_sequence(ending)
    context.last_event_at = max(context.last_event_at, drawing.timestamp)
    new = replace(
        run,
        records=(*drawing.records(), *gone),
        variables=drawing.variables,
        explicit_variables=given,
        deadlines_hit={
            name: time for name, time in run.deadlines_hit.items() if time <= at
        },
        successors=tuple(s for s in run.successors if s.started_at <= at),
    )
    return _finish_run(context, new, at, drawing.run_requests)


def _finish_run(
    context: GenerationContext, run: Run, since: int, requests: list[RunRequest]
) -> Run:
    """The run as its first deadline ends it, or as it is followed by others."""
    cut = _find_first_deadline(context.definitions, run, since)
    if cut is None:
        return _add_successors(context, run, requests)
    begun = _generate_successors(
        context, run, [cue for cue in requests if cue.timestamp <= cut.timestamp]
    )
    run = replace(
        run,
        deadlines_hit={**run.deadlines_hit, cut.ending: cut.timestamp},
        successors=(*run.successors, *begun),
    )
    return interrupt_run(context, run, cut) or run


def _find_first_deadline(
    definitions: Definitions, run: Run, since: int
) -> Interruption | None:
    """Where the first deadline that is not kept ends the run."""
    cuts = (
        Interruption(name, at)
        for name, span in run.deadlines.items()
        if name not in run.deadlines_hit
        and (at := _deadline_timestamp(definitions, run.records[0], name, span))
        is not None
        and at >= since
    )
    return min(cuts, key=lambda cut: cut.timestamp, default=None)


def _deadline_timestamp(
    definitions: Definitions, record: Record, name: str, duration: int
) -> int | None:
    """When a run is given an ending; None if it is in none of its states by then."""
    ending = definitions.step_sequence("ending", name)
    entered = (
        time
        for time, document in zip(record.timestamps, record.versions, strict=True)
        if document is not None and definitions.can_end(document, ending)
    )
    first = next(entered, None)
    if first is None:
        return None
    at = clamp_timestamp(first + duration)
    document = record.as_of(at)
    return at if document and definitions.can_end(document, ending) else None


def _add_successors(
    context: GenerationContext, run: Run, requests: list[RunRequest]
) -> Run:
    """The run with those that its steps start, or that its API starts after it."""
    follow = context.definitions.on_finish
    if follow and not requests and not run.successors and (cue := follow(run)):
        requests = [cue]
    begun = _generate_successors(context, run, requests)
    return replace(run, successors=(*run.successors, *begun))


def _generate_successors(
    context: GenerationContext, run: Run, requests: list[RunRequest]
) -> tuple[Run, ...]:
    return tuple(
        generate_run(
            context, replace(cue, task=run.task, chain_length=run.chain_length + 1)
        )
        for cue in requests
    )
