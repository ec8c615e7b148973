"""Queued scenarios: which runs use them, in which order, how often."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small import fixture_of, world_of

from soundstage.world.commands import Interrupt, Plan, Reset, Start
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.scenario import RunRequest
from soundstage.world.world import World, WorldOptions
from support.effort import examples
from support.strategies import NOW

TEXT = """
tasks: {task: {}, other: {}, fixed: {scenario: f}}
lifecycle: {run.status: {begins: [new], moves: {new: [over]}}}
scenarios:
  usual: {steps: [{run: {status: new}}]}
  a: {weight: 0, steps: [{run: {status: new}}]}
  b: {weight: 0, steps: [{run: {status: new}}]}
  f: {weight: 0, steps: [{run: {status: new}}, {after: 1s, run: {status: over}}]}
  broken: {weight: 0, steps: [{run: {status: new, by: $missing}}]}
  starts: {weight: 0, steps: [{run: {status: new}, start: {scenario: usual}}]}
endings: {cancelled: [{run: {status: over}}]}
"""


def scenarios(world, *tasks):
    return [world.apply(Start("small", task)).scenario for task in tasks]


def test_runs_use_queued_scenarios_in_order_and_exactly_as_often():
    world = world_of(TEXT)
    world.apply(Plan("small", "a", times=2))
    world.apply(Plan("small", "b"))
    assert scenarios(world, *[None] * 5) == ["a", "a", "b", "usual", "usual"]


def test_a_plan_for_a_task_is_for_its_runs_only():
    world = world_of(TEXT)
    for plan in (Plan("small", "a", "other"), Plan("small", "b")):
        world.apply(plan)
    assert scenarios(world, "task", "task", "other", "other") == [
        "b", "usual", "a", "usual"
    ]  # fmt: skip


def test_a_plan_overrides_the_scenario_of_a_task():
    world = world_of(TEXT)
    world.apply(Plan("small", "a"))
    assert scenarios(world, "fixed", "fixed") == ["a", "f"]


def test_runs_with_a_named_scenario_use_up_no_plan():
    world = world_of(TEXT)
    world.apply(Plan("small", "a"))
    assert world.apply(Start("small", None, "starts")).successors
    assert scenarios(world, None, None) == ["a", "usual"]


@pytest.mark.parametrize(
    ("plan", "start", "error"),
    [
        ("broken", Start("small"), FixtureError),
        ("a", Start("small", beginning="none"), UnknownName),
        ("a", Start("small", "unknown"), UnknownName),
        ("a", Start("small", deadlines={"none": 1}), UnknownName),
        ("a", Start("small", fields={"status": "odd"}), FixtureError),
    ],
)
def test_a_start_that_fails_uses_up_no_plan(plan, start, error):
    world = world_of(TEXT)
    world.apply(Plan("small", plan))
    with pytest.raises(error):
        world.apply(start)
    assert [p.scenario for p in world.state("small").queued_scenarios] == [plan]
    assert len(world.log) == 1


def test_an_interruption_uses_up_no_plan():
    world = world_of(TEXT)
    run = world.apply(Start("small"))
    world.apply(Plan("small", "a"))
    for _ in range(2):
        world.apply(Interrupt("small", run.id, "cancelled"))
    assert scenarios(world, None, None) == ["a", "usual"]


@pytest.mark.parametrize(
    ("plan", "error", "message"),
    [
        (Plan("small", "c"), UnknownName, "no scenario 'c'; there are: usual, a, b"),
        (Plan("small", "a", "t"), UnknownName, "no task 't'; there are: task, other"),
        (Plan("tiny", "a"), UnknownName, "no API 'tiny'"),
        (Plan("small", "a", None, 0), ValueError, "one run or more, not 0"),
        (Plan("small", "a", None, -2), ValueError, "one run or more, not -2"),
    ],
)
def test_an_invalid_plan_is_not_logged(plan, error, message):
    world = world_of(TEXT)
    with pytest.raises(error, match=message):
        world.apply(plan)
    assert not world.log
    assert scenarios(world, None) == ["usual"]


def test_plans_belong_to_one_world_and_a_reset_removes_them():
    world, other = world_of(TEXT), world_of(TEXT)
    world.apply(Plan("small", "a", times=3))
    assert scenarios(other, None) == ["usual"]
    assert scenarios(world, None) == ["a"]
    world.apply(Reset())
    assert scenarios(world, None) == ["usual"]


def test_a_successor_uses_queued_scenarios():
    fixture = fixture_of(TEXT)

    def follow(run):
        return RunRequest("", None, run.started_at + 5) if run.chain_length < 2 else None

    fixture = replace(fixture, definitions=replace(fixture.definitions, on_finish=follow))
    world = World({"small": fixture}, WorldOptions(0, NOW, 0))
    world.apply(Plan("small", "a", times=2))
    world.apply(Start("small"))
    runs = world.state("small").runs.values()
    assert [run.scenario for run in runs] == ["a", "a", "usual"]


plans = st.builds(Plan, st.just("small"), st.sampled_from("ab"), st.none(), st.integers(1, 3))
starts = st.builds(Start, st.just("small"), st.none(), st.none() | st.just("f"))


@examples(30)
@given(commands=st.lists(plans | starts, max_size=12))
def test_queued_scenarios_are_a_queue(commands):
    world, queue = world_of(TEXT), []
    for command in commands:
        outcome = world.apply(command)
        if isinstance(command, Plan):
            queue += [command.scenario] * command.times
        elif command.scenario is None:
            assert outcome.scenario == (queue.pop(0) if queue else "usual")
    other = World.from_json(world.fixtures, world.to_json())
    assert other.state("small").queued_scenarios == world.state("small").queued_scenarios
    assert scenarios(other, *[None] * len(queue), None) == [*queue, "usual"]
