"""Execution of commands on the state of one API: first validated, then applied."""

from collections.abc import Callable
from typing import TypeAlias

from soundstage.types import JsonObject
from soundstage.world.collection import Collection
from soundstage.world.commands import Delete, Interrupt, Patch, Plan, Put, Start
from soundstage.world.errors import UnknownName
from soundstage.world.random import RandomSource
from soundstage.world.record import Record
from soundstage.world.run_builder import GenerationContext, generate_run, interrupt_run
from soundstage.world.runs import Interruption, Run
from soundstage.world.scenario import ANY_TASK, QueuedScenario, RunRequest
from soundstage.world.state import State, patch_run, validate_record, validate_run
from soundstage.world.values import merge_patch

CommandResult: TypeAlias = Run | Record | None
"""The run or the record that a command created or changed."""

StateChange: TypeAlias = Callable[[State], None]
"""Applies a validated command to a state; it raises nothing."""


def prepare(
    command: Start | Interrupt | Plan | Put | Patch | Delete,
    state: State,
    timestamp: int,
    random: RandomSource,
) -> tuple[CommandResult, StateChange | None]:
    """Validate a command; return its result and the change, None if there is none.

    The state is only read. Raises as ``World.apply`` does.
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
    request = RunRequest(
        task=command.task or next(listed, ""),
        scenario=command.scenario,
        timestamp=timestamp,
        variables=command.names,
        beginning=command.beginning,
        deadlines=command.deadlines,
    )
    context = GenerationContext(state.definitions, random, list(state.queued_scenarios))
    run = generate_run(context, request)
    if command.fields:
        run = patch_run(run, command.fields)
    # The fixture was validated when it was loaded, but not with these values.
    if command.fields or command.names:
        validate_run(state.fixture, run)

    def change(writable: State) -> None:
        writable.queued_scenarios = context.queued_scenarios
        writable.add_run(run)

    return run, change


def _prepare_interrupt(
    command: Interrupt, state: State, timestamp: int, random: RandomSource
) -> tuple[Run | None, StateChange | None]:
    if command.run not in state.runs:
        raise UnknownName("run", command.run)
    old = state.current_run(state.runs[command.run])
    context = GenerationContext(state.definitions, random, list(state.queued_scenarios))
    interruption = Interruption(command.ending, timestamp, command.names)
    new = interrupt_run(context, old, interruption)
    if new is None:
        return None, None
    if command.names:
        validate_run(state.fixture, new)

    def change(writable: State) -> None:
        writable.queued_scenarios = context.queued_scenarios
        writable.replace_run(old, new)

    return new, change


def _prepare_plan(command: Plan, state: State) -> StateChange:
    if command.times < 1:
        raise ValueError(f"a plan is for one run or more, not {command.times}")
    state.definitions.scenario(command.scenario)
    if command.task is not None:
        state.definitions.task(command.task)
    queued = QueuedScenario(command.task, command.scenario, command.times)
    return lambda writable: writable.queued_scenarios.append(queued)


def _prepare_record_change(
    command: Put | Patch | Delete, state: State, timestamp: int
) -> tuple[Record, StateChange]:
    collection = state.collection(command.collection)
    old = collection.get_record(command.id)
    exists = old is not None and old.as_of(timestamp) is not None
    if not isinstance(command, Put) and not exists:
        raise UnknownName(f"record in {command.collection}", command.id)
    # A deleted record may be put again, and so may one that is created later.
    match command, old:
        case Patch(), Record():
            patch = command.patch
            new = old.apply_change(timestamp, lambda version: merge_patch(version, patch))
        case Delete(), Record():
            new = old.replace_from(timestamp, None)
        case Put(), Record() if old.created_at <= timestamp:
            new = old.replace_from(timestamp, _document_with_id(command, collection))
        case _:
            document = _document_with_id(command, collection)
            record_type = collection.record_type
            new = Record(record_type, command.id, (timestamp,), (document,))
    validate_record(state.fixture, new)
    if old is None:
        name = command.collection
        return new, lambda writable: writable.collections[name].add(new)
    return new, lambda writable: writable.replace_record(old, new)


def _document_with_id(command: Put | Patch | Delete, collection: Collection) -> JsonObject:
    document = command.document if isinstance(command, Put) else {}
    return {**document, collection.record_type.id_field: command.id}
