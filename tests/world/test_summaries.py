"""Summaries: regenerated runs are the same as stored ones."""

from dataclasses import replace

import pytest
from api_worlds import ApiWorlds
from hypothesis import given
from small import fixture_of

from soundstage.world.clock import DAY, HOUR, MAX_TIMESTAMP
from soundstage.world.commands import Delete, Interrupt, Patch
from soundstage.world.history import HistoryEntry, regenerate
from soundstage.world.initial_state import InitialState, initial_state
from soundstage.world.world import World, WorldOptions
from support.effort import examples
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
def long(api_worlds):
    """Each API with a long history."""
    return ApiWorlds(lengthened(api_worlds.fixture))


def drawn_at_once(long, seed):
    """A world like any other, of which nothing is left for later."""
    world = long.world(seed)
    state = InitialState(long.fixture, seed, NOW, eager=True).state()
    world._states[long.api] = state
    return world


def listed(long, world, at):
    """What there is, and what each run has."""
    runs = world.state(long.api).runs
    contents = {}
    for name, collection in long.collections(world).items():
        if collection.record_type.belongs_to_run:
            contents[name] = [collection.children(run, at) for run in runs]
        else:
            contents[name] = collection.all(at)
    return contents


@examples(4)
@given(seed=seeds, history=histories)
def test_a_world_is_the_same_with_an_eager_and_a_lazy_history(long, seed, history):
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


def test_finished_runs_are_stored_as_summaries(long):
    world = long.world()
    state = world.state(long.api)
    kept = outlines(long, world)
    assert len(kept) > RUNS
    for run_id in set(state.runs) - set(kept):
        run = state.runs[run_id]
        assert state.started_at(run_id) == run.started_at
    for run_id in kept:
        assert state.started_at(run_id) == state.runs[run_id].started_at


def test_a_page_of_the_events_of_a_run_regenerates_that_run(long):
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


def test_a_summarized_run_can_be_changed(long):
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


def test_a_world_that_begins_before_the_end_of_its_history_generates_it_eagerly(long):
    opening = WorldOptions(0, NOW - DAY, 0, NOW)
    world = World({long.api: long.fixture}, opening)
    assert outlines(long, world) == []
    state = InitialState(long.fixture, 0, NOW, eager=True).state()
    assert world.next_change() == state.next_change(NOW - DAY)


def test_the_history_is_generated_once_for_all_worlds_and_reports_progress():
    fixture = fixture_of(TALE)
    begun = initial_state(fixture, 0, NOW)
    progress = list(begun.generate())
    assert progress == list(range(200, 1001, 200))
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


def test_runs_of_a_long_history_are_spread_over_its_duration():
    state = initial_state(fixture_of(TALE), 3, NOW).state()
    begins = [record.created_at for record in state.collection("runs")]
    slot = 10 * DAY // 1000
    assert [(at - NOW + 10 * DAY) // slot for at in begins] == list(range(1000))
