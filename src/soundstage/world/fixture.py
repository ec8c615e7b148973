"""A fixture file: read, held against its JSON Schema, and compiled to a script."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from soundstage.types import JsonObject
from soundstage.world.errors import FixtureError
from soundstage.world.lifecycle import Lifecycle, lifecycles
from soundstage.world.random import Seeded
from soundstage.world.record import ALWAYS, Kind, Record, Vocabulary
from soundstage.world.scenario import (
    RUN,
    Change,
    Passage,
    Scenario,
    Script,
    Step,
    Successor,
)
from soundstage.world.scheduler import Schedule, check_cron
from soundstage.world.values import (
    Bare,
    Value,
    as_span,
    compile_patch,
    compile_span,
    compile_value,
    compile_values,
)

T = TypeVar("T")

_WORDS = {"after", "draw", "repeat", "steps", "play", "start"}

CRON = "cron"
"""As a history entry's ``every``: whenever the task's own ``cron`` says."""


@dataclass(frozen=True, slots=True)
class Past:
    """Runs that started before the server: one ``ago``, or one ``every`` so often.

    ``cron`` is the schedule of an entry that follows its task's. ``runs`` is how many
    there are of an entry whose runs are drawn one by one, when somebody looks at them.
    """

    pointer: str
    task: str
    scenario: Value | None
    id: str | None
    ago: Value | None
    every: Value | None
    span: Value | None
    names: Mapping[str, Value]
    cron: str | None = None
    runs: int | None = None


class Wrong(Protocol):
    """What is wrong with a document: its text, and the JSON pointer in the document."""

    @property
    def pointer(self) -> str:
        """Empty for the whole document."""


Verdict: TypeAlias = Callable[[Kind, JsonObject], Wrong | None]
"""What is wrong with a document of a kind, by the API's contract; None if nothing."""


def anything_goes(_kind: Kind, _document: JsonObject) -> Wrong | None:
    """The verdict where there is no contract."""
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """What happens at one API."""

    api: str
    script: Script
    credentials: tuple[Mapping[str, str], ...]
    records: tuple[Record, ...]
    history: tuple[Past, ...]
    verdict: Verdict = anything_goes
    schedule: Schedule | None = None


def compile_fixture(node: JsonObject, vocabulary: Vocabulary) -> Fixture:
    """A fixture from its YAML, which already satisfies fixtures/schema.json.

    Raises ``FixtureError`` with the JSON pointer of what is wrong.
    """
    script = Script(
        vocabulary=vocabulary,
        lifecycles=_lifecycles(node.get("lifecycle", {}), vocabulary),
        defaults={
            _known(vocabulary.kinds, kind, "kind", f"/defaults/{kind}"): compile_patch(
                patch, f"/defaults/{kind}"
            )
            for kind, patch in node.get("defaults", {}).items()
        },
        tasks=node.get("tasks", {}),
        scenarios={
            name: _scenario(name, scenario, vocabulary)
            for name, scenario in node.get("scenarios", {}).items()
        },
        beginnings=dict(_passages(node, "beginnings", vocabulary)),
        endings=dict(_passages(node, "endings", vocabulary)),
    )
    _check_tasks(script)
    return Fixture(
        api=node["api"],
        script=script,
        credentials=tuple(node.get("credentials", ())),
        records=tuple(_records(node.get("records", {}), vocabulary)),
        history=tuple(
            _past(entry, f"/history/{i}", script)
            for i, entry in enumerate(node.get("history", ()))
        ),
    )


def _passages(
    node: JsonObject, section: str, vocabulary: Vocabulary
) -> Iterator[tuple[str, Passage]]:
    """Beginnings or endings; a bare list is one of steps."""
    for name, given in node.get(section, {}).items():
        pointer = f"/{section}/{name}"
        if isinstance(given, list):
            steps = _steps(given, pointer, vocabulary)
            yield name, Passage(frozenset(), {}, steps)
        else:
            yield (
                name,
                Passage(
                    of=frozenset(given.get("of", ())),
                    draw=compile_values(given.get("draw", {}), f"{pointer}/draw"),
                    steps=_steps(given["steps"], f"{pointer}/steps", vocabulary),
                ),
            )


def _check_tasks(script: Script) -> None:
    """A task's own scenario, deadlines and schedule are such."""
    for name, task in script.tasks.items():
        pointer = f"/tasks/{name}"
        if "scenario" in task:
            scenario = task["scenario"]
            _known(script.scenarios, scenario, "scenario", f"{pointer}/scenario")
        for ending, span in task.get("deadlines", {}).items():
            place = f"{pointer}/deadlines"
            _known(script.endings, ending, "ending", f"{place}/{ending}")
            try:
                as_span(span)
            except ValueError as error:
                raise FixtureError(str(error), f"{place}/{ending}") from error
        if "cron" in task:
            check_cron(task["cron"], f"{pointer}/cron")


def _lifecycles(
    node: Mapping[str, JsonObject], vocabulary: Vocabulary
) -> dict[str, tuple[Lifecycle, ...]]:
    for name in node:
        kind = name.partition(".")[0]
        _known(vocabulary.kinds, kind, "kind", f"/lifecycle/{name}")
    return lifecycles(node)


def compile_scenario(name: str, node: JsonObject, script: Script) -> Scenario:
    """One scenario more for a script; its node is as under ``scenarios``.

    Raises ``FixtureError``.
    """
    return _scenario(name, node, script.vocabulary)


def _scenario(name: str, node: JsonObject, vocabulary: Vocabulary) -> Scenario:
    pointer = f"/scenarios/{name}"
    return Scenario(
        name=name,
        about=node.get("about", ""),
        weight=node.get("weight", 1),
        draw=compile_values(node.get("draw", {}), f"{pointer}/draw"),
        steps=_steps(node["steps"], f"{pointer}/steps", vocabulary),
    )


def _steps(
    nodes: list[JsonObject], pointer: str, vocabulary: Vocabulary
) -> tuple[Step, ...]:
    return tuple(
        _step(node, f"{pointer}/{i}", vocabulary) for i, node in enumerate(nodes)
    )


def _step(node: JsonObject, pointer: str, vocabulary: Vocabulary) -> Step:
    after, repeat, start = node.get("after"), node.get("repeat"), node.get("start")
    play = node.get("play")
    return Step(
        pointer=pointer,
        after=compile_span(after, f"{pointer}/after") if after else None,
        draw=compile_values(node.get("draw", {}), f"{pointer}/draw"),
        changes=tuple(_changes(node, pointer, vocabulary)),
        repeat=compile_value(repeat, f"{pointer}/repeat") if repeat else None,
        steps=_steps(node.get("steps", []), f"{pointer}/steps", vocabulary),
        start=_successor(start, f"{pointer}/start") if start else None,
        play=compile_value(play, f"{pointer}/play") if play else None,
    )


def _changes(
    node: JsonObject, pointer: str, vocabulary: Vocabulary
) -> Iterator[Change]:
    for key, value in node.items():
        if key in _WORDS:
            continue
        kind, _, name = key.partition("/")
        _known(vocabulary.kinds, kind, "kind", f"{pointer}/{_escaped(key)}")
        alone = None if kind != RUN else RUN
        for i, patch in enumerate(value if isinstance(value, list) else [value]):
            place = f"{pointer}/{_escaped(key)}"
            place = f"{place}/{i}" if isinstance(value, list) else place
            yield Change(kind, name or alone, compile_patch(patch, place), place)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _successor(node: JsonObject, pointer: str) -> Successor:
    return Successor(
        pointer=f"{pointer}/scenario",
        scenario=compile_value(node["scenario"], f"{pointer}/scenario"),
        names=compile_values(node.get("with", {}), f"{pointer}/with"),
    )


def _past(node: JsonObject, pointer: str, script: Script) -> Past:
    _known(script.tasks, node["task"], "task", f"{pointer}/task")
    task, scenario = script.tasks[node["task"]], node.get("scenario")
    weights = sum(s.weight for s in script.scenarios.values())
    if isinstance(scenario, str):
        _known(script.scenarios, scenario, "scenario", f"{pointer}/scenario")
    elif scenario is None and "scenario" not in task and not weights:
        msg = "no scenario has a weight, so this entry must name one"
        raise FixtureError(msg, pointer)
    cron = None
    if node.get("every") == CRON:
        cron = task.get("cron")
        if cron is None:
            msg = f"the task {node['task']!r} has no cron"
            raise FixtureError(msg, f"{pointer}/every")
    spans = {
        key: compile_span(node[key], f"{pointer}/{key}")
        for key in ("ago", "every", "for")
        if key in node and not (cron and key == "every")
    }
    return Past(
        pointer=pointer,
        task=node["task"],
        scenario=compile_value(scenario, f"{pointer}/scenario") if scenario else None,
        id=node.get("id"),
        ago=spans.get("ago"),
        every=spans.get("every"),
        span=spans.get("for"),
        names=compile_values(node.get("with", {}), f"{pointer}/with"),
        cron=cron,
        runs=node.get("runs"),
    )


def _records(
    node: Mapping[str, list[JsonObject]], vocabulary: Vocabulary
) -> Iterator[Record]:
    for name, documents in node.items():
        _known(vocabulary.kinds, name, "kind", f"/records/{name}")
        kind = vocabulary.kinds[name]
        for i, given in enumerate(documents):
            pointer = f"/records/{name}/{i}"
            scene = Bare(Seeded(0, pointer), 0)
            values = compile_values(given, pointer)
            document = {name: value(scene, None) for name, value in values.items()}
            document.setdefault(kind.id, kind.form(scene.chance, 0))
            yield Record(kind, document[kind.id], (ALWAYS,), (document,))


def _known(there: Mapping[str, T], name: str, what: str, pointer: str) -> str:
    if name not in there:
        choice = ", ".join(there) or "none"
        msg = f"there is no {what} {name!r}; there are: {choice}"
        raise FixtureError(msg, pointer)
    return name
