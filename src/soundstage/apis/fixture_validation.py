"""Validation of a fixture by its contract, before the fixture is served.

Everything that the fixture can generate is generated with boundary values instead of
random ones, and each version of each record is validated.
"""

from collections.abc import Iterable, Iterator
from typing import TypeAlias

from soundstage.types import Json, JsonObject
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.history import HistoryEntry, build_run_request
from soundstage.world.random import BoundaryRandom
from soundstage.world.run_builder import GenerationContext, Provenance, generate_run, interrupt_run
from soundstage.world.runs import Interruption, Run
from soundstage.world.scenario import Definitions, RunRequest
from soundstage.world.state import Fixture

START_TIMESTAMP = 1_767_225_600_000  # 2026-01-01T00:00:00Z; any timestamp would do

GeneratedRuns: TypeAlias = Iterator[tuple[Run, Provenance]]
"""Runs, each with the JSON pointers of the fixture that its versions come from."""


def validate_fixture(
    fixture: Fixture, node: JsonObject, scenario_names: Iterable[str] = ()
) -> None:
    """Validate all that a fixture generates: minimum, maximum and each alternative.

    ``node`` is the part of the document in which to look for alternatives. Without
    names, all scenarios are validated, and the records and the history as well. Raises
    ``FixtureError`` for an illegal transition, an unknown name and a record that
    violates its schema.
    """
    definitions = fixture.definitions
    names = tuple(scenario_names) or tuple(definitions.scenarios)
    if names and not definitions.tasks:
        raise FixtureError("scenarios need a task that runs are of", "/scenarios")
    # Variant 0 generates minimums and variant 1 maximums; alternatives and tasks are
    # taken in turn.
    variant_count = max(2, len(definitions.tasks), *_count_alternatives(node), 0)
    for generate in (
        _generate_runs(definitions, variant_count, names),
        _generate_runs_with_beginnings(definitions, names),
        _generate_interrupted_runs(definitions, names),
    ):
        for run, provenance in generate:
            _check_run(fixture, run, provenance)
    if not scenario_names:
        _check_fixed_records(fixture)
        _check_history(fixture, variant_count)


def _count_alternatives(node: Json) -> Iterator[int]:
    """Yield the number of alternatives of each ``any`` of a fixture."""
    if isinstance(node, dict):
        if isinstance(node.get("any"), list):
            yield len(node["any"])
        for value in node.values():
            yield from _count_alternatives(value)
    elif isinstance(node, list):
        for value in node:
            yield from _count_alternatives(value)


def _build_context(definitions: Definitions, variant: int) -> GenerationContext:
    return GenerationContext(definitions, BoundaryRandom(variant), provenance={})


def _generate(
    definitions: Definitions, request: RunRequest, variant: int
) -> tuple[Run, Provenance]:
    context = _build_context(definitions, variant)
    return generate_run(context, request), context.provenance or {}


def _generate_runs(
    definitions: Definitions, variant_count: int, scenario_names: tuple[str, ...]
) -> GeneratedRuns:
    """Yield every variant of every scenario."""
    tasks = list(definitions.tasks)
    for scenario in scenario_names:
        for variant in range(variant_count):
            task = tasks[variant % len(tasks)]
            request = RunRequest(task, scenario, START_TIMESTAMP)
            yield _generate(definitions, request, variant)


def _generate_runs_with_beginnings(
    definitions: Definitions, scenario_names: tuple[str, ...]
) -> GeneratedRuns:
    """Yield every beginning, before the shortest and longest form of every scenario."""
    task = next(iter(definitions.tasks), "")
    for beginning in definitions.beginnings:
        for scenario in scenario_names:
            request = RunRequest(task, scenario, START_TIMESTAMP, beginning=beginning)
            for variant in range(2):
                yield _generate(definitions, request, variant)


def _generate_interrupted_runs(
    definitions: Definitions, scenario_names: tuple[str, ...]
) -> GeneratedRuns:
    """Yield every ending, at every timestamp of the shortest form of every scenario."""
    with_beginnings = _generate_runs_with_beginnings(definitions, scenario_names[:1])
    for run, _ in (*_generate_runs(definitions, 1, scenario_names), *with_beginnings):
        for ending in definitions.endings:
            for timestamp in run.records[0].timestamps:
                context = _build_context(definitions, 0)
                ended = interrupt_run(context, run, Interruption(ending, timestamp))
                if ended is not None:
                    yield ended, context.provenance or {}


def _check_run(fixture: Fixture, run: Run, provenance: Provenance) -> None:
    for record in run.records:
        for timestamp, version in zip(record.timestamps, record.versions, strict=True):
            pointer = provenance.get((record.id, timestamp), "")
            _check_record(fixture, record.record_type.name, version, pointer)
    for successor in run.successors:
        _check_run(fixture, successor, provenance)


def _check_record(
    fixture: Fixture, type_name: str, record: JsonObject | None, pointer: str
) -> None:
    record_type = fixture.definitions.model.record_types[type_name]
    violation = record and fixture.check_contract(record_type, record)
    if violation:
        msg = f"this {type_name} breaks the contract: {violation}"
        raise FixtureError(msg, pointer + violation.pointer)


def _check_fixed_records(fixture: Fixture) -> None:
    counts: dict[str, int] = {}
    for record in fixture.records:
        name = record.record_type.name
        i = counts[name] = counts.get(name, -1) + 1
        _check_record(fixture, name, record.versions[0], f"/records/{name}/{i}")


def _check_history(fixture: Fixture, variant_count: int) -> None:
    """Check that the scenarios of the history exist and accept its variables."""
    for entry in fixture.history:
        for variant in range(variant_count if entry.scenario or entry.variables else 0):
            try:
                _check_history_entry(fixture, entry, variant)
            except UnknownName as error:
                raise FixtureError(str(error), f"{entry.pointer}/scenario") from error
            except FixtureError as error:
                pointer = error.pointer
                # The scenario is valid without the variables of this entry, which were
                # checked first: so the variables are the cause.
                if entry.variables and not pointer.startswith(entry.pointer):
                    pointer = f"{entry.pointer}/with"
                raise FixtureError(error.message, pointer) from error


def _check_history_entry(fixture: Fixture, entry: HistoryEntry, variant: int) -> None:
    definitions = fixture.definitions
    request = build_run_request(definitions, entry, BoundaryRandom(variant), START_TIMESTAMP)
    run, provenance = _generate(definitions, request, variant)
    _check_run(fixture, run, {} if entry.variables else provenance)
