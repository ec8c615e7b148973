"""A fixture held against its contract: every scenario and every ending."""

from collections.abc import Iterable, Iterator

from soundstage.types import Document, Json
from soundstage.world.chance import Extreme
from soundstage.world.errors import FixtureError, Unknown
from soundstage.world.fixture import Fixture
from soundstage.world.timeline import Cue, Cut, Run, Trail, drawn, interrupted

AT = 1_767_225_600_000  # 2026-01-01T00:00:00Z; any instant would do


def rehearse(fixture: Fixture, node: Document, chosen: Iterable[str] = ()) -> None:
    """Draw everything with its least, its greatest and each alternative value.

    Raises ``FixtureError`` for an illegal move, a name that stands for nothing, and a
    record that breaks its schema.
    """
    names = tuple(chosen) or tuple(fixture.script.scenarios)
    turns = max(1, 2, *_alternatives(node))
    for run, trail in _runs(fixture, turns, names):
        _check(fixture, run, trail)
    for run, trail in _interrupted(fixture, names):
        _check(fixture, run, trail)


def _alternatives(node: Json) -> Iterator[int]:
    """How many alternatives each ``any`` of a fixture has."""
    if isinstance(node, dict):
        if isinstance(node.get("any"), list):
            yield len(node["any"])
        for value in node.values():
            yield from _alternatives(value)
    elif isinstance(node, list):
        for value in node:
            yield from _alternatives(value)


def _runs(
    fixture: Fixture, turns: int, names: tuple[str, ...]
) -> Iterator[tuple[Run, Trail]]:
    script = fixture.script
    tasks = list(script.tasks)
    for scenario in names:
        for turn in range(turns):
            trail: Trail = {}
            cue = Cue(tasks[turn % len(tasks)], scenario, AT)
            try:
                yield drawn(script, cue, Extreme(turn), trail), trail
            except Unknown as error:
                raise FixtureError(str(error), f"/scenarios/{scenario}") from error


def _interrupted(
    fixture: Fixture, names: tuple[str, ...]
) -> Iterator[tuple[Run, Trail]]:
    """Every ending, at every moment of every scenario's shortest form."""
    script = fixture.script
    for run, _ in _runs(fixture, 1, names):
        for ending in script.endings:
            for at in run.records[0].times:
                trail: Trail = {}
                ended = interrupted(script, run, Cut(ending, at), Extreme(0), trail)
                if ended is not None:
                    yield ended, trail


def _check(fixture: Fixture, run: Run, trail: Trail) -> None:
    for record in run.records:
        for at, document in zip(record.times, record.documents, strict=True):
            violation = document and fixture.verdict(record.kind, document)
            if violation:
                pointer = trail.get((record.id, at), "") + violation.pointer
                msg = f"this {record.kind.name} breaks the contract: {violation}"
                raise FixtureError(msg, pointer)
    for successor in run.successors:
        _check(fixture, successor, trail)
