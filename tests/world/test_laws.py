"""The laws of every world, with any history of commands."""

from datetime import UTC, datetime
from itertools import pairwise, product

import orjson
from api_worlds import INSTANTS, times_of
from counters import COUNTERS
from hypothesis import assume, given
from hypothesis import strategies as st

from soundstage.world.clock import HOUR, MAX_TIMESTAMP, MINUTE, Clock
from soundstage.world.commands import Advance, Interrupt, Reset, Start
from soundstage.world.world import World, WorldOptions
from support.effort import examples
from support.strategies import (
    NOW,
    Arrange,
    Begin,
    Wait,
    command,
    histories,
    lives,
    perform,
    seeds,
    spans,
    wild,
)

MOMENTS = {
    "algolia-ingestion": ("createdAt", "startedAt", "finishedAt"),
    "runwisp": ("created_at", "start_at", "end_at"),
    "trieve": ("created_at", "finished_at"),
    "trigger-dev": ("createdAt", "startedAt", "finishedAt"),
}
"""When a run was made, when it started (if it is shown) and when it ended."""

few = examples(15)
many = examples(30)
numbers = st.integers(0, 40)
limits = st.lists(st.tuples(numbers, st.integers(0, 5 * MINUTE)), min_size=1, max_size=2)
begins = st.builds(Begin, numbers, numbers, st.none() | numbers, limits)


# One world is its seed, its fixtures and its log.


@few
@given(seed=seeds, history=wild)
def test_the_same_seed_and_history_make_the_same_world(api_worlds, seed, history):
    world, other = api_worlds.world(seed, history), api_worlds.world(seed, history)
    assert api_worlds.seen(world, *INSTANTS) == api_worlds.seen(other, *INSTANTS)


@few
@given(seed=seeds, history=wild)
def test_a_log_rebuilds_its_world(api_worlds, seed, history):
    world, other = api_worlds.world(seed, history), api_worlds.world(seed)
    other.replay(world.log)
    assert api_worlds.seen(other, *INSTANTS) == api_worlds.seen(world, *INSTANTS)
    assert list(other.log) == list(world.log)
    assert other.clock.now() == world.clock.now()


@few
@given(seed=seeds, history=wild)
def test_a_world_is_exported_and_imported_whole(api_worlds, seed, history):
    world = api_worlds.world(seed, history)
    written = orjson.dumps(world.to_json())
    other = World.from_json(world.fixtures, orjson.loads(written))
    assert api_worlds.seen(other, *INSTANTS) == api_worlds.seen(world, *INSTANTS)
    assert orjson.dumps(other.to_json()) == written


@few
@given(seed=seeds, other=seeds, history=histories)
def test_worlds_of_different_seeds_differ(api_worlds, seed, other, history):
    assume(seed != other)
    world, another = api_worlds.world(seed, history), api_worlds.world(other, history)
    assert api_worlds.seen(world, MAX_TIMESTAMP) != api_worlds.seen(another, MAX_TIMESTAMP)


@few
@given(seed=seeds, other=seeds, number=numbers)
def test_a_run_is_generated_from_the_seed(api_worlds, seed, other, number):
    assume(seed != other)
    worlds = [api_worlds.world(each, [Begin(0, number)]) for each in (seed, other)]
    newest = [api_worlds.runs(world)[len(api_worlds.fixture.history) :] for world in worlds]
    assert not {run.id for run in newest[0]} & {run.id for run in newest[1]}


@few
@given(seed=seeds, history=wild)
def test_two_worlds_never_see_each_other(api_worlds, seed, history):
    world, other = api_worlds.world(seed), api_worlds.world(seed)
    before = api_worlds.seen(other, *INSTANTS)
    perform(world, api_worlds.api, history)
    assert api_worlds.seen(other, *INSTANTS) == before
    assert other.clock.now() == NOW


@few
@given(seed=seeds, history=wild, again=wild)
def test_a_reset_brings_back_the_world_as_it_was_made(api_worlds, seed, history, again):
    world = api_worlds.world(seed, history)
    world.apply(Reset())
    assert api_worlds.seen(world, *INSTANTS) == api_worlds.seen(api_worlds.world(seed), *INSTANTS)
    assert (world.clock.now(), list(world.log)) == (NOW, [])
    perform(world, api_worlds.api, again)
    fresh = api_worlds.world(seed, again)
    assert api_worlds.seen(world, *INSTANTS) == api_worlds.seen(fresh, *INSTANTS)


# Only the clock decides how much has happened.


@few
@given(seed=seeds, history=wild, first=spans, second=spans)
def test_two_advances_are_one_by_both(api_worlds, seed, history, first, second):
    world, other = api_worlds.world(seed, history), api_worlds.world(seed, history)
    world.apply(Advance(first))
    world.apply(Advance(second))
    other.apply(Advance(first + second))
    now = world.clock.now()
    assert now == other.clock.now()
    assert api_worlds.seen(world, now, *INSTANTS) == api_worlds.seen(other, now, *INSTANTS)


def test_two_advances_are_one_for_the_runs_after_them_too(api_worlds):
    twice, once = [Wait(HOUR), Wait(MINUTE)], [Wait(HOUR + MINUTE)]
    worlds = [api_worlds.world(1, [*waits, Begin(0, 0)]) for waits in (twice, once)]
    assert api_worlds.seen(worlds[0], MAX_TIMESTAMP) == api_worlds.seen(worlds[1], MAX_TIMESTAMP)


@few
@given(seed=seeds, history=wild, elapsed=st.integers(0, HOUR))
def test_a_moving_world_shows_what_a_frozen_one_does(api_worlds, seed, history, elapsed):
    wall = [0]
    clock = Clock(NOW, 60, lambda: wall[0])
    moving = World({api_worlds.api: api_worlds.fixture}, WorldOptions(seed, NOW, 60), clock)
    perform(moving, api_worlds.api, history)
    wall[0] = elapsed
    frozen = api_worlds.world(seed, [*history, Wait(60 * elapsed)])
    now = moving.clock.now()
    assert now == frozen.clock.now()
    assert api_worlds.seen(moving, now) == api_worlds.seen(frozen, now)


@many
@given(seed=seeds, history=wild, later=wild, ago=spans)
def test_nothing_rewrites_the_past(api_worlds, seed, history, later, ago):
    world = api_worlds.world(seed, history)
    now = world.clock.now()
    past = (NOW - HOUR, NOW - 1, now - ago - 1, now - 1)
    before = api_worlds.seen(world, *past)
    perform(world, api_worlds.api, later)
    assert api_worlds.seen(world, *past) == before


# What a run shows of itself is true at every instant.


@many
@given(seed=seeds, history=histories)
def test_a_status_only_moves_along_its_lifecycle(api_worlds, seed, history):
    (lifecycle,) = api_worlds.definitions.lifecycles["run"]
    for run in api_worlds.runs(api_worlds.world(seed, history)):
        states = [version[lifecycle.field] for version in run.records[0].versions]
        assert states[0] in reachable(lifecycle, lifecycle.initial)
        for before, after in pairwise(states):
            assert after in reachable(lifecycle, {before})


def reachable(lifecycle, states):
    """Where these lead: what happens at one instant is one version."""
    found, ahead = set(states), list(states)
    while ahead:
        onward = lifecycle.transitions.get(ahead.pop(), frozenset()) - found
        found |= onward
        ahead += onward
    return found


@many
@given(seed=seeds, history=histories)
def test_a_run_has_finished_exactly_when_its_status_is_final(api_worlds, seed, history):
    for run in api_worlds.runs(api_worlds.world(seed, history)):
        for at, version in zip(run.records[0].timestamps, run.records[0].versions, strict=True):
            assert (MOMENTS[api_worlds.api][-1] in version) == api_worlds.ended(run, at)


@many
@given(seed=seeds, history=histories)
def test_a_run_is_made_then_started_then_finished(api_worlds, seed, history):
    for run in api_worlds.runs(api_worlds.world(seed, history)):
        own = run.records[0]
        for at, version in zip(own.timestamps, own.versions, strict=True):
            timestamps = [instant(version[f]) for f in MOMENTS[api_worlds.api] if f in version]
            assert timestamps == sorted(timestamps)
            assert timestamps[-1] <= at


def instant(text):
    """Both ways to write a moment: 2026-01-01T08:02:44.5Z, and Trieve's own."""
    if text.endswith("Z"):
        moment = datetime.fromisoformat(text)
    else:
        moment = datetime.strptime(text[:-9] + "+0000", "%Y-%m-%d %H:%M:%S.%f %z")
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000


@many
@given(seed=seeds, history=histories)
def test_counters_agree_with_the_events_behind_them(api_worlds, seed, history):
    count = COUNTERS[api_worlds.api]
    for run in api_worlds.runs(api_worlds.world(seed, history)):
        own, *others = run.records
        for at in times_of(run):
            there = [document for r in others if (document := r.as_of(at))]
            for shown, counted in count(own.as_of(at), there):
                assert shown == counted


@few
@given(seed=seeds, history=wild)
def test_every_version_satisfies_the_contract(api_worlds, seed, history):
    validate = api_worlds.fixture.check_contract
    for collection in api_worlds.collections(api_worlds.world(seed, history)).values():
        for record in collection:
            versions = filter(None, record.versions)  # a deleted one has no fields
            assert not any(validate(record.record_type, version) for version in versions)


# What is over is over.


@many
@given(seed=seeds, history=histories, number=numbers)
def test_an_ended_run_never_changes(api_worlds, seed, history, number):
    world = api_worlds.world(seed, history)
    before = api_worlds.seen(world, *INSTANTS)
    for run in api_worlds.over(world)[-number:]:
        assert times_of(run)[-1] <= world.clock.now()
        for ending in api_worlds.endings:
            assert world.apply(Interrupt(api_worlds.api, run.id, ending)) is None
    assert api_worlds.seen(world, *INSTANTS) == before


@many
@given(seed=seeds, begin=begins, spans=st.tuples(spans, spans))
def test_a_run_that_its_deadline_has_ended_never_changes(api_worlds, seed, begin, spans):
    world = api_worlds.world(seed)
    run = start(world, api_worlds, begin)
    assume(run.deadlines_hit)
    world.apply(Advance(max(run.deadlines_hit.values()) - NOW))
    assume(api_worlds.ended(run, world.clock.now()))
    before = world.state(api_worlds.api).current_run(run).records
    for span, ending in product(spans, api_worlds.endings):
        world.apply(Advance(span))
        assert world.apply(Interrupt(api_worlds.api, run.id, ending)) is None
    assert world.state(api_worlds.api).current_run(run).records == before


@many
@given(seed=seeds, begin=begins)
def test_a_deadline_ends_a_run_that_was_in_its_states_for_exactly_that_long(
    api_worlds, seed, begin
):
    run, script = (
        start(api_worlds.world(seed), api_worlds, begin),
        api_worlds.definitions,
    )
    own = run.records[0]
    for name, span in run.deadlines.items():
        ending = script.endings[name]
        there = [
            at
            for at, version in zip(own.timestamps, own.versions, strict=True)
            if script.can_end(version, ending)
        ]
        if name in run.deadlines_hit and span:
            assert run.deadlines_hit[name] - there[0] == span
            assert script.can_end(own.as_of(run.deadlines_hit[name] - 1), ending)
        elif name not in run.deadlines_hit and there:
            assert not script.can_end(own.as_of(there[0] + span), ending)


def start(world, api_worlds, begin):
    return world.apply(command(world, api_worlds.api, begin))


@many
@given(seed=seeds, history=histories, scenario=numbers, times=st.integers(1, 4))
def test_queued_scenarios_are_used_in_order_exactly_as_often_as_queued(
    api_worlds, seed, history, scenario, times
):
    world = api_worlds.world(seed, history)
    perform(world, api_worlds.api, [Arrange(scenario, None, times)])
    tale = list(api_worlds.definitions.scenarios)[scenario % len(api_worlds.definitions.scenarios)]
    assert left(world, api_worlds)[-times:] == [tale] * times
    while planned := left(world, api_worlds):
        assert world.apply(Start(api_worlds.api)).scenario == planned[0]
        # Runs that follow this one may be of what is planned, too.
        assert left(world, api_worlds) in [planned[n:] for n in range(1, len(planned) + 1)]


def left(world, api_worlds):
    """What is planned for the first task, one by one."""
    task = next(iter(api_worlds.definitions.tasks))
    plans = world.state(api_worlds.api).queued_scenarios
    mine = [plan for plan in plans if plan.task in {None, task}]
    return [plan.scenario for plan in mine for _ in range(plan.times)]


@many
@given(seed=seeds, history=histories, life=lives, number=numbers)
def test_an_interrupted_run_keeps_its_past_and_has_a_future_only_if_it_goes_on(
    api_worlds, seed, history, life, number
):
    world = api_worlds.world(seed, [*history, *life])
    runs, now = api_worlds.under_way(world), world.clock.now()
    assume(runs)
    old = runs[number % len(runs)]
    new = world.apply(Interrupt(api_worlds.api, old.id, api_worlds.ending(number)))
    ending = api_worlds.definitions.endings[api_worlds.ending(number)]
    assert (new is None) != api_worlds.definitions.can_end(old.records[0].as_of(now), ending)
    assume(new)
    assert shown(new, now - 1) == shown(old, now - 1)
    assert shown(new, now).keys() >= shown(old, now).keys()
    if api_worlds.ended(new, now):
        assert shown(new, MAX_TIMESTAMP) == shown(new, now)


def shown(run, now):
    """Return the versions of the run that are current at this time."""
    return {r.id: document for r in run.records if (document := r.as_of(now))}


@many
@given(seed=seeds, history=histories, life=lives, number=numbers)
def test_no_other_run_notices_that_one_is_interrupted(api_worlds, seed, history, life, number):
    world = api_worlds.world(seed, [*history, *life])
    runs = api_worlds.under_way(world)
    assume(runs)
    gone = {run.id for run in descendants(runs[0]) if run.started_at > world.clock.now()}
    before = {run.id: run for run in api_worlds.runs(world) if run.id not in gone}
    new = world.apply(Interrupt(api_worlds.api, runs[0].id, api_worlds.ending(number)))
    assume(new)
    started = {run.id: run for run in descendants(new) if run.id not in before}
    same = world.state(api_worlds.api).runs == {**before, new.id: new, **started}
    assert same
    own = world.collection(api_worlds.api, runs[0].records[0].record_type.collection)
    assert not any(own.get(run_id, MAX_TIMESTAMP) for run_id in gone)


def descendants(run):
    for successor in run.successors:
        yield successor
        yield from descendants(successor)


@many
@given(seed=seeds, life=lives)
def test_a_run_goes_on_with_the_task_of_the_one_that_started_it(api_worlds, seed, life):
    for run in api_worlds.runs(api_worlds.world(seed, life)):
        for successor in run.successors:
            assert successor.task == run.task
            assert successor.started_at >= times_of(run)[-1]
            assert successor.records[0].created_at == successor.started_at


# A world lists what its runs made, and nothing else.


@few
@given(seed=seeds, history=histories)
def test_a_record_is_found_alike_by_id_and_by_parent(api_worlds, seed, history):
    world = api_worlds.world(seed, history)
    for at in (world.clock.now(), MAX_TIMESTAMP):
        for collection in api_worlds.collections(world).values():
            every = collection.all(at)
            assert every == [d for r in collection if (d := collection.get(r.id, at))]
            if parent := collection.record_type.parent_field:
                for value in {document[parent] for document in every}:
                    listed = [d for d in every if d[parent] == value]
                    assert collection.children(value, at) == listed


@few
@given(seed=seeds, history=histories)
def test_a_world_holds_the_records_of_its_runs_and_no_others(api_worlds, seed, history):
    world = api_worlds.world(seed, history)
    made = [record.id for run in api_worlds.runs(world) for record in run.records]
    there = [r.id for c in api_worlds.collections(world).values() for r in c]
    assert sorted(there) == sorted([*made, *(r.id for r in api_worlds.fixture.records)])
