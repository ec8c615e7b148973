"""What a command does to the state of one API: found out first, then done."""

from collections.abc import Callable
from typing import TypeAlias

from soundstage.types import JsonObject
from soundstage.world.collection import Collection
from soundstage.world.commands import Delete, Interrupt, Patch, Plan, Put, Start
from soundstage.world.errors import UnknownName
from soundstage.world.random import RandomSource
from soundstage.world.record import Record
from soundstage.world.run_builder import GenerationContext
from soundstage.world.runs import Interruption, Run, generate_run, interrupt_run
from soundstage.world.scenario import ANY_TASK, QueuedScenario, RunRequest
from soundstage.world.state import State, patch_run, validate_record, validate_run
from soundstage.world.values import merge_patch

CommandResult: TypeAlias = Run | Record | None
"""What a command made or changed."""

StateChange: TypeAlias = Callable[[State], None]
"""What is to be done to a state; nothing can go wrong with it any more."""


def prepare(
    command: Start | Interrupt | Plan | Put | Patch | Delete,
    state: State,
    timestamp: int,
    random: RandomSource,
) -> tuple[CommandResult, StateChange | None]:
    """What comes of a command, and what is to be done if anything is.

    The state is only looked at. Raises as ``World.apply`` does.
    """
    match command:
        case Start():
            return _prepare_start(command, state, timestamp, random)
        case Interrupt():
            return _prepare_interrupt(command, state, timestamp, random)
        case Plan():
            return None, _prepare_plan(command, state)
        case _:
            return _prepare_record_change(command, state, timestamp)


def _prepare_start(
    command: Start, state: State, timestamp: int, random: RandomSource
) -> tuple[Run, StateChange]:
    listed = (task for task in state.definitions.tasks if task != ANY_TASK)
    cue = RunRequest(
        task=command.task or next(listed, ""),
        scenario=command.scenario,
        timestamp=timestamp,
        variables=command.names,
        beginning=command.beginning,
        deadlines=command.deadlines,
    )
    source = GenerationContext(state.definitions, random, list(state.queued_scenarios))
    run = generate_run(source, cue)
    if command.fields:
        run = patch_run(run, command.fields)
    if command.fields or command.names:
        validate_run(state.fixture, run)

    def effect(own: State) -> None:
        own.queued_scenarios = source.queued_scenarios
        own.add_run(run)

    return run, effect


def _prepare_interrupt(
    command: Interrupt, state: State, timestamp: int, random: RandomSource
) -> tuple[Run | None, StateChange | None]:
    if command.run not in state.runs:
        raise UnknownName("run", command.run)
    old = state.current_run(state.runs[command.run])
    source = GenerationContext(state.definitions, random, list(state.queued_scenarios))
    new = interrupt_run(
        source, old, Interruption(command.ending, timestamp, command.names)
    )
    if new is None:
        return None, None
    if command.names:
        validate_run(state.fixture, new)

    def effect(own: State) -> None:
        own.queued_scenarios = source.queued_scenarios
        own.replace_run(old, new)

    return new, effect


def _prepare_plan(command: Plan, state: State) -> StateChange:
    if command.times < 1:
        raise ValueError(f"a plan is for one run or more, not {command.times}")
    state.definitions.scenario(command.scenario)
    if command.task is not None:
        state.definitions.task(command.task)
    plan = QueuedScenario(command.task, command.scenario, command.times)
    return lambda own: own.queued_scenarios.append(plan)


def _prepare_record_change(
    command: Put | Patch | Delete, state: State, timestamp: int
) -> tuple[Record, StateChange]:
    """One record changed from now on."""
    collection = state.collection(command.collection)
    old = collection.get_record(command.id)
    there = old is not None and old.as_of(timestamp) is not None
    if not isinstance(command, Put) and not there:
        raise UnknownName(f"record in {command.collection}", command.id)
    match command, old:
        case Patch(), Record():
            new = old.apply_change(timestamp, lambda d: merge_patch(d, command.patch))
        case Delete(), Record():
            new = old.replace_from(timestamp, None)
        case Put(), Record() if old.created_at <= timestamp:
            new = old.replace_from(timestamp, _document_with_id(command, collection))
        case _:
            document = _document_with_id(command, collection)
            new = Record(collection.record_type, command.id, (timestamp,), (document,))
    validate_record(state.fixture, new)
    if old is None:
        return new, lambda own: own.collections[command.collection].add(new)
    return new, lambda own: own.replace_record(old, new)


def _document_with_id(
    command: Put | Patch | Delete, collection: Collection
) -> JsonObject:
    given = command.document if isinstance(command, Put) else {}
    return {**given, collection.record_type.id_field: command.id}
