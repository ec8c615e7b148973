"""History: runs from before the start, and the fixture's own records."""

from itertools import pairwise

import pytest
from small import fixture_of, versions, world_of

from soundstage.world.clock import DAY, HOUR, MIN_TIMESTAMP, SECOND
from soundstage.world.errors import FixtureError
from soundstage.world.history import MIN_RUN_INTERVAL
from soundstage.world.world import World, WorldOptions
from support.strategies import NOW

STORY = """
scenarios: {story: {draw: {n: 1..1000000}, steps: [{run: {n: $n, color: $color}}]}}
endings: {cancelled: [{run: {cut: true}}]}
"""


def runs(world):
    return list(world.state("small").runs.values())


def begun(text, seed=0):
    """When each run of the world's past began, before NOW."""
    return [NOW - run.started_at for run in runs(world_of(STORY + text, seed))]


def test_a_run_of_the_history_started_its_duration_ago():
    assert begun("history: [{task: task, ago: 2h}]") == [2 * HOUR]


@pytest.mark.parametrize("seed", range(5))
def test_a_run_of_the_history_started_within_its_range(seed):
    (ago,) = begun("history: [{task: task, ago: 1h..2h}]", seed)
    assert HOUR <= ago <= 2 * HOUR


def test_a_run_of_the_history_has_the_values_of_its_entry():
    text = "history: [{task: other, scenario: story, ago: 1h, id: mine, with: {n: 5}}]"
    (run,) = runs(world_of(STORY + text))
    assert versions(run.records[0]) == [(-HOUR, {"n": 5, "color": "blue"})]
    assert run.id == "mine"


def test_runs_repeat_up_to_now_and_no_further():
    every = begun("history: [{task: task, every: 6h, for: 1d}]")
    assert every == [24 * HOUR, 18 * HOUR, 12 * HOUR, 6 * HOUR]


@pytest.mark.parametrize("seed", range(5))
def test_runs_repeat_within_their_range(seed):
    every = begun("history: [{task: task, every: 1h..3h, for: 7d}]", seed)
    gaps = [a - b for a, b in pairwise(every)]
    assert every[0] == 7 * DAY
    assert all(HOUR <= gap <= 3 * HOUR for gap in gaps)
    assert 0 < every[-1] <= 3 * HOUR
    assert len(set(gaps)) > 10


@pytest.mark.parametrize("every", ["0s", "1ms", "999ms", "1s"])
def test_runs_repeat_at_most_once_a_second(every):
    ago = begun(f"history: [{{task: task, every: {every}, for: 10s}}]")
    assert ago == [n * SECOND for n in range(10, 0, -1)]
    assert MIN_RUN_INTERVAL == SECOND


def test_the_history_does_not_begin_before_the_years():
    text = "history: [{task: task, ago: 999999999d}, {task: task, ago: 1d}]"
    fixtures = {"small": fixture_of(STORY + text)}
    world = World(fixtures, WorldOptions(0, MIN_TIMESTAMP + HOUR, 0))
    assert [run.started_at for run in runs(world)] == [MIN_TIMESTAMP, MIN_TIMESTAMP]


def test_each_history_entry_is_generated_independently():
    alone = "history: [{task: task, ago: 1h}]"
    both = "history: [{task: task, ago: 1h}, {task: task, ago: 1h}]"
    (first,), (same, other) = (runs(world_of(STORY + text)) for text in (alone, both))
    assert first.id == same.id != other.id


@pytest.mark.parametrize(
    ("text", "message", "pointer"),
    [
        ("history: [{task: t, ago: 1h}]", "there is no task 't'", "/history/0/task"),
        (
            "history: [{task: task, scenario: s, ago: 1h}]",
            "there is no scenario 's'; there are: story",
            "/history/0/scenario",
        ),
        ("history: [{task: task, ago: soon}]", "not a duration", "/history/0/ago"),
        ("records: {thing: [{}]}", "no kind 'thing'", "/records/thing"),
        ("defaults: {thing: {}}", "no kind 'thing'", "/defaults/thing"),
    ],
)
def test_the_pointer_of_a_mistake_in_the_history_is_reported(text, message, pointer):
    with pytest.raises(FixtureError) as error:
        fixture_of(STORY + text)
    assert message in error.value.message
    assert error.value.pointer == pointer


def test_a_history_entry_without_scenario_needs_one_with_a_weight():
    text = """
    scenarios: {s: {weight: 0, steps: [{run: {}}]}}
    history: [{task: task, ago: 1h}]
    """
    with pytest.raises(FixtureError, match="no scenario has a weight"):
        fixture_of(text)


# Records that are there from the beginning


def test_a_record_of_the_fixture_exists_for_every_seed():
    text = "records: {event: [{id: a, run: r}, {run: r, n: 1..1000000}]}"
    lists = [
        world_of(text, seed).collection("small", "events").children("r", NOW - 10**15)
        for seed in range(3)
    ]
    assert lists[0] == lists[1] == lists[2]
    assert lists[0][0] == {"id": "a", "run": "r"}
    assert lists[0][1]["id"]


@pytest.mark.parametrize("record", ["{}", "{id: a}"])
def test_a_record_of_the_fixture_needs_no_more_than_an_id(record):
    (there,) = fixture_of(f"records: {{event: [{record}]}}").records
    assert there.id
