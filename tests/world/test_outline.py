"""Runs that are drawn when somebody looks at them are what they would have been."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from small import fixture_of
from stage import Stage

from soundstage.world.clock import DAY, HOUR, MAX_TIMESTAMP
from soundstage.world.commands import Delete, Interrupt, Patch
from soundstage.world.history import HistoryEntry, regenerate
from soundstage.world.initial_state import InitialState, initial_state
from soundstage.world.world import World, WorldOptions
from support.strategies import NOW, histories, perform, seeds

RUNS = 8


def lengthened(fixture):
    """The fixture, and runs of all tasks in the two days before."""
    more = [
        HistoryEntry("", task, None, None, None, None, lambda *_: 2 * DAY, {}, run_count=RUNS)
        for task in list(fixture.definitions.tasks)[:2]
    ]
    return replace(fixture, history=(*fixture.history, *more))


@pytest.fixture(scope="session")
def long(stage):
    """Each API with a long history."""
    return Stage(lengthened(stage.fixture))


def drawn_at_once(long, seed):
    """A world like any other, of which nothing is left for later."""
    world = long.world(seed)
    state = InitialState(long.fixture, seed, NOW, eager=True).state()
    world._states[long.api] = state
    return world


def listed(long, world, at):
    """What there is, and what each run has."""
    runs = world.state(long.api).runs
    said = {}
    for name, collection in long.collections(world).items():
        if collection.record_type.belongs_to_run:
            said[name] = [collection.children(run, at) for run in runs]
        else:
            said[name] = collection.all(at)
    return said


@settings(max_examples=4)
@given(seed=seeds, history=histories)
def test_a_world_says_the_same_whether_its_past_is_drawn_at_once_or_later(long, seed, history):
    later, at_once = long.world(seed), drawn_at_once(long, seed)
    assert len(later.state(long.api).runs) >= RUNS
    for world in (later, at_once):
        perform(world, long.api, history)
    for at in (NOW, NOW + HOUR, MAX_TIMESTAMP):
        assert listed(long, later, at) == listed(long, at_once, at)
        assert later.state(long.api).next_change(at) == at_once.state(long.api).next_change(at)
    same = later.state(long.api).runs == at_once.state(long.api).runs
    assert same


def outlines(long, world):
    """The runs of which there is only the outline."""
    state = world.state(long.api)
    return [run_id for run_id in state.runs if state.initial_runs.find_summary(run_id)]


def test_runs_that_are_over_are_kept_in_outline(long):
    world = long.world()
    state = world.state(long.api)
    kept = outlines(long, world)
    assert len(kept) > RUNS
    for run_id in set(state.runs) - set(kept):
        run = state.runs[run_id]
        assert state.started_at(run_id) == run.started_at
    for run_id in kept:
        assert state.started_at(run_id) == state.runs[run_id].started_at


def test_a_page_of_what_a_run_did_draws_that_run(long):
    world = long.world(seed=11)
    of_run = [c for c in long.collections(world).values() if c.record_type.belongs_to_run]
    kept = outlines(long, world)[:3]
    regenerate.cache_clear()
    runs = world.state(long.api).collection(long.definitions.model.record_types["run"].collection)
    for run_id in kept:
        assert runs.get(run_id, NOW)
    assert regenerate.cache_info().misses == 0
    for _ in range(2):
        for collection in of_run:
            for run_id in kept:
                collection.children(run_id, NOW)
    assert regenerate.cache_info().misses == (3 if of_run else 0)


def test_a_run_in_outline_can_be_changed(long):
    later, at_once = long.world(), drawn_at_once(long, 0)
    name = long.definitions.model.record_types["run"].collection
    first, second, third = outlines(long, later)[:3]
    for world in (later, at_once):
        field = long.definitions.model.record_types["run"].id_field
        document = world.collection(long.api, name).get(first, NOW)
        patch = {field: document[field]}
        world.apply(Patch(long.api, name, first, patch))
        world.apply(Delete(long.api, name, second))
        for ending in long.endings:
            assert world.apply(Interrupt(long.api, third, ending)) is None
    for at in (NOW - DAY, NOW, MAX_TIMESTAMP):
        documents = [world.collection(long.api, name).all(at) for world in (later, at_once)]
        assert documents[0] == documents[1]


def test_a_world_that_begins_before_its_history_is_over_draws_it_at_once(long):
    opening = WorldOptions(0, NOW - DAY, 0, NOW)
    world = World({long.api: long.fixture}, opening)
    assert outlines(long, world) == []
    state = InitialState(long.fixture, 0, NOW, eager=True).state()
    assert world.next_change() == state.next_change(NOW - DAY)


def test_the_past_is_drawn_once_for_all_worlds_and_says_how_far_it_is():
    fixture = fixture_of(TALE)
    begun = initial_state(fixture, 0, NOW)
    told = list(begun.generate())
    assert told == list(range(200, 1001, 200))
    assert begun.run_count == 1000
    assert list(begun.generate()) == []
    assert initial_state(fixture, 0, NOW) is begun


TALE = """
lifecycle: {run.status: {begins: [a], moves: {a: [b]}}}
scenarios:
  tale:
    steps:
      - run: {status: a}
      - after: 1s
        run: {status: b}
history: [{task: task, runs: 1000, for: 10d}]
"""


def test_runs_of_a_long_history_are_spread_over_its_span():
    state = initial_state(fixture_of(TALE), 3, NOW).state()
    begins = [record.created_at for record in state.collection("runs")]
    slot = 10 * DAY // 1000
    assert [(at - NOW + 10 * DAY) // slot for at in begins] == list(range(1000))
