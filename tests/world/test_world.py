"""Commands, the log, and the past with which a world begins."""

from collections import Counter
from itertools import pairwise

import pytest
from small import drawn_from, fixture_of, versions, world_of

from soundstage.world.clock import DAY, EARLIEST, HOUR, LATEST, MINUTE, SECOND, Clock
from soundstage.world.errors import FixtureError, Unknown
from soundstage.world.log import Advance, Entry, Interrupt, Reset, Start
from soundstage.world.state import LEAST_GAP
from soundstage.world.world import Opening, World
from strategies import NOW

STORY = """
scenarios: {story: {draw: {n: 1..1000000}, steps: [{run: {n: $n, color: $color}}]}}
endings: {cancelled: [{run: {cut: true}}]}
"""


def runs(world):
    return list(world.state("small").runs.values())


def begun(text, seed=0):
    """When each run of the world's past began, before NOW."""
    return [NOW - run.at for run in runs(world_of(STORY + text, seed))]


@pytest.mark.parametrize(
    ("asked", "color"), [(None, "red"), ("task", "red"), ("other", "blue")]
)
def test_a_run_is_of_the_task_that_is_asked_for_or_of_the_first(asked, color):
    run = world_of(STORY).apply(Start("small", asked, "story"))
    assert run.records[0].documents[0]["color"] == color


def test_a_run_starts_now_and_is_there_at_once():
    world = world_of(STORY)
    world.apply(Advance(HOUR))
    run = world.apply(Start("small", names={"n": 5}))
    document = world.collection("small", "runs").get(run.id, NOW + HOUR)
    assert document == {"id": run.id, "n": 5, "color": "red"}
    assert world.collection("small", "runs").get(run.id, NOW + HOUR - 1) is None


def test_every_run_is_drawn_anew():
    world = world_of(STORY)
    drawn = [world.apply(Start("small")).records[0].documents[0] for _ in range(20)]
    assert len({document["n"] for document in drawn}) == 20
    assert len({document["id"] for document in drawn}) == 20


def test_every_interruption_is_drawn_anew():
    text = STORY.replace("cut: true", "cut: 1..1000000")
    world = world_of(text)
    run = world.apply(Start("small"))
    cuts = [world.apply(Interrupt("small", run.id, "cancelled")) for _ in range(9)]
    assert len({cut.records[0].documents[-1]["cut"] for cut in cuts}) == 9


def test_an_interruption_is_drawn_from_the_seed():
    text = STORY.replace("cut: true", "cut: 1..1000000")
    cuts = set()
    for seed in range(9):
        world = world_of(text, seed)
        run = world.apply(Start("small", names={"n": 1}))
        run = world.apply(Interrupt("small", run.id, "cancelled"))
        cuts.add(run.records[0].documents[-1]["cut"])
    assert len(cuts) == 9


WEIGHTS = """
scenarios:
  never: {weight: 0, steps: [{run: {}}]}
  once: {steps: [{run: {}}]}
  thrice: {weight: 3, steps: [{run: {}}]}
  not_either: {weight: 0, steps: [{run: {}}]}
"""


def test_scenarios_are_chosen_by_their_weights():
    world = world_of(WEIGHTS)
    chosen = Counter(world.apply(Start("small")).scenario for _ in range(1000))
    assert chosen.keys() == {"once", "thrice"}
    assert 650 < chosen["thrice"] < 850


@pytest.mark.parametrize(
    "text", ["{}", "scenarios: {s: {weight: 0, steps: [{run: {}}]}}"]
)
def test_no_run_starts_unnamed_where_no_scenario_has_a_weight(text):
    with pytest.raises(Unknown, match="scenario"):
        world_of(text).apply(Start("small"))


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (Start("nowhere"), "there is no API 'nowhere'; there are: small"),
        (Start("small", "t"), "there is no task 't'; there are: task, other"),
        (Start("small", None, "s"), "there is no scenario 's'; there are: story"),
        (Interrupt("nowhere", "r", "e"), "there is no API 'nowhere'"),
        (Interrupt("small", "r", "cancelled"), "there is no run 'r'"),
    ],
)
def test_a_command_that_cannot_be_done_changes_and_logs_nothing(command, message):
    world = world_of(STORY)
    with pytest.raises(Unknown, match=message) as error:
        world.apply(command)
    assert not runs(world)
    assert not list(world.log)
    assert error.value.name in {"nowhere", "t", "s", "r"}


@pytest.mark.parametrize("span", [-1, LATEST])
def test_an_advance_that_the_clock_cannot_go_is_not_logged(span):
    world = world_of(STORY)
    with pytest.raises(ValueError, match="clock"):
        world.apply(Advance(span))
    assert (world.clock.now(), list(world.log)) == (NOW, [])


def test_an_ending_that_is_not_there_is_not_logged():
    world = world_of(STORY)
    run = world.apply(Start("small"))
    with pytest.raises(Unknown, match="there is no ending 'e'; there are: cancelled"):
        world.apply(Interrupt("small", run.id, "e"))
    assert len(world.log) == 1


def test_the_log_keeps_every_command_with_its_instant():
    world = world_of(STORY)
    commands = [Start("small"), Advance(HOUR), Advance(0), Start("small", "other")]
    for command in commands:
        world.apply(command)
    instants = [NOW, NOW, NOW + HOUR, NOW + HOUR]
    assert list(world.log) == list(map(Entry, instants, commands))
    assert len(world.log) == 4


def test_the_log_of_a_moving_world_rebuilds_it():
    wall = [0]
    fixtures = {"small": fixture_of(STORY)}
    world = World(fixtures, Opening(3, NOW, 60), Clock(NOW, 60, lambda: wall[0]))
    for wall[0] in (10, 20, 500):
        world.apply(Start("small"))
    other = World(fixtures, Opening(3, NOW, 0))
    other.replay(world.log)
    same = runs(other) == runs(world)
    assert same
    assert other.clock.now() == NOW + 500 * 60


@pytest.mark.parametrize(
    ("name", "message"),
    [("events", None), ("jobs", "no collection 'jobs'; there are: runs, events")],
)
def test_a_collection_is_found_by_its_name(name, message):
    world = world_of(STORY)
    if message is None:
        assert world.collection("small", name).kind.name == "event"
    else:
        with pytest.raises(Unknown, match=message):
            world.collection("small", name)


def test_a_world_needs_no_opening():
    world = World({"small": fixture_of(STORY)})
    assert (world.opening, world.clock.speed) == (Opening(0, None, 1.0), 1.0)
    assert world.origin <= world.clock.now() <= world.origin + MINUTE


def test_a_reset_begins_again_with_the_same_clock():
    wall = [0]
    clock = Clock(NOW, 60, lambda: wall[0])
    world = World({"small": fixture_of(STORY)}, Opening(0, NOW, 60), clock)
    wall[0] = 1000
    world.apply(Reset())
    assert world.clock.now() == NOW
    wall[0] = 2000
    assert world.clock.now() == NOW + 60_000


# The past


def test_a_run_of_the_past_began_so_long_ago():
    assert begun("history: [{task: task, ago: 2h}]") == [2 * HOUR]


@pytest.mark.parametrize("seed", range(5))
def test_a_run_of_the_past_began_within_its_span(seed):
    (ago,) = begun("history: [{task: task, ago: 1h..2h}]", seed)
    assert HOUR <= ago <= 2 * HOUR


def test_a_run_of_the_past_is_what_its_entry_says():
    text = "history: [{task: other, scenario: story, ago: 1h, id: mine, with: {n: 5}}]"
    (run,) = runs(world_of(STORY + text))
    assert versions(run.records[0]) == [(-HOUR, {"n": 5, "color": "blue"})]
    assert run.id == "mine"


def test_runs_come_every_so_often_up_to_now_and_no_further():
    every = begun("history: [{task: task, every: 6h, for: 1d}]")
    assert every == [24 * HOUR, 18 * HOUR, 12 * HOUR, 6 * HOUR]


@pytest.mark.parametrize("seed", range(5))
def test_runs_come_every_so_often_within_their_span(seed):
    every = begun("history: [{task: task, every: 1h..3h, for: 7d}]", seed)
    gaps = [a - b for a, b in pairwise(every)]
    assert every[0] == 7 * DAY
    assert all(HOUR <= gap <= 3 * HOUR for gap in gaps)
    assert 0 < every[-1] <= 3 * HOUR
    assert len(set(gaps)) > 10


@pytest.mark.parametrize("every", ["0s", "1ms", "999ms", "1s"])
def test_runs_come_no_more_often_than_every_second(every):
    ago = begun(f"history: [{{task: task, every: {every}, for: 10s}}]")
    assert ago == [n * SECOND for n in range(10, 0, -1)]
    assert LEAST_GAP == SECOND


def test_the_past_does_not_begin_before_the_years():
    text = "history: [{task: task, ago: 999999999d}, {task: task, ago: 1d}]"
    fixtures = {"small": fixture_of(STORY + text)}
    world = World(fixtures, Opening(0, EARLIEST + HOUR, 0))
    assert [run.at for run in runs(world)] == [EARLIEST, EARLIEST]


def test_each_entry_of_the_past_is_drawn_by_itself():
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
def test_what_a_fixture_says_wrongly_is_pointed_at(text, message, pointer):
    with pytest.raises(FixtureError) as error:
        fixture_of(STORY + text)
    assert message in error.value.message
    assert error.value.pointer == pointer


def test_a_past_without_scenario_needs_one_with_a_weight():
    text = """
    scenarios: {s: {weight: 0, steps: [{run: {}}]}}
    history: [{task: task, ago: 1h}]
    """
    with pytest.raises(FixtureError, match="no scenario has a weight"):
        fixture_of(text)


# Records that are there from the beginning


def test_a_record_of_the_fixture_is_there_whatever_the_seed():
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


def test_the_runs_of_a_world_are_those_of_its_script():
    world = world_of(STORY, seed=5)
    run = world.apply(Start("small", None, "story", {"n": 1}))
    assert versions(run.records[0]) == versions(drawn_from(STORY, n=1).records[0])
