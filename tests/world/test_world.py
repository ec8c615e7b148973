"""Commands and their log."""

from collections import Counter

import pytest
from small import fixture_of, generate_from, versions, world_of

from soundstage.world.clock import DAY, HOUR, MAX_TIMESTAMP, MINUTE, Clock
from soundstage.world.commands import Advance, Interrupt, LogEntry, Reset, Start
from soundstage.world.errors import UnknownName
from soundstage.world.world import World, WorldOptions
from support.strategies import NOW

STORY = """
scenarios: {story: {draw: {n: 1..1000000}, steps: [{run: {n: $n, color: $color}}]}}
endings: {cancelled: [{run: {cut: true}}]}
"""


def runs(world):
    return list(world.state("small").runs.values())


@pytest.mark.parametrize(("asked", "color"), [(None, "red"), ("task", "red"), ("other", "blue")])
def test_a_run_is_of_the_requested_task_or_of_the_first(asked, color):
    run = world_of(STORY).apply(Start("small", asked, "story"))
    assert run.records[0].versions[0]["color"] == color


def test_a_run_starts_now_and_exists_at_once():
    world = world_of(STORY)
    world.apply(Advance(HOUR))
    run = world.apply(Start("small", names={"n": 5}))
    document = world.collection("small", "runs").get(run.id, NOW + HOUR)
    assert document == {"id": run.id, "n": 5, "color": "red"}
    assert world.collection("small", "runs").get(run.id, NOW + HOUR - 1) is None


def test_every_run_is_generated_separately():
    world = world_of(STORY)
    drawn = [world.apply(Start("small")).records[0].versions[0] for _ in range(20)]
    assert len({document["n"] for document in drawn}) == 20
    assert len({document["id"] for document in drawn}) == 20


def test_every_interruption_is_generated_separately():
    text = STORY.replace("cut: true", "cut: 1..1000000")
    world = world_of(text)
    run = world.apply(Start("small"))
    cuts = [world.apply(Interrupt("small", run.id, "cancelled")) for _ in range(9)]
    assert len({cut.records[0].versions[-1]["cut"] for cut in cuts}) == 9


def test_an_interruption_is_generated_from_the_seed():
    text = STORY.replace("cut: true", "cut: 1..1000000")
    cuts = set()
    for seed in range(9):
        world = world_of(text, seed)
        run = world.apply(Start("small", names={"n": 1}))
        run = world.apply(Interrupt("small", run.id, "cancelled"))
        cuts.add(run.records[0].versions[-1]["cut"])
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


@pytest.mark.parametrize("text", ["{}", "scenarios: {s: {weight: 0, steps: [{run: {}}]}}"])
def test_no_run_starts_unnamed_where_no_scenario_has_a_weight(text):
    with pytest.raises(UnknownName, match="scenario"):
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
def test_an_invalid_command_changes_and_logs_nothing(command, message):
    world = world_of(STORY)
    with pytest.raises(UnknownName, match=message) as error:
        world.apply(command)
    assert not runs(world)
    assert not list(world.log)
    assert error.value.name in {"nowhere", "t", "s", "r"}


@pytest.mark.parametrize("span", [-1, MAX_TIMESTAMP])
def test_an_impossible_advance_is_not_logged(span):
    world = world_of(STORY)
    with pytest.raises(ValueError, match="clock"):
        world.apply(Advance(span))
    assert (world.clock.now(), list(world.log)) == (NOW, [])


def test_an_undefined_ending_is_not_logged():
    world = world_of(STORY)
    run = world.apply(Start("small"))
    with pytest.raises(UnknownName, match="there is no ending 'e'; there are: cancelled"):
        world.apply(Interrupt("small", run.id, "e"))
    assert len(world.log) == 1


def test_the_log_has_every_command_with_its_timestamp():
    world = world_of(STORY)
    commands = [Start("small"), Advance(HOUR), Advance(0), Start("small", "other")]
    for command in commands:
        world.apply(command)
    instants = [NOW, NOW, NOW + HOUR, NOW + HOUR]
    assert list(world.log) == list(map(LogEntry, instants, commands))
    assert len(world.log) == 4


def test_the_log_of_a_moving_world_rebuilds_it():
    wall = [0]
    fixtures = {"small": fixture_of(STORY)}
    world = World(fixtures, WorldOptions(3, NOW, 60), Clock(NOW, 60, lambda: wall[0]))
    for wall[0] in (10, 20, 500):
        world.apply(Start("small"))
    other = World(fixtures, WorldOptions(3, NOW, 0))
    other.replay(world.log)
    same = runs(other) == runs(world)
    assert same
    assert other.clock.now() == NOW + 500 * 60


def test_a_moving_world_is_the_same_after_export_and_import():
    wall = [0]
    fixtures = {"small": fixture_of(STORY)}
    world = World(fixtures, WorldOptions(3, NOW, 60, NOW - DAY), Clock(NOW, 60, lambda: wall[0]))
    wall[0] = 1000
    other = World.from_json(fixtures, world.to_json())
    assert NOW + MINUTE <= other.clock.now() < NOW + HOUR
    assert (other.clock.speed, other.history_end, other.started_at) == (
        60,
        NOW - DAY,
        NOW,
    )


def test_an_imported_world_is_reset_to_where_the_exported_one_began():
    fixtures = {"small": fixture_of(STORY + "history: [{task: task, ago: 1h}]")}
    world = World(fixtures, WorldOptions(3, NOW + DAY, 0, NOW))
    other = World.from_json(fixtures, world.to_json())
    for each in (world, other):
        each.apply(Reset())
    assert (other.clock.now(), other.history_end) == (NOW + DAY, NOW)
    assert runs(other) == runs(world)


@pytest.mark.parametrize(
    ("name", "message"),
    [("events", None), ("jobs", "no collection 'jobs'; there are: runs, events")],
)
def test_a_collection_is_found_by_its_name(name, message):
    world = world_of(STORY)
    if message is None:
        assert world.collection("small", name).record_type.name == "event"
    else:
        with pytest.raises(UnknownName, match=message):
            world.collection("small", name)


def test_a_world_needs_no_options():
    world = World({"small": fixture_of(STORY)})
    assert (world.options, world.clock.speed) == (WorldOptions(0, None, 1.0), 1.0)
    assert world.history_end <= world.clock.now() <= world.history_end + MINUTE


def test_a_reset_begins_again_with_the_same_clock():
    wall = [0]
    clock = Clock(NOW, 60, lambda: wall[0])
    world = World({"small": fixture_of(STORY)}, WorldOptions(0, NOW, 60), clock)
    wall[0] = 1000
    world.apply(Reset())
    assert world.clock.now() == NOW
    wall[0] = 2000
    assert world.clock.now() == NOW + 60_000


def test_the_runs_of_a_world_are_those_of_its_definitions():
    world = world_of(STORY, seed=5)
    run = world.apply(Start("small", None, "story", {"n": 1}))
    assert versions(run.records[0]) == versions(generate_from(STORY, n=1).records[0])
