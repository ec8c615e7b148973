"""Histories: anything that may happen to a world, whichever API it is of.

A move names a task, a scenario, a run or an ending by a number, which is taken modulo
how many there are; so the same history can happen at every API.
"""

from contextlib import suppress
from dataclasses import dataclass

from hypothesis import currently_in_test_context, note
from hypothesis import strategies as st

from soundstage.world.clock import DAY, HOUR, MAX_TIMESTAMP, MINUTE, SECOND
from soundstage.world.commands import Advance, Delete, Interrupt, Patch, Plan, Put, Start
from soundstage.world.errors import ClockJumpTooLarge, FixtureError, UnknownName

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00.000Z


@dataclass(frozen=True)
class Begin:
    """Start a run; the scenario is chosen by plan or weight when it is None.

    ``deadlines`` are endings, each with how many ms a run may be in its states.
    """

    task: int | None
    scenario: int | None
    beginning: int | None = None
    deadlines: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Arrange:
    """Plan what the next so many runs are of, of a task or of any."""

    scenario: int
    task: int | None
    times: int


@dataclass(frozen=True)
class Cut:
    """Interrupt a run: 0 is the one that was added last."""

    run: int
    ending: int


@dataclass(frozen=True)
class Wait:
    """Advance by a span."""

    span: int


@dataclass(frozen=True)
class Onward:
    """Advance to the very instant at which something changes: 0 is the next one."""

    change: int


@dataclass(frozen=True)
class Edit:
    """Put, patch or delete a record; what it shall say is taken from another one."""

    how: str
    collection: int
    record: int
    other: int


seeds = st.integers(0, 2**32)
spans = st.one_of(st.integers(0, 20 * SECOND), st.integers(0, HOUR), st.integers(0, 8 * DAY))
few = st.integers(0, 40)
limits = st.lists(st.tuples(few, spans), max_size=2).map(tuple)
moves = st.one_of(
    st.builds(Begin, st.none() | few, st.none() | few, st.none() | few, limits),
    st.builds(Arrange, few, st.none() | few, st.integers(1, 3)),
    st.builds(Cut, few, few),
    st.builds(Wait, spans),
    st.builds(Onward, st.integers(0, 12)),
)
histories = st.lists(moves, max_size=6)
edits = st.builds(Edit, st.sampled_from(["put", "patch", "delete"]), few, few, few)
wild = st.lists(moves | edits, max_size=8)
lives = st.tuples(st.builds(Begin, few, few), st.builds(Onward, st.integers(0, 12)))
"""A run of any scenario that is started, and the very instant of a change in it."""


def perform(world, api, history):
    """Let it happen, all of it that may be."""
    if currently_in_test_context():
        note(f"in a world of seed {world.options.seed} happens {history}")
    for move in history:
        with suppress(FixtureError, ClockJumpTooLarge, UnknownName):
            world.apply(command(world, api, move))


def command(world, api, move):
    """The move as a command to this world."""
    script = world.state(api).fixture.definitions
    match move:
        case Begin(task, scenario, beginning, deadlines):
            return Start(
                api,
                chosen(script.tasks, task),
                chosen(script.scenarios, scenario),
                beginning=chosen(script.beginnings, beginning),
                deadlines={chosen(script.endings, n): span for n, span in deadlines},
            )
        case Arrange(scenario, task, times):
            tale = chosen(script.scenarios, scenario)
            return Plan(api, tale, chosen(script.tasks, task), times)
        case Cut(run, ending):
            runs = list(reversed(world.state(api).runs))
            return Interrupt(api, chosen(runs, run), chosen(script.endings, ending))
        case Wait(span):
            return Advance(span)
        case Onward(change):
            return Advance(until(world, api, change))
        case Edit():
            return edit(world.state(api), api, move)


def edit(state, api, move):
    """The command of an edit."""
    collection = chosen(filter(list, state.collections.values()), move.collection)
    where = api, collection.record_type.collection, chosen(collection, move.record).id
    document = chosen(collection, move.other).as_of(MAX_TIMESTAMP) or {}
    match move.how:
        case "put":
            return Put(*where, document)
        case "patch":
            field = chosen(document or ["none"], move.record)
            return Patch(*where, {field: document.get(field)})
        case _:
            return Delete(*where)


def chosen(options, number):
    """One of them, or None for None and where there are none."""
    options = list(options)
    return options[number % len(options)] if options and number is not None else None


def until(world, api, change):
    """How long it is until the next change, or the one after so many others."""
    now = world.clock.now()
    times = sorted(time for time in changes(world, api) if time > now)
    return times[min(change, len(times) - 1)] - now if times else MINUTE


def changes(world, api):
    """Every instant at which a record of a run has a new version."""
    return {
        time
        for run in world.state(api).runs.values()
        for record in run.records
        for time in record.timestamps
    }
