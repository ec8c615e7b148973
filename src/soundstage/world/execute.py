"""What a command does to the state of one API: found out first, then done."""

from collections.abc import Callable
from typing import TypeAlias

from soundstage.types import JsonObject
from soundstage.world.collection import Collection
from soundstage.world.commands import Delete, Interrupt, Patch, Plan, Put, Start
from soundstage.world.errors import Unknown
from soundstage.world.random import Chance
from soundstage.world.record import Record
from soundstage.world.run_builder import Source
from soundstage.world.runs import Cut, Run, drawn, interrupted
from soundstage.world.scenario import ANY, Cue, Planned
from soundstage.world.state import State, inspect, inspect_record, with_fields
from soundstage.world.values import merged

Outcome: TypeAlias = Run | Record | None
"""What a command made or changed."""

Effect: TypeAlias = Callable[[State], None]
"""What is to be done to a state; nothing can go wrong with it any more."""


def effect_of(
    command: Start | Interrupt | Plan | Put | Patch | Delete,
    state: State,
    at: int,
    chance: Chance,
) -> tuple[Outcome, Effect | None]:
    """What comes of a command, and what is to be done if anything is.

    The state is only looked at. Raises as ``World.apply`` does.
    """
    match command:
        case Start():
            return _started(command, state, at, chance)
        case Interrupt():
            return _interrupted(command, state, at, chance)
        case Plan():
            return None, _planned(command, state)
        case _:
            return _changed(command, state, at)


def _started(
    command: Start, state: State, at: int, chance: Chance
) -> tuple[Run, Effect]:
    listed = (task for task in state.script.tasks if task != ANY)
    cue = Cue(
        task=command.task or next(listed, ""),
        scenario=command.scenario,
        at=at,
        names=command.names,
        beginning=command.beginning,
        deadlines=command.deadlines,
    )
    source = Source(state.script, chance, list(state.planned))
    run = drawn(source, cue)
    if command.fields:
        run = with_fields(run, command.fields)
    if command.fields or command.names:
        inspect(state.fixture, run)

    def effect(own: State) -> None:
        own.planned = source.planned
        own.add(run)

    return run, effect


def _interrupted(
    command: Interrupt, state: State, at: int, chance: Chance
) -> tuple[Run | None, Effect | None]:
    if command.run not in state.runs:
        raise Unknown("run", command.run)
    old = state.as_it_is(state.runs[command.run])
    source = Source(state.script, chance, list(state.planned))
    new = interrupted(source, old, Cut(command.ending, at, command.names))
    if new is None:
        return None, None
    if command.names:
        inspect(state.fixture, new)

    def effect(own: State) -> None:
        own.planned = source.planned
        own.replace(old, new)

    return new, effect


def _planned(command: Plan, state: State) -> Effect:
    if command.times < 1:
        raise ValueError(f"a plan is for one run or more, not {command.times}")
    state.script.scenario(command.scenario)
    if command.task is not None:
        state.script.task(command.task)
    plan = Planned(command.task, command.scenario, command.times)
    return lambda own: own.planned.append(plan)


def _changed(
    command: Put | Patch | Delete, state: State, at: int
) -> tuple[Record, Effect]:
    """One record changed from now on."""
    collection = state.collection(command.collection)
    old = collection.record(command.id)
    there = old is not None and old.as_of(at) is not None
    if not isinstance(command, Put) and not there:
        raise Unknown(f"record in {command.collection}", command.id)
    match command, old:
        case Patch(), Record():
            new = old.changed(at, lambda d: merged(d, command.patch))
        case Delete(), Record():
            new = old.ended(at, None)
        case Put(), Record() if old.began <= at:
            new = old.ended(at, _identified(command, collection))
        case _:
            document = _identified(command, collection)
            new = Record(collection.kind, command.id, (at,), (document,))
    inspect_record(state.fixture, new)
    if old is None:
        return new, lambda own: own.collections[command.collection].add(new)
    return new, lambda own: own.put(old, new)


def _identified(command: Put | Patch | Delete, collection: Collection) -> JsonObject:
    given = command.document if isinstance(command, Put) else {}
    return {**given, collection.kind.id: command.id}
