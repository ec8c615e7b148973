"""Successors that an API requests, and those of endings."""

from dataclasses import replace

import pytest
from small import fixture_of, own_versions, world_of

from soundstage.world.clock import MAX_TIMESTAMP
from soundstage.world.commands import Advance, Interrupt, Put, Start
from soundstage.world.errors import FixtureError
from soundstage.world.scenario import RunRequest
from soundstage.world.world import World, WorldOptions
from support.strategies import NOW

TEXT = """
lifecycle: {run.status: {begins: [new], moves: {new: [failed, over]}}}
scenarios:
  story:
    draw: {attempt: 1}
    steps:
      - run: {status: new, attempt: $attempt}
      - after: 10s
        run: {status: failed}
  parent:
    steps:
      - run: {status: new}
      - after: 3s
        start: {scenario: story, with: {attempt: 3}}
      - after: 7s
        run: {status: failed}
endings:
  failed: [{run: {status: failed}}]
  over: [{run: {status: over}}]
  replaced:
    - run: {status: over}
    - after: 2s
      start: {scenario: story, with: {attempt: 9}}
"""


def follow(run):
    """A retry a second after a failure, three attempts in all."""
    last, attempt = run.records[0].versions[-1], run.variables["attempt"]
    if last["status"] != "failed" or attempt == 3:
        return None
    at = run.records[0].timestamps[-1] + 1_000
    return RunRequest("", "story", at, variables={"attempt": attempt + 1})


def world_of_followed(follow=follow):
    fixture = fixture_of(TEXT)
    script = replace(fixture.definitions, on_finish=follow)
    return World({"small": replace(fixture, definitions=script)}, WorldOptions(0, NOW, 0))


def runs(world):
    """When each run begins, and which attempt it is."""
    runs = world.state("small").runs.values()
    listed = world.collection("small", "runs").all(MAX_TIMESTAMP)
    assert [run.id for run in runs] == [document["id"] for document in listed]
    return [((run.started_at - NOW) // 1000, run.variables.get("attempt")) for run in runs]


def interrupt(world, run, ending, after):
    world.apply(Advance(after))
    return world.apply(Interrupt("small", run.id, ending))


def test_a_run_is_followed_as_its_api_requests_to_the_last():
    world = world_of_followed()
    run = world.apply(Start("small", "other", "story"))
    assert runs(world) == [(0, 1), (11, 2), (22, 3)]
    assert {each.task for each in world.state("small").runs.values()} == {"other"}
    assert run.successors[0].successors[0].chain_length == 2


def test_a_run_that_is_interrupted_without_failure_has_no_successor():
    world = world_of_followed()
    run = world.apply(Start("small", None, "story"))
    assert interrupt(world, run, "over", 4_000).successors == ()
    assert runs(world) == [(0, 1)]


def test_a_run_that_is_interrupted_with_a_failure_is_followed_from_then_on():
    world = world_of_followed()
    run = world.apply(Start("small", None, "story"))
    interrupt(world, run, "failed", 4_000)
    assert runs(world) == [(0, 1), (5, 2), (16, 3)]


def test_only_successors_that_have_not_begun_are_removed():
    world = world_of_followed()
    world.apply(Start("small", None, "story"))
    second = list(world.state("small").runs.values())[1]
    interrupt(world, second, "over", 12_000)
    assert runs(world) == [(0, 1), (11, 2)]


@pytest.mark.parametrize(
    ("deadlines", "expected"),
    [
        ({"failed": 3_000}, [(0, 1), (4, 2), (15, 3)]),
        ({"over": 3_000}, [(0, 1)]),
    ],
)
def test_a_run_that_its_deadline_ends_is_followed_from_then_on(deadlines, expected):
    world = world_of_followed()
    world.apply(Start("small", None, "story", deadlines=deadlines))
    assert runs(world) == expected


def test_a_run_that_starts_successors_itself_gets_no_other_one():
    asked = []
    world = world_of_followed(lambda run: asked.append(run.scenario))
    world.apply(Start("small", None, "parent"))
    assert asked == ["story"]


def test_a_run_that_has_a_successor_gets_no_other_one_when_interrupted():
    world = world_of_followed()
    run = world.apply(Start("small", None, "parent", {"attempt": 1}))
    interrupt(world, run, "failed", 4_000)
    assert runs(world) == [(0, 1), (3, 3)]


def test_a_run_may_not_be_followed_for_ever():
    world = world_of_followed(lambda run: RunRequest("", None, run.started_at))
    with pytest.raises(FixtureError, match="more than 64 runs start one") as error:
        world.apply(Start("small"))
    assert error.value.pointer in {"/scenarios/story", "/scenarios/parent"}
    assert not world.log


def test_a_run_that_follows_may_have_deadlines_of_its_own():
    def expiring(run):
        return follow(run) and replace(follow(run), deadlines={"over": 500})

    world = world_of_followed(expiring)
    run = world.apply(Start("small", None, "story"))
    assert own_versions(run.successors[0])[-1] == (
        11_500,
        {"status": "over", "attempt": 2},
    )
    assert runs(world) == [(0, 1), (11, 2)]


# An ending may start runs, too.


def test_a_run_that_an_ending_starts_exists():
    world = world_of(TEXT)
    run = interrupt(world, world.apply(Start("small", None, "story")), "replaced", 4_000)
    assert runs(world) == [(0, 1), (6, 9)]
    assert run.successors[0].id in world.state("small").runs


def test_the_successor_of_an_ending_runs_beside_that_of_the_run():
    world = world_of(TEXT)
    run = world.apply(Start("small", None, "parent"))
    run = interrupt(world, run, "replaced", 5_000)
    assert runs(world) == [(0, None), (3, 3), (7, 9)]
    assert len(run.successors) == 2


def test_a_record_that_replaces_a_removed_run_stays():
    world = world_of(TEXT)
    run = world.apply(Start("small", None, "parent"))
    (child,) = run.successors
    world.apply(Put("small", "runs", child.id, {"status": "new"}))
    interrupt(world, run, "over", 1_000)
    assert list(world.state("small").runs) == [run.id]
    assert world.collection("small", "runs").get(child.id, MAX_TIMESTAMP)["status"] == "new"
