"""A fixture held against its contract: all that may come of it, before it is served."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from soundstage.types import Json, JsonObject
from soundstage.world.errors import FixtureError, Unknown
from soundstage.world.fixture import Fixture
from soundstage.world.random import Extreme
from soundstage.world.run_builder import Source, Trail
from soundstage.world.run_summaries import cue_of
from soundstage.world.runs import Cut, Run, drawn, interrupted
from soundstage.world.scenario import Cue

START_TIMESTAMP = 1_767_225_600_000  # 2026-01-01T00:00:00Z; any instant would do

GeneratedRuns: TypeAlias = Iterator[tuple[Run, Trail]]


def validate_fixture(
    fixture: Fixture, node: JsonObject, scenario_names: Iterable[str] = ()
) -> None:
    """Draw everything with its least, its greatest and each alternative value.

    ``chosen`` are the scenarios to look at, all of them if there are none. Raises
    ``FixtureError`` for an illegal move, a name that stands for nothing, and a record
    that breaks its schema.
    """
    names = tuple(scenario_names) or tuple(fixture.script.scenarios)
    if names and not fixture.script.tasks:
        raise FixtureError("scenarios need a task that runs are of", "/scenarios")
    turns = max(2, len(fixture.script.tasks), *_count_alternatives(node), 0)
    for run, trail in _generate_runs(fixture, turns, names):
        _check_run(fixture, run, trail)
    for run, trail in _generate_runs_with_beginnings(fixture, names):
        _check_run(fixture, run, trail)
    for run, trail in _generate_interrupted_runs(fixture, names):
        _check_run(fixture, run, trail)
    if not scenario_names:
        _check_fixed_records(fixture)
        _check_history(fixture, turns)


def _count_alternatives(node: Json) -> Iterator[int]:
    """How many alternatives each ``any`` of a fixture has."""
    if isinstance(node, dict):
        if isinstance(node.get("any"), list):
            yield len(node["any"])
        for value in node.values():
            yield from _count_alternatives(value)
    elif isinstance(node, list):
        for value in node:
            yield from _count_alternatives(value)


def _generate_runs(
    fixture: Fixture, variant_count: int, scenario_names: tuple[str, ...]
) -> GeneratedRuns:
    script = fixture.script
    tasks = list(script.tasks)
    for scenario in scenario_names:
        for turn in range(variant_count):
            trail: Trail = {}
            cue = Cue(tasks[turn % len(tasks)], scenario, START_TIMESTAMP)
            yield drawn(Source(script, Extreme(turn), trail=trail), cue), trail


def _generate_runs_with_beginnings(
    fixture: Fixture, scenario_names: tuple[str, ...]
) -> GeneratedRuns:
    """Every beginning, before every scenario's shortest and longest form."""
    task = next(iter(fixture.script.tasks), "")
    for beginning in fixture.script.beginnings:
        for scenario in scenario_names:
            for turn in range(2):
                trail: Trail = {}
                cue = Cue(task, scenario, START_TIMESTAMP, beginning=beginning)
                source = Source(fixture.script, Extreme(turn), trail=trail)
                yield drawn(source, cue), trail


def _generate_interrupted_runs(
    fixture: Fixture, scenario_names: tuple[str, ...]
) -> GeneratedRuns:
    """Every ending, at every moment of every scenario's shortest form."""
    script = fixture.script
    begun = _generate_runs_with_beginnings(fixture, scenario_names[:1])
    for run, _ in (*_generate_runs(fixture, 1, scenario_names), *begun):
        for ending in script.endings:
            for at in run.records[0].times:
                trail: Trail = {}
                source = Source(script, Extreme(0), trail=trail)
                ended = interrupted(source, run, Cut(ending, at))
                if ended is not None:
                    yield ended, trail


def _check_run(fixture: Fixture, run: Run, trail: Trail) -> None:
    for record in run.records:
        for at, document in zip(record.times, record.documents, strict=True):
            place = trail.get((record.id, at), "")
            _check_record(fixture, record.kind.name, document, place)
    for successor in run.successors:
        _check_run(fixture, successor, trail)


def _check_record(
    fixture: Fixture, type_name: str, record: JsonObject | None, pointer: str
) -> None:
    wrong = record and fixture.verdict(
        fixture.script.vocabulary.kinds[type_name], record
    )
    if wrong:
        msg = f"this {type_name} breaks the contract: {wrong}"
        raise FixtureError(msg, pointer + wrong.pointer)


def _check_fixed_records(fixture: Fixture) -> None:
    counts: dict[str, int] = {}
    for record in fixture.records:
        kind = record.kind.name
        i = counts[kind] = counts.get(kind, -1) + 1
        _check_record(fixture, kind, record.documents[0], f"/records/{kind}/{i}")


def _check_history(fixture: Fixture, variant_count: int) -> None:
    """Its scenarios are there; and what it hands to them is what they can use."""
    for past in fixture.history:
        for turn in range(variant_count if past.scenario or past.names else 0):
            trail: Trail = {}
            try:
                cue = cue_of(fixture.script, past, Extreme(turn), START_TIMESTAMP)
                source = Source(fixture.script, Extreme(turn), trail=trail)
                run = drawn(source, cue)
                _check_run(fixture, run, {} if past.names else trail)
            except Unknown as error:
                raise FixtureError(str(error), f"{past.pointer}/scenario") from error
            except FixtureError as error:
                pointer = error.pointer
                # What works without the names that this entry gives fails for them.
                if past.names and not pointer.startswith(past.pointer):
                    pointer = f"{past.pointer}/with"
                raise FixtureError(error.message, pointer) from error
