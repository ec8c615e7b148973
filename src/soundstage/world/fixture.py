"""A fixture file: read, held against its JSON Schema, and compiled to a script."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

from soundstage.types import JsonObject
from soundstage.world.errors import FixtureError
from soundstage.world.lifecycle import Lifecycle, parse_lifecycles
from soundstage.world.random import SeededRandom
from soundstage.world.record import BEGINNING, ApiModel, Record, RecordType
from soundstage.world.scenario import (
    RUN,
    Definitions,
    RecordPatch,
    Scenario,
    Step,
    StepSequence,
    Successor,
)
from soundstage.world.scheduler import Schedule, validate_cron
from soundstage.world.values import (
    ConstantContext,
    ValueGenerator,
    compile_duration,
    compile_patch,
    compile_value,
    compile_values,
    to_duration,
)

T = TypeVar("T")

_WORDS = {"after", "draw", "repeat", "steps", "play", "start"}

CRON = "cron"
"""As a history entry's ``every``: whenever the task's own ``cron`` says."""


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """Runs that started before the server: one ``ago``, or one ``every`` so often.

    ``cron`` is the schedule of an entry that follows its task's. ``runs`` is how many
    there are of an entry whose runs are drawn one by one, when somebody looks at them.
    """

    pointer: str
    task: str
    scenario: ValueGenerator | None
    id: str | None
    ago: ValueGenerator | None
    every: ValueGenerator | None
    duration: ValueGenerator | None
    variables: Mapping[str, ValueGenerator]
    cron: str | None = None
    run_count: int | None = None


class RecordViolation(Protocol):
    """What is wrong with a document: its text, and the JSON pointer in the document."""

    @property
    def pointer(self) -> str:
        """Empty for the whole document."""


RecordValidator: TypeAlias = Callable[[RecordType, JsonObject], RecordViolation | None]
"""What is wrong with a document of a kind, by the API's contract; None if nothing."""


def accept_any(
    _record_type: RecordType, _document: JsonObject
) -> RecordViolation | None:
    """The verdict where there is no contract."""
    return None


@dataclass(frozen=True, slots=True, eq=False)
class Fixture:
    """What happens at one API."""

    api: str
    definitions: Definitions
    credentials: tuple[Mapping[str, str], ...]
    records: tuple[Record, ...]
    history: tuple[HistoryEntry, ...]
    check_contract: RecordValidator = accept_any
    schedule: Schedule | None = None


def compile_fixture(node: JsonObject, model: ApiModel) -> Fixture:
    """A fixture from its YAML, which already satisfies fixtures/schema.json.

    Raises ``FixtureError`` with the JSON pointer of what is wrong.
    """
    script = Definitions(
        model=model,
        lifecycles=_lifecycles(node.get("lifecycle", {}), model),
        defaults={
            _require_known(
                model.record_types, kind, "kind", f"/defaults/{kind}"
            ): compile_patch(patch, f"/defaults/{kind}")
            for kind, patch in node.get("defaults", {}).items()
        },
        tasks=node.get("tasks", {}),
        scenarios={
            name: _scenario(name, scenario, model)
            for name, scenario in node.get("scenarios", {}).items()
        },
        beginnings=dict(_step_sequences(node, "beginnings", model)),
        endings=dict(_step_sequences(node, "endings", model)),
    )
    _check_tasks(script)
    return Fixture(
        api=node["api"],
        definitions=script,
        credentials=tuple(node.get("credentials", ())),
        records=tuple(_records(node.get("records", {}), model)),
        history=tuple(
            _history_entry(entry, f"/history/{i}", script)
            for i, entry in enumerate(node.get("history", ()))
        ),
    )


def _step_sequences(
    node: JsonObject, section: str, vocabulary: ApiModel
) -> Iterator[tuple[str, StepSequence]]:
    """Beginnings or endings; a bare list is one of steps."""
    for name, given in node.get(section, {}).items():
        pointer = f"/{section}/{name}"
        if isinstance(given, list):
            steps = _steps(given, pointer, vocabulary)
            yield name, StepSequence(frozenset(), {}, steps)
        else:
            yield (
                name,
                StepSequence(
                    states=frozenset(given.get("of", ())),
                    variables=compile_values(given.get("draw", {}), f"{pointer}/draw"),
                    steps=_steps(given["steps"], f"{pointer}/steps", vocabulary),
                ),
            )


def _check_tasks(definitions: Definitions) -> None:
    """A task's own scenario, deadlines and schedule are such."""
    for name, task in definitions.tasks.items():
        pointer = f"/tasks/{name}"
        if "scenario" in task:
            scenario = task["scenario"]
            _require_known(
                definitions.scenarios, scenario, "scenario", f"{pointer}/scenario"
            )
        for ending, span in task.get("deadlines", {}).items():
            place = f"{pointer}/deadlines"
            _require_known(definitions.endings, ending, "ending", f"{place}/{ending}")
            try:
                to_duration(span)
            except ValueError as error:
                raise FixtureError(str(error), f"{place}/{ending}") from error
        if "cron" in task:
            validate_cron(task["cron"], f"{pointer}/cron")


def _lifecycles(
    node: Mapping[str, JsonObject], vocabulary: ApiModel
) -> dict[str, tuple[Lifecycle, ...]]:
    for name in node:
        kind = name.partition(".")[0]
        _require_known(vocabulary.record_types, kind, "kind", f"/lifecycle/{name}")
    return parse_lifecycles(node)


def compile_scenario(name: str, node: JsonObject, definitions: Definitions) -> Scenario:
    """One scenario more for a script; its node is as under ``scenarios``.

    Raises ``FixtureError``.
    """
    return _scenario(name, node, definitions.model)


def _scenario(name: str, node: JsonObject, vocabulary: ApiModel) -> Scenario:
    pointer = f"/scenarios/{name}"
    return Scenario(
        name=name,
        about=node.get("about", ""),
        weight=node.get("weight", 1),
        variables=compile_values(node.get("draw", {}), f"{pointer}/draw"),
        steps=_steps(node["steps"], f"{pointer}/steps", vocabulary),
    )


def _steps(
    nodes: list[JsonObject], pointer: str, vocabulary: ApiModel
) -> tuple[Step, ...]:
    return tuple(
        _step(node, f"{pointer}/{i}", vocabulary) for i, node in enumerate(nodes)
    )


def _step(node: JsonObject, pointer: str, vocabulary: ApiModel) -> Step:
    after, repeat, start = node.get("after"), node.get("repeat"), node.get("start")
    play = node.get("play")
    return Step(
        pointer=pointer,
        delay=compile_duration(after, f"{pointer}/after") if after else None,
        variables=compile_values(node.get("draw", {}), f"{pointer}/draw"),
        patches=tuple(_changes(node, pointer, vocabulary)),
        repeat=compile_value(repeat, f"{pointer}/repeat") if repeat else None,
        steps=_steps(node.get("steps", []), f"{pointer}/steps", vocabulary),
        successor=_successor(start, f"{pointer}/start") if start else None,
        play=compile_value(play, f"{pointer}/play") if play else None,
    )


def _changes(
    node: JsonObject, pointer: str, vocabulary: ApiModel
) -> Iterator[RecordPatch]:
    for key, value in node.items():
        if key in _WORDS:
            continue
        kind, _, name = key.partition("/")
        _require_known(
            vocabulary.record_types, kind, "kind", f"{pointer}/{_escaped(key)}"
        )
        alone = None if kind != RUN else RUN
        for i, patch in enumerate(value if isinstance(value, list) else [value]):
            place = f"{pointer}/{_escaped(key)}"
            place = f"{place}/{i}" if isinstance(value, list) else place
            yield RecordPatch(kind, name or alone, compile_patch(patch, place), place)


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def _successor(node: JsonObject, pointer: str) -> Successor:
    return Successor(
        pointer=f"{pointer}/scenario",
        scenario=compile_value(node["scenario"], f"{pointer}/scenario"),
        variables=compile_values(node.get("with", {}), f"{pointer}/with"),
    )


def _history_entry(
    node: JsonObject, pointer: str, definitions: Definitions
) -> HistoryEntry:
    _require_known(definitions.tasks, node["task"], "task", f"{pointer}/task")
    task, scenario = definitions.tasks[node["task"]], node.get("scenario")
    weights = sum(s.weight for s in definitions.scenarios.values())
    if isinstance(scenario, str):
        _require_known(
            definitions.scenarios, scenario, "scenario", f"{pointer}/scenario"
        )
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
        key: compile_duration(node[key], f"{pointer}/{key}")
        for key in ("ago", "every", "for")
        if key in node and not (cron and key == "every")
    }
    return HistoryEntry(
        pointer=pointer,
        task=node["task"],
        scenario=compile_value(scenario, f"{pointer}/scenario") if scenario else None,
        id=node.get("id"),
        ago=spans.get("ago"),
        every=spans.get("every"),
        duration=spans.get("for"),
        variables=compile_values(node.get("with", {}), f"{pointer}/with"),
        cron=cron,
        run_count=node.get("runs"),
    )


def _records(
    node: Mapping[str, list[JsonObject]], vocabulary: ApiModel
) -> Iterator[Record]:
    for name, documents in node.items():
        _require_known(vocabulary.record_types, name, "kind", f"/records/{name}")
        kind = vocabulary.record_types[name]
        for i, given in enumerate(documents):
            pointer = f"/records/{name}/{i}"
            scene = ConstantContext(SeededRandom(0, pointer), 0)
            values = compile_values(given, pointer)
            document = {name: value(scene, None) for name, value in values.items()}
            document.setdefault(kind.id_field, kind.id_format(scene.random, 0))
            yield Record(kind, document[kind.id_field], (BEGINNING,), (document,))


def _require_known(
    known: Mapping[str, T], name: str, category: str, pointer: str
) -> str:
    if name not in known:
        choice = ", ".join(known) or "none"
        msg = f"there is no {category} {name!r}; there are: {choice}"
        raise FixtureError(msg, pointer)
    return name
