"""Beginnings, scenarios that play others, and the variables of all runs."""

import pytest
from small import (
    fixture_of,
    generate_from,
    interrupt_after,
    own_versions,
    run_of,
    world_of,
)

from soundstage.world.commands import Advance, Interrupt, Start
from soundstage.world.errors import FixtureError, UnknownName
from soundstage.world.run_builder import MAX_CHAIN_LENGTH

TEXT = """
scenarios:
  story:
    draw: {n: 1..1000000, kept: 7}
    steps:
      - run: {status: live, n: $n, kept: $kept}
      - after: 10s
        run: {status: over}
  shorter:
    weight: 0
    steps: [{run: {status: short}}, {after: 1s, run: {status: over}}]
beginnings:
  delayed:
    draw: {delay: 30s, why: {fake: word}}
    steps:
      - run: {status: delayed, n: $n, name: $scenario}
      - after: $delay
  announced: [{run: {about: $task}}]
endings:
  again:
    draw: {delay: 5s}
    steps: [{run: {status: delayed}}, {after: $delay, play: $scenario}]
  shortened: [{after: 2s, play: shorter}]
"""


def started(**more):
    world = world_of(TEXT)
    return world, world.apply(Start("small", None, "story", **more))


def statuses(run):
    return [(at, document["status"]) for at, document in own_versions(run)]


def test_a_beginning_is_played_before_the_scenario():
    _, run = started(beginning="delayed")
    assert statuses(run) == [(0, "delayed"), (30_000, "live"), (40_000, "over")]
    first, *_, last = (document for _, document in own_versions(run))
    assert first["n"] == last["n"]
    assert first["name"] == "story"


@pytest.mark.parametrize(("delay", "at"), [(0, 0), (1_500, 1_500), ("2m", 120_000), ("250ms", 250)])
def test_explicit_variables_override_those_of_a_beginning(delay, at):
    _, run = started(beginning="delayed", names={"delay": delay})
    assert statuses(run)[-1] == (at + 10_000, "over")


def test_a_run_without_beginning_is_generated_as_before():
    assert statuses(started()[1]) == [(0, "live"), (10_000, "over")]


def test_a_beginning_may_be_a_bare_list_of_steps():
    _, run = started(beginning="announced")
    assert own_versions(run)[0][1]["about"] == "task"
    assert statuses(run) == [(0, "live"), (10_000, "over")]


def test_an_undefined_beginning_is_unknown():
    with pytest.raises(UnknownName, match="no beginning 'slow'; there are: delayed, announced"):
        started(beginning="slow")


# An ending may go on with a scenario.


def test_an_ending_may_play_the_scenario_again():
    world, run = started(beginning="delayed")
    world.apply(Advance(10_000))
    run = world.apply(Interrupt("small", run.id, "again"))
    assert statuses(run) == [
        (0, "delayed"), (10_000, "delayed"), (15_000, "live"), (25_000, "over")
    ]  # fmt: skip


@pytest.mark.parametrize("times", [1, 2])
def test_explicit_variables_stay_in_a_scenario_that_is_played_again(times):
    world, run = started(names={"n": 5})
    for _ in range(times):
        world.apply(Advance(100))
        run = world.apply(Interrupt("small", run.id, "again", {"delay": "20s"}))
        run = world.apply(Interrupt("small", run.id, "again"))
    assert own_versions(run)[-1][1]["n"] == 5
    assert statuses(run)[-1] == (100 * times + 30_000, "over")


def test_variables_are_generated_again_when_a_scenario_is_played_again():
    drawn = []
    world, run = started()
    for _ in range(5):
        run = world.apply(Interrupt("small", run.id, "again"))
        drawn.append(own_versions(run)[-1][1]["n"])
    assert len(set(drawn)) == 5


def test_an_ending_may_play_another_scenario():
    run = interrupt_after(TEXT, generate_from(TEXT), 4_000, "shortened")
    assert statuses(run)[1:] == [(6_000, "short"), (7_000, "over")]


def test_a_step_may_play_a_scenario_and_go_on():
    run = generate_from("""
    scenarios:
      story:
        draw: {n: 2}
        steps:
          - run: {a: $n}
          - repeat: 2
            steps: [{play: inner}, {after: 1s, run: {c: $count}}]
      inner: {draw: {n: 5}, steps: [{after: 1s, run: {b: $n}}]}
    """)
    assert own_versions(run) == [
        (0, {"a": 2}),
        (1_000, {"a": 2, "b": 5}),
        (2_000, {"a": 2, "b": 5, "c": 1}),
        (3_000, {"a": 2, "b": 5, "c": 1}),
        (4_000, {"a": 2, "b": 5, "c": 2}),
    ]


@pytest.mark.parametrize(
    ("play", "message"),
    [
        ("tale", "there is no scenario 'tale'; there are: story"),
        ("$size", "there is no scenario '2'; there are: story"),
        ("$missing", r"\$missing is not defined here"),
        ("story", f"more than {MAX_CHAIN_LENGTH} scenarios play one another"),
        ("$scenario", f"more than {MAX_CHAIN_LENGTH} scenarios play one another"),
    ],
)
def test_the_pointer_of_an_unplayable_scenario_is_reported(play, message):
    with pytest.raises(FixtureError, match=message) as error:
        run_of(f"[{{run: {{}}}}, {{play: {play}}}]")
    assert error.value.pointer == "/scenarios/story/steps/1/play"


def test_scenarios_may_play_one_another_up_to_a_limit():
    steps = [f"s{n}: {{steps: [{{play: s{n + 1}}}]}}" for n in range(MAX_CHAIN_LENGTH)]
    last = f"s{MAX_CHAIN_LENGTH}: {{steps: [run: {{}}]}}"
    text = f"scenarios: {{{', '.join(steps)}, {last}}}"
    assert own_versions(generate_from(text, "s0")) == [(0, {})]


# Names


@pytest.mark.parametrize("task", ["task", "other"])
def test_a_run_knows_its_task_and_its_scenario(task):
    run = run_of("[{run: {of: '$task by $scenario'}}]", task=task)
    assert own_versions(run)[0][1]["of"] == f"{task} by story"


@pytest.mark.parametrize(("task", "color"), [("task", "red"), ("new/one", "any"), ("*", "any")])
def test_a_star_means_every_task_that_is_not_listed(task, color):
    text = """
    tasks: {task: {color: red}, '*': {color: any}}
    scenarios: {story: {steps: [{run: {color: $color, task: $task}}]}}
    """
    run = world_of(text).apply(Start("small", task))
    assert own_versions(run)[0][1] == {"color": color, "task": task}
    assert run.task == task


def test_the_first_task_that_is_listed_is_that_of_a_run_that_names_none():
    text = """
    tasks: {'*': {}, named: {}}
    scenarios: {story: {steps: [{run: {task: $task}}]}}
    """
    assert world_of(text).apply(Start("small")).task == "named"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("soon", r"\$span: 'soon' is not a duration"),
        (-1, r"\$span: '-1' is not a duration"),
        (1.5, r"\$span: '1.5' is not a duration"),
        (None, r"\$span: 'None' is not a duration"),
    ],
)
def test_the_pointer_of_a_name_without_duration_is_reported(value, message):
    with pytest.raises(FixtureError, match=message) as error:
        run_of("[{run: {}}, {after: $span}]", span=value)
    assert error.value.pointer == "/scenarios/story/steps/1/after"


@pytest.mark.parametrize("after", ["$other", "$run.x", "${run}.5s"])
def test_the_pointer_of_an_undefined_duration_is_reported(after):
    with pytest.raises(FixtureError) as error:
        run_of(f"[{{run: {{}}}}, {{after: '{after}'}}]")
    assert error.value.pointer == "/scenarios/story/steps/1/after"


def test_a_task_may_name_its_scenario_where_none_has_a_weight():
    text = """
    tasks: {task: {scenario: story}}
    scenarios: {story: {weight: 0, steps: [{run: {}}]}}
    history: [{task: task, ago: 1h}]
    """
    assert len(fixture_of(text).history) == 1
    assert world_of(text).apply(Start("small")).scenario == "story"
