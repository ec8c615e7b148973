"""Schedules: cron expressions, their ticks, and how far a clock may advance."""

from contextlib import suppress
from dataclasses import replace
from functools import cache

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import fixture_of, scheduled

from soundstage.world.clock import (
    DAY,
    HOUR,
    MAX_SPEED,
    MAX_TIMESTAMP,
    MINUTE,
    SECOND,
    Clock,
)
from soundstage.world.commands import (
    Advance,
    Define,
    Delete,
    Interrupt,
    Plan,
    Put,
    Reset,
    Start,
)
from soundstage.world.cron import MAX_TICKS, count_ticks, next_cron_tick
from soundstage.world.errors import ClockJumpTooLarge, FixtureError, UnknownName
from soundstage.world.state import Schedule
from soundstage.world.world import World, WorldOptions
from support.effort import examples
from support.strategies import NOW

STORY = """
lifecycle: {run.status: {begins: [new], moves: {new: [over]}}}
scenarios:
  story:
    draw: {n: 1..1000000}
    steps:
      - run: {status: new, n: $n, key: $key}
        event: {open: true}
      - after: 10s..20m
        run: {status: over}
  other: {weight: 0, draw: {key: null}, steps: [{run: {status: new, key: $key}}]}
endings: {cancelled: [{run: {status: over}}]}
"""
HOURLY = STORY + "tasks: {task: {cron: '0 * * * *', key: -}}\n"
OFTEN = STORY + "tasks: {task: {cron: '*/7 * * * *', key: -}}\n"


compiled = cache(scheduled)


def world_of(*texts, seed=0, **opening):
    """A frozen world of these fixtures."""
    fixtures = {fixture.api: fixture for fixture in map(compiled, texts)}
    return World(fixtures, WorldOptions(seed, **{"start_at": NOW, "speed": 0, **opening}))


def begun(world, api="small"):
    """When each run began, and its key, in the order in which they were added."""
    runs = world.state(api).runs.values()
    return [(run.started_at - NOW, run.records[0].versions[0]["key"]) for run in runs]


def seen(world):
    """Every record, all its versions; each run, in order."""
    states = [world.state(api) for api in world.fixtures]
    return [(state.runs, {n: list(c) for n, c in state.collections.items()})
            for state in states]  # fmt: skip


def minutes(*numbers):
    return [(number * MINUTE, "task") for number in numbers]


@pytest.mark.parametrize(
    ("cron", "span", "expected"),
    [
        ("0 * * * *", 2 * HOUR, minutes(0, 60, 120)),
        ("0 * * * *", 2 * HOUR - 1, minutes(0, 60)),
        ("1 * * * *", MINUTE - 1, []),
        ("1 * * * *", MINUTE, minutes(1)),
        ("*/25 1-2 * * *", 3 * HOUR, minutes(60, 85, 110, 120, 145, 170)),
        ("0 0 * * MON", 12 * DAY, minutes(4 * 1440, 11 * 1440)),
        ("30 9 2,4 1 *", 365 * DAY, minutes(1440 + 570, 3 * 1440 + 570)),
        ("0 0 29 2 *", 900 * DAY, minutes(789 * 1440)),
        ("0 0 1 * FRI", 9 * DAY, minutes(0, 1440, 8 * 1440)),
    ],
)
def test_runs_start_exactly_at_the_ticks_of_the_cron_expression(cron, span, expected):
    world = world_of(STORY + f"tasks: {{task: {{cron: '{cron}', key: -}}}}")
    world.apply(Advance(span))
    assert begun(world) == expected


def test_a_tick_happens_at_its_own_timestamp_however_late_it_is_read():
    world = world_of(HOURLY)
    world.apply(Advance(5 * HOUR + 1))
    runs = world.collection("small", "runs")
    assert [len(runs.all(NOW + n * HOUR - 1)) for n in range(7)] == [
        0,
        1,
        2,
        3,
        4,
        5,
        6,
    ]


def test_ticks_come_in_the_order_of_time_then_key_across_apis():
    tiny = STORY + "api: tiny\ntasks: {a: {cron: '*/20 * * * *'}, c: {cron: '0 * * * *'}}"
    small = STORY + "tasks: {b: {cron: '*/30 * * * *'}}"
    ticks = []

    def tick(_state, key, at):
        ticks.append(((at - NOW) // MINUTE, key))
        return ()

    world = world_of(small, tiny)
    fixtures = {
        name: replace(each, schedule=Schedule(each.schedule.cron_expressions, tick))
        for name, each in world.fixtures.items()
    }
    world = World(fixtures, WorldOptions(0, NOW, 0))
    world.apply(Advance(HOUR))
    world.now()
    assert ticks == [
        (0, "a"), (0, "b"), (0, "c"), (20, "a"), (30, "b"),
        (40, "a"), (60, "a"), (60, "b"), (60, "c"),
    ]  # fmt: skip


# A world reads the time without drawing its history, unless its crons may be in it.

HISTORY = """
lifecycle: {run.status: {begins: [new], moves: {new: [over]}}}
scenarios:
  plain: {draw: {key: past}, steps: [{run: {status: new, key: $key}}]}
  nested: {weight: 0, draw: {key: past}, steps: [STEP]}
endings: {cancelled: [{run: {status: over}}]}
tasks: {task: {cron: '0 * * * *'}}
records: {event: [{id: kept, cron: '30 * * * *'}]}
history: [{task: task, scenario: SCENARIO, runs: 400, for: 10d}]
"""
MADE = "{repeat: 1, steps: [{run: {status: new, key: -}, event: {cron: '15 * * * *'}}]}"


def undrawn(world):
    """The progress of a history that was not generated before."""
    return list(world.initial_state("small").generate())


def test_the_time_is_read_without_generating_a_history_that_adds_no_crons():
    plain = HISTORY.replace("SCENARIO", "plain").replace("STEP", "{run: {status: new}}")
    world = world_of(plain, start_at=NOW + 1, history_end=NOW + 1)
    world.now()
    assert undrawn(world) == [200, 400]
    world.apply(Advance(HOUR))
    keys = [key for at, key in begun(world) if at > 0]
    assert keys == ["kept", "task"]


def test_crons_that_a_history_adds_are_in_force():
    made = HISTORY.replace("SCENARIO", "nested").replace("STEP", MADE)
    world = world_of(made.replace("runs: 400, for: 10d", "ago: 1h"), start_at=NOW + 1)
    world.apply(Advance(20 * MINUTE))
    assert [at // MINUTE for at, _ in begun(world)] == [-60, 15]


# What the crons are is asked again after every command.


def test_a_cron_that_a_command_adds_ticks_from_then_on():
    world = world_of(STORY)
    world.apply(Advance(90 * MINUTE))
    world.apply(Put("small", "events", "e", {"run": "r", "cron": "0 * * * *"}))
    world.apply(Advance(2 * HOUR))
    assert begun(world) == [(2 * HOUR, "e"), (3 * HOUR, "e")]


def test_a_cron_that_is_added_at_a_tick_of_its_own_waits_for_the_next_one():
    world = world_of(STORY)
    world.apply(Put("small", "events", "e", {"run": "r", "cron": "0 * * * *"}))
    world.apply(Advance(HOUR))
    assert begun(world) == [(HOUR, "e")]


def test_a_cron_that_a_command_removes_has_ticked_until_then():
    world = world_of(STORY)
    world.apply(Put("small", "events", "e", {"run": "r", "cron": "0 * * * *"}))
    world.apply(Advance(2 * HOUR))
    world.apply(Delete("small", "events", "e"))
    world.apply(Advance(DAY))
    assert begun(world) == [(HOUR, "e"), (2 * HOUR, "e")]


def test_a_cron_that_is_changed_starts_nothing_in_the_past():
    world = world_of(HOURLY)
    world.apply(Advance(2 * HOUR + 30 * MINUTE))
    world.apply(Put("small", "events", "e", {"run": "r", "cron": "*/10 * * * *"}))
    world.apply(Put("small", "events", "e", {"run": "r", "cron": "*/20 * * * *"}))
    world.apply(Advance(HOUR))
    at = [(start // MINUTE, key) for start, key in begun(world)]
    assert at[3:] == [(160, "e"), (180, "e"), (180, "task"), (200, "e")]


# Nothing but seed, fixtures and log decides what ticks make.

COMMANDS = (
    Start("small"),
    Start("small", None, "story", {"key": "mine"}),
    Start("tiny"),
    Plan("small", "other"),
    Put("small", "events", "e", {"run": "r", "cron": "*/11 * * * *"}),
    Put("tiny", "events", "e", {"run": "r", "cron": "5 * * * *"}),
    Delete("small", "events", "e"),
    Define("small", "story", {"steps": [{"run": {"status": "new", "key": "$key"}}]}),
    "interrupt",
)
BOTH = OFTEN, HOURLY + "api: tiny"
spans = st.integers(0, 40 * MINUTE)
histories = st.lists(st.tuples(spans, st.sampled_from(COMMANDS)), max_size=6)
few = examples(25)


def perform(world, history):
    for span, command in history:
        world.apply(Advance(span))
        if command == "interrupt":
            newest = list(world.state("small").runs)[-1]
            world.apply(Interrupt("small", newest, "cancelled"))
        else:
            with suppress(UnknownName):  # there may be nothing to delete
                world.apply(command)


@few
@given(history=histories, first=spans, second=spans, later=histories)
def test_two_advances_are_one_by_both_with_crons(history, first, second, later):
    world, other = world_of(*BOTH), world_of(*BOTH)
    for each in (world, other):
        perform(each, history)
    world.apply(Advance(first))
    seen(world)
    world.apply(Advance(second))
    other.apply(Advance(first + second))
    for each in (world, other):
        perform(each, later)
    assert seen(world) == seen(other)


@few
@given(history=histories, instants=st.lists(st.integers(NOW, NOW + DAY), max_size=3))
def test_reading_never_changes_anything(history, instants):
    world, other = world_of(*BOTH), world_of(*BOTH)
    for step in history:
        perform(world, [step])
        perform(other, [step])
        for at in instants:
            world.collection("small", "runs").all(at)
            world.next_change()
            world.now()
    assert seen(world) == seen(other)
    assert orjson.dumps(world.to_json()) == orjson.dumps(other.to_json())


@few
@given(history=histories)
def test_ticks_are_rebuilt_by_the_log_though_they_are_not_in_it(history):
    world = world_of(*BOTH, seed=5)
    perform(world, history)
    written = orjson.dumps(world.to_json())
    assert len(world.log) <= 2 * len(history)
    other, again = (
        World.from_json(world.fixtures, orjson.loads(written)),
        world_of(*BOTH, seed=5),
    )
    again.replay(world.log)
    assert seen(other) == seen(again) == seen(world)
    assert orjson.dumps(other.to_json()) == written


@few
@given(history=histories)
def test_a_tick_never_rewrites_the_past(history):
    world = world_of(*BOTH)
    perform(world, history)
    now = world.now()
    lists = [world.collection(api, "runs").all(now - 1) for api in world.fixtures]
    world.apply(Advance(HOUR))
    perform(world, history)
    assert lists == [world.collection(api, "runs").all(now - 1) for api in world.fixtures]


def test_a_started_run_is_the_same_with_ticks_and_without():
    runs = []
    for text in (STORY, OFTEN):
        world = world_of(text)
        world.apply(Advance(HOUR))
        named = Start("small", "task", "story", {"key": "mine"})
        runs += [world.apply(named), world.apply(named)]
    records = [run.records for run in runs]
    assert records[:2] == records[2:]


def test_a_tick_is_generated_from_the_seed_its_key_and_its_timestamp():
    worlds = [world_of(OFTEN, seed=seed) for seed in (1, 1, 2)]
    for world in worlds:
        world.apply(Advance(HOUR))
    one, same, other = ([*world.state("small").runs] for world in worlds)
    assert one == same
    assert not {*one} & {*other}
    assert len({*one}) == len({*other}) == 10


def test_a_tick_uses_queued_scenarios():
    world = world_of(OFTEN)
    world.now()  # the one at midnight is over
    world.apply(Plan("small", "other", None, 2))
    world.apply(Advance(28 * MINUTE))
    runs = world.state("small").runs.values()
    assert [r.scenario for r in runs] == ["story", "other", "other", "story", "story"]


def test_two_worlds_do_not_share_ticks():
    world, other = world_of(OFTEN), world_of(OFTEN)
    world.apply(Advance(DAY))
    assert len(begun(world)) == 24 * 9 + 1
    assert begun(other) == [(0, "task")]


def test_a_world_created_later_has_the_ticks_since_the_end_of_history():
    early, late = (
        world_of(HOURLY),
        world_of(HOURLY, start_at=NOW + DAY, history_end=NOW),
    )
    early.apply(Advance(DAY))
    assert seen(late) == seen(early)
    assert len(begun(late)) == 25


def test_nothing_ticks_before_the_end_of_history():
    world = world_of(OFTEN, start_at=NOW - HOUR, history_end=NOW)
    world.apply(Start("small", None, "story", {"key": "mine"}))
    world.apply(Advance(HOUR + 10 * MINUTE))
    assert begun(world) == [(-HOUR, "mine"), (0, "task"), (7 * MINUTE, "task")]


def test_history_ends_where_ticks_begin():
    past = "history: [{task: task, scenario: story, every: cron, for: 3h}]"
    world = world_of(HOURLY + past)
    assert [at // HOUR for at, _ in begun(world)] == [-3, -2, -1, 0]


def test_a_reset_lets_all_ticks_happen_again():
    world = world_of(OFTEN)
    world.apply(Advance(DAY))
    before = seen(world)
    world.apply(Reset())
    assert begun(world) == [(0, "task")]
    world.apply(Advance(DAY))
    assert seen(world) == before


def test_the_next_change_may_be_a_tick():
    world = world_of(STORY + "tasks: {task: {cron: '30 5 * * *', key: -}}")
    assert world.next_change() == NOW + 5 * HOUR + 30 * MINUTE
    world.apply(Advance(6 * HOUR))
    assert world.next_change() == NOW + DAY + 5 * HOUR + 30 * MINUTE


def test_a_tick_with_an_invalid_command_does_nothing():
    """Else the world could not be read at that moment, nor ever be imported."""
    world = world_of(STORY, HOURLY.replace("begins: [new]", "begins: [old]") + "api: tiny")
    world.apply(Advance(HOUR))
    assert world.now() == NOW + HOUR
    assert begun(world, "tiny") == []
    assert World.from_json(world.fixtures, world.to_json()).now() == NOW + HOUR


# How far a clock may go

MINUTELY = STORY + "tasks: {task: {cron: '* * * * *', key: -}}"


def test_an_advance_past_too_many_ticks_is_rejected_before_the_clock_moves():
    world = world_of(MINUTELY)
    with pytest.raises(ClockJumpTooLarge, match="would start more than 50000 scheduled runs"):
        world.apply(Advance(36 * DAY))
    assert (world.clock.now(), len(world.log)) == (NOW, 0)
    assert len(begun(world)) == 1


def test_a_log_that_advances_too_far_is_rejected_too():
    world = world_of(HOURLY)
    exported = world.to_json()
    with pytest.raises(ClockJumpTooLarge):
        World.from_json(world.fixtures, {**exported, "now": NOW + 3000 * DAY})
    entry = {"at": NOW + 3000 * DAY, "command": "start", "api": "small"}
    with pytest.raises(ClockJumpTooLarge):
        World.from_json(world.fixtures, {**exported, "log": [entry]})


def test_a_clock_that_ran_too_far_by_its_speed_is_usable_after_a_reset():
    wall = [0]
    clock = Clock(NOW, MAX_SPEED, lambda: wall[0])
    fixtures = {"small": scheduled(MINUTELY)}
    world = World(fixtures, WorldOptions(0, NOW, MAX_SPEED), clock)
    wall[0] = 36 * DAY // MAX_SPEED
    for _ in range(2):
        with pytest.raises(ClockJumpTooLarge):
            world.now()
        with pytest.raises(ClockJumpTooLarge):
            world.apply(Start("small"))
    assert not world.log
    world.apply(Reset())
    assert begun(world) == [(0, "task")]


@pytest.mark.parametrize(
    ("cron", "start", "span"),
    [
        ("*/5 9-17 * * 1-5", 9 * HOUR, 30 * DAY),
        ("* 0 1 1 *", 0, 20 * 365 * DAY),
        ("* * 1 * *", DAY, 90 * DAY),
        ("0 * * * *", 0, 90 * DAY),
        ("0 0 29 2 *", 0, 8000 * DAY),
    ],
)
def test_ticks_are_counted_by_whole_days_not_by_the_first_few(cron, start, span):
    start, ticks = NOW + start, 0
    at = next_cron_tick(cron, start)
    while at and at <= start + span:
        ticks, at = ticks + 1, next_cron_tick(cron, at)
    assert ticks <= count_ticks([cron], start, start + span) <= ticks + 24 * 60


def test_no_more_ticks_are_counted_than_matter():
    assert MAX_TICKS < count_ticks(["* * * * *"], NOW, MAX_TIMESTAMP) < 2 * MAX_TICKS


# What is no schedule


@pytest.mark.parametrize(
    "cron", ["", "* * * *", "* * * * * *", "@daily", "60 * * * *", "0 0 31 2 *", "soon"]
)
def test_an_invalid_cron_expression_is_rejected(cron):
    with pytest.raises(ValueError, match="is no cron expression") as error:
        next_cron_tick(cron, NOW)
    assert repr(cron) in str(error.value)
    with pytest.raises(FixtureError, match="is no cron expression") as wrong:
        fixture_of(f"tasks: {{task: {{cron: '{cron}'}}}}")
    assert wrong.value.pointer == "/tasks/task/cron"


@pytest.mark.parametrize("at", [MAX_TIMESTAMP, MAX_TIMESTAMP - SECOND])
def test_a_cron_has_no_tick_after_the_years(at):
    assert next_cron_tick("0 * * * *", at) is None


def test_a_history_by_cron_needs_a_task_with_one():
    with pytest.raises(FixtureError, match="the task 'other' has no cron") as error:
        fixture_of(STORY + "tasks: {other: {}}\nhistory: [{task: other, every: cron, for: 1d}]")
    assert error.value.pointer == "/history/0/every"
