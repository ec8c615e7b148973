"""A fixture held against its contract: all that may come of it, before it is served."""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from soundstage.types import Json, JsonObject
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.fixture import Fixture
from soundstage.world.random import BoundaryRandom
from soundstage.world.run_builder import GenerationContext, Provenance
from soundstage.world.run_summaries import build_run_request
from soundstage.world.runs import Interruption, Run, generate_run, interrupt_run
from soundstage.world.scenario import RunRequest

START_TIMESTAMP = 1_767_225_600_000  # 2026-01-01T00:00:00Z; any instant would do

GeneratedRuns: TypeAlias = Iterator[tuple[Run, Provenance]]


def validate_fixture(
    fixture: Fixture, node: JsonObject, scenario_names: Iterable[str] = ()
) -> None:
    """Draw everything with its least, its greatest and each alternative value.

    ``chosen`` are the scenarios to look at, all of them if there are none. Raises
    ``FixtureError`` for an illegal move, a name that stands for nothing, and a record
    that breaks its schema.
    """
    names = tuple(scenario_names) or tuple(fixture.definitions.scenarios)
    if names and not fixture.definitions.tasks:
        raise FixtureError("scenarios need a task that runs are of", "/scenarios")
    turns = max(2, len(fixture.definitions.tasks), *_count_alternatives(node), 0)
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
    script = fixture.definitions
    tasks = list(script.tasks)
    for scenario in scenario_names:
        for turn in range(variant_count):
            trail: Provenance = {}
            cue = RunRequest(tasks[turn % len(tasks)], scenario, START_TIMESTAMP)
            yield (
                generate_run(
                    GenerationContext(script, BoundaryRandom(turn), provenance=trail),
                    cue,
                ),
                trail,
            )


def _generate_runs_with_beginnings(
    fixture: Fixture, scenario_names: tuple[str, ...]
) -> GeneratedRuns:
    """Every beginning, before every scenario's shortest and longest form."""
    task = next(iter(fixture.definitions.tasks), "")
    for beginning in fixture.definitions.beginnings:
        for scenario in scenario_names:
            for turn in range(2):
                trail: Provenance = {}
                cue = RunRequest(task, scenario, START_TIMESTAMP, beginning=beginning)
                source = GenerationContext(
                    fixture.definitions, BoundaryRandom(turn), provenance=trail
                )
                yield generate_run(source, cue), trail


def _generate_interrupted_runs(
    fixture: Fixture, scenario_names: tuple[str, ...]
) -> GeneratedRuns:
    """Every ending, at every moment of every scenario's shortest form."""
    script = fixture.definitions
    begun = _generate_runs_with_beginnings(fixture, scenario_names[:1])
    for run, _ in (*_generate_runs(fixture, 1, scenario_names), *begun):
        for ending in script.endings:
            for at in run.records[0].timestamps:
                trail: Provenance = {}
                source = GenerationContext(script, BoundaryRandom(0), provenance=trail)
                ended = interrupt_run(source, run, Interruption(ending, at))
                if ended is not None:
                    yield ended, trail


def _check_run(fixture: Fixture, run: Run, trail: Provenance) -> None:
    for record in run.records:
        for at, document in zip(record.timestamps, record.versions, strict=True):
            place = trail.get((record.id, at), "")
            _check_record(fixture, record.record_type.name, document, place)
    for successor in run.successors:
        _check_run(fixture, successor, trail)


def _check_record(
    fixture: Fixture, type_name: str, record: JsonObject | None, pointer: str
) -> None:
    wrong = record and fixture.check_contract(
        fixture.definitions.model.record_types[type_name], record
    )
    if wrong:
        msg = f"this {type_name} breaks the contract: {wrong}"
        raise FixtureError(msg, pointer + wrong.pointer)


def _check_fixed_records(fixture: Fixture) -> None:
    counts: dict[str, int] = {}
    for record in fixture.records:
        kind = record.record_type.name
        i = counts[kind] = counts.get(kind, -1) + 1
        _check_record(fixture, kind, record.versions[0], f"/records/{kind}/{i}")


def _check_history(fixture: Fixture, variant_count: int) -> None:
    """Its scenarios are there; and what it hands to them is what they can use."""
    for past in fixture.history:
        for turn in range(variant_count if past.scenario or past.variables else 0):
            trail: Provenance = {}
            try:
                cue = build_run_request(
                    fixture.definitions, past, BoundaryRandom(turn), START_TIMESTAMP
                )
                source = GenerationContext(
                    fixture.definitions, BoundaryRandom(turn), provenance=trail
                )
                run = generate_run(source, cue)
                _check_run(fixture, run, {} if past.variables else trail)
            except UnknownName as error:
                raise FixtureError(str(error), f"{past.pointer}/scenario") from error
            except FixtureError as error:
                pointer = error.pointer
                # What works without the names that this entry gives fails for them.
                if past.variables and not pointer.startswith(past.pointer):
                    pointer = f"{past.pointer}/with"
                raise FixtureError(error.message, pointer) from error
