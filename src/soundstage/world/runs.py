"""From a scenario to a run: its whole future, drawn and written down when it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from soundstage.types import Json
from soundstage.world.clock import within_years
from soundstage.world.errors import FixtureError
from soundstage.world.record import Record
from soundstage.world.run_builder import LONGEST_CHAIN, Drawing, Source
from soundstage.world.scenario import RUN, Cue, Script
from soundstage.world.values import as_span


@dataclass(frozen=True, slots=True)
class Run:
    """A run under way, or over: its timeline, written when it started.

    ``records[0]`` is its own record. ``names`` is what its steps were drawn with, and
    ``given`` those of them that nobody drew. ``struck`` says when which of its
    ``deadlines`` end it. ``successors`` are the runs that it starts.
    """

    task: str
    scenario: str
    at: int
    records: tuple[Record, ...]
    names: Mapping[str, Json]
    given: frozenset[str] = frozenset()
    deadlines: Mapping[str, int] = field(default_factory=dict)
    struck: Mapping[str, int] = field(default_factory=dict)
    successors: tuple["Run", ...] = ()
    chain: int = 0

    @property
    def id(self) -> str:
        """The identifier of its own record."""
        return self.records[0].id


@dataclass(frozen=True, slots=True)
class Cut:
    """Where a run is interrupted, and the ending that it is given.

    ``names`` win over what the ending draws.
    """

    ending: str
    at: int
    names: Mapping[str, Json] = field(default_factory=dict)


def drawn(source: Source, cue: Cue) -> Run:
    """The run, to its end, and those that it starts.

    Raises ``Unknown`` and ``FixtureError``.
    """
    script, scenario_name = source.script, cue.scenario
    task = script.task(cue.task)
    scenario_name = scenario_name or source.scenario_of(cue.task)
    if cue.chain > LONGEST_CHAIN:
        msg = f"more than {LONGEST_CHAIN} runs start one another in a row"
        raise FixtureError(msg, f"/scenarios/{scenario_name}")
    scenario = script.scenario(scenario_name)
    about = {"task": cue.task, "scenario": scenario_name}
    names = {**task, **about, **cue.names}
    drawing = Drawing(source, cue.at, names, cue.names.keys())
    if cue.id is not None:
        drawing.given_id = cue.id
    drawing.draw_missing(scenario.draw)
    if cue.beginning is not None:
        drawing.pass_through(script.passage("beginning", cue.beginning))
    drawing.play(scenario.steps)
    source.until = max(source.until, drawing.at)
    if RUN not in drawing.drafts:
        msg = f"the scenario never makes a record of kind {RUN!r}"
        raise FixtureError(msg, f"/scenarios/{scenario_name}")
    spans = {name: as_span(span) for name, span in task.get("deadlines", {}).items()}
    run = Run(
        task=cue.task,
        scenario=scenario_name,
        at=cue.at,
        records=drawing.records(),
        names=drawing.names,
        given=frozenset(cue.names),
        deadlines={**spans, **cue.deadlines},
        chain=cue.chain,
    )
    return _settled(source, run, cue.at, drawing.cues)


def interrupted(source: Source, run: Run, cut: Cut) -> Run | None:
    """The run with its future replaced by an ending; ``None`` if it is not for it.

    It is for no run that had ended by then. Raises ``Unknown`` for an ending that is
    not there.
    """
    script, at = source.script, cut.at
    ending = script.passage("ending", cut.ending)
    document = run.records[0].as_of(at)
    if document is None or not script.may_end(document, ending):
        return None
    to_come = {r.name for r in run.records if r.began > at}
    names = {n: v for n, v in run.names.items() if n not in to_come}
    given = run.given | cut.names.keys()
    drawing = Drawing(source, at, {**names, **cut.names}, given)
    gone: list[Record] = []
    for record in run.records:
        past = record.until(at)
        if past and past.documents[-1] is None:
            gone.append(past)  # it was deleted: an ending has nothing to say of it
        elif past:
            drawing.resume(past)
    drawing.pass_through(ending)
    source.until = max(source.until, drawing.at)
    new = replace(
        run,
        records=(*drawing.records(), *gone),
        names=drawing.names,
        given=given,
        struck={name: time for name, time in run.struck.items() if time <= at},
        successors=tuple(s for s in run.successors if s.at <= at),
    )
    return _settled(source, new, at, drawing.cues)


def _settled(source: Source, run: Run, since: int, cues: list[Cue]) -> Run:
    """The run as its first deadline ends it, or as it is followed by others."""
    cut = _first_cut(source.script, run, since)
    if cut is None:
        return _followed(source, run, cues)
    begun = _started(source, run, [cue for cue in cues if cue.at <= cut.at])
    run = replace(
        run,
        struck={**run.struck, cut.ending: cut.at},
        successors=(*run.successors, *begun),
    )
    return interrupted(source, run, cut) or run


def _first_cut(script: Script, run: Run, since: int) -> Cut | None:
    """Where the first deadline that is not kept ends the run."""
    cuts = (
        Cut(name, at)
        for name, span in run.deadlines.items()
        if name not in run.struck
        and (at := _due(script, run.records[0], name, span)) is not None
        and at >= since
    )
    return min(cuts, key=lambda cut: cut.at, default=None)


def _due(script: Script, own: Record, name: str, span: int) -> int | None:
    """When a run is given an ending; None if it is in none of its states by then."""
    ending = script.passage("ending", name)
    entered = (
        time
        for time, document in zip(own.times, own.documents, strict=True)
        if document is not None and script.may_end(document, ending)
    )
    first = next(entered, None)
    if first is None:
        return None
    at = within_years(first + span)
    document = own.as_of(at)
    return at if document and script.may_end(document, ending) else None


def _followed(source: Source, run: Run, cues: list[Cue]) -> Run:
    """The run with those that its steps start, or that its API starts after it."""
    follow = source.script.follow
    if follow and not cues and not run.successors and (cue := follow(run)):
        cues = [cue]
    begun = _started(source, run, cues)
    return replace(run, successors=(*run.successors, *begun))


def _started(source: Source, run: Run, cues: list[Cue]) -> tuple[Run, ...]:
    return tuple(
        drawn(source, replace(cue, task=run.task, chain=run.chain + 1)) for cue in cues
    )
