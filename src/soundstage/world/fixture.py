"""Compilation of a fixture file, after it was validated against its JSON Schema."""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from soundstage.types import JsonObject
from soundstage.world.cron import validate_cron
from soundstage.world.errors import FixtureError
from soundstage.world.history import HistoryEntry
from soundstage.world.lifecycle import Lifecycle, parse_lifecycles
from soundstage.world.random import SeededRandom
from soundstage.world.record import BEGINNING, ApiModel, Record
from soundstage.world.scenario import (
    RUN,
    Definitions,
    RecordPatch,
    Scenario,
    Step,
    StepSequence,
    Successor,
)
from soundstage.world.state import Fixture
from soundstage.world.values import (
    ConstantContext,
    compile_duration,
    compile_patch,
    compile_value,
    compile_values,
    to_duration,
)

T = TypeVar("T")

_STEP_KEYS = {"after", "draw", "repeat", "steps", "play", "start"}
"""The keys of a step that are not record types."""

CRON = "cron"
"""The ``every`` of a history entry that follows the ``cron`` of its task."""


def compile_fixture(node: JsonObject, model: ApiModel) -> Fixture:
    """Compile the YAML of a fixture, which already satisfies fixtures/schema.json.

    Raises ``FixtureError`` with the JSON pointer of the faulty node.
    """
    definitions = Definitions(
        model=model,
        lifecycles=_compile_lifecycles(node.get("lifecycle", {}), model),
        defaults={
            _require_known(model.record_types, name, "kind", f"/defaults/{name}"): compile_patch(
                patch, f"/defaults/{name}"
            )
            for name, patch in node.get("defaults", {}).items()
        },
        tasks=node.get("tasks", {}),
        scenarios={
            name: _compile_scenario(name, scenario, model)
            for name, scenario in node.get("scenarios", {}).items()
        },
        beginnings=dict(_compile_sequences(node, "beginnings", model)),
        endings=dict(_compile_sequences(node, "endings", model)),
    )
    _validate_tasks(definitions)
    return Fixture(
        api=node["api"],
        definitions=definitions,
        credentials=tuple(node.get("credentials", ())),
        records=tuple(_compile_records(node.get("records", {}), model)),
        history=tuple(
            _compile_history_entry(entry, f"/history/{i}", definitions)
            for i, entry in enumerate(node.get("history", ()))
        ),
    )


def compile_scenario(name: str, node: JsonObject, definitions: Definitions) -> Scenario:
    """Compile another scenario; its node is as under ``scenarios``.

    Raises ``FixtureError``.
    """
    return _compile_scenario(name, node, definitions.model)


def _compile_scenario(name: str, node: JsonObject, model: ApiModel) -> Scenario:
    pointer = f"/scenarios/{name}"
    return Scenario(
        name=name,
        about=node.get("about", ""),
        weight=node.get("weight", 1),
        variables=compile_values(node.get("draw", {}), f"{pointer}/draw"),
        steps=_compile_steps(node["steps"], f"{pointer}/steps", model),
    )


def _compile_sequences(
    node: JsonObject, section: str, model: ApiModel
) -> Iterator[tuple[str, StepSequence]]:
    """Compile beginnings or endings; a sequence may be a bare list of steps."""
    for name, value in node.get(section, {}).items():
        pointer = f"/{section}/{name}"
        if isinstance(value, list):
            steps = _compile_steps(value, pointer, model)
            yield name, StepSequence(frozenset(), {}, steps)
        else:
            yield (
                name,
                StepSequence(
                    states=frozenset(value.get("of", ())),
                    variables=compile_values(value.get("draw", {}), f"{pointer}/draw"),
                    steps=_compile_steps(value["steps"], f"{pointer}/steps", model),
                ),
            )


def _validate_tasks(definitions: Definitions) -> None:
    """Validate the scenario, the deadlines and the schedule of each task."""
    for name, task in definitions.tasks.items():
        pointer = f"/tasks/{name}"
        if "scenario" in task:
            _require_known(
                definitions.scenarios, task["scenario"], "scenario", f"{pointer}/scenario"
            )
        for ending, duration in task.get("deadlines", {}).items():
            deadline = f"{pointer}/deadlines/{ending}"
            _require_known(definitions.endings, ending, "ending", deadline)
            try:
                to_duration(duration)
            except ValueError as error:
                raise FixtureError(str(error), deadline) from error
        if "cron" in task:
            validate_cron(task["cron"], f"{pointer}/cron")


def _compile_lifecycles(
    node: Mapping[str, JsonObject], model: ApiModel
) -> dict[str, tuple[Lifecycle, ...]]:
    for name in node:
        type_name = name.partition(".")[0]
        _require_known(model.record_types, type_name, "kind", f"/lifecycle/{name}")
    return parse_lifecycles(node)


def _compile_steps(nodes: list[JsonObject], pointer: str, model: ApiModel) -> tuple[Step, ...]:
    return tuple(_compile_step(node, f"{pointer}/{i}", model) for i, node in enumerate(nodes))


def _compile_step(node: JsonObject, pointer: str, model: ApiModel) -> Step:
    after, repeat, start = node.get("after"), node.get("repeat"), node.get("start")
    play = node.get("play")
    return Step(
        pointer=pointer,
        delay=compile_duration(after, f"{pointer}/after") if after else None,
        variables=compile_values(node.get("draw", {}), f"{pointer}/draw"),
        patches=tuple(_compile_patches(node, pointer, model)),
        repeat=compile_value(repeat, f"{pointer}/repeat") if repeat else None,
        steps=_compile_steps(node.get("steps", []), f"{pointer}/steps", model),
        successor=_compile_successor(start, f"{pointer}/start") if start else None,
        play=compile_value(play, f"{pointer}/play") if play else None,
    )


def _compile_patches(node: JsonObject, pointer: str, model: ApiModel) -> Iterator[RecordPatch]:
    """Compile the keys ``<record type>`` and ``<record type>/<name>`` of a step."""
    for key, value in node.items():
        if key in _STEP_KEYS:
            continue
        type_name, _, name = key.partition("/")
        base = f"{pointer}/{_escape_pointer(key)}"
        _require_known(model.record_types, type_name, "kind", base)
        # A run has one record of this type, so it needs no name.
        default_name = RUN if type_name == RUN else None
        for i, patch in enumerate(value if isinstance(value, list) else [value]):
            location = f"{base}/{i}" if isinstance(value, list) else base
            template = compile_patch(patch, location)
            yield RecordPatch(type_name, name or default_name, template, location)


def _escape_pointer(key: str) -> str:
    """Escape a key for a JSON pointer (RFC 6901, 3)."""
    return key.replace("~", "~0").replace("/", "~1")


def _compile_successor(node: JsonObject, pointer: str) -> Successor:
    return Successor(
        pointer=f"{pointer}/scenario",
        scenario=compile_value(node["scenario"], f"{pointer}/scenario"),
        variables=compile_values(node.get("with", {}), f"{pointer}/with"),
    )


def _compile_history_entry(
    node: JsonObject, pointer: str, definitions: Definitions
) -> HistoryEntry:
    _require_known(definitions.tasks, node["task"], "task", f"{pointer}/task")
    task, scenario = definitions.tasks[node["task"]], node.get("scenario")
    _validate_entry_scenario(scenario, task, pointer, definitions)
    cron = None
    if node.get("every") == CRON:
        cron = task.get("cron")
        if cron is None:
            msg = f"the task {node['task']!r} has no cron"
            raise FixtureError(msg, f"{pointer}/every")
    durations = {
        key: compile_duration(node[key], f"{pointer}/{key}")
        for key in ("ago", "every", "for")
        if key in node and not (cron and key == "every")
    }
    return HistoryEntry(
        pointer=pointer,
        task=node["task"],
        scenario=compile_value(scenario, f"{pointer}/scenario") if scenario else None,
        id=node.get("id"),
        ago=durations.get("ago"),
        every=durations.get("every"),
        duration=durations.get("for"),
        variables=compile_values(node.get("with", {}), f"{pointer}/with"),
        cron=cron,
        run_count=node.get("runs"),
    )


def _validate_entry_scenario(
    scenario: object, task: JsonObject, pointer: str, definitions: Definitions
) -> None:
    """Raise ``FixtureError`` unless a history entry or its task leads to a scenario."""
    scenarios = definitions.scenarios
    if isinstance(scenario, str):
        _require_known(scenarios, scenario, "scenario", f"{pointer}/scenario")
    elif (
        scenario is None
        and "scenario" not in task
        and not any(each.weight for each in scenarios.values())
    ):
        msg = "no scenario has a weight, so this entry must name one"
        raise FixtureError(msg, pointer)


def _compile_records(node: Mapping[str, list[JsonObject]], model: ApiModel) -> Iterator[Record]:
    for type_name, documents in node.items():
        _require_known(model.record_types, type_name, "kind", f"/records/{type_name}")
        record_type = model.record_types[type_name]
        for i, fields in enumerate(documents):
            pointer = f"/records/{type_name}/{i}"
            # Seeded by the place in the file: the records are the same in all worlds.
            context = ConstantContext(SeededRandom(0, pointer), 0)
            values = compile_values(fields, pointer)
            document = {name: value(context, None) for name, value in values.items()}
            record_id = record_type.id_format(context.random, 0)
            document.setdefault(record_type.id_field, record_id)
            yield Record(record_type, document[record_type.id_field], (BEGINNING,), (document,))


def _require_known(known: Mapping[str, T], name: str, category: str, pointer: str) -> str:
    """Return a name if it is known. Raises ``FixtureError`` otherwise."""
    if name not in known:
        choice = ", ".join(known) or "none"
        msg = f"there is no {category} {name!r}; there are: {choice}"
        raise FixtureError(msg, pointer)
    return name
