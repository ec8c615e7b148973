"""Properties of the vendored fixtures in every world."""

from collections import Counter

import pytest
from api_worlds import ENDS

from soundstage.world.clock import DAY, HOUR, MAX_TIMESTAMP, MINUTE, parse_rfc3339
from soundstage.world.scenario import ANY_TASK
from soundstage.world.world import World, WorldOptions
from support.strategies import NOW

SEEDS = range(25)
APIS = list(ENDS)


@pytest.fixture(scope="session", params=SEEDS)
def default_world(request, services):
    fixtures = {name: service.fixture for name, service in services.items()}
    return World(fixtures, WorldOptions(request.param, NOW, speed=0))


def runs_of(world, api):
    return world.state(api).runs.values()


def children(world, api, collection, parent):
    return world.collection(api, collection).children(parent, NOW)


# What the vendors' documentation asks for


def test_the_documented_algolia_run_shows_all_there_is_to_an_event(default_world):
    run_id = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
    run = default_world.collection("algolia-ingestion", "runs").get(run_id, NOW)
    events = children(default_world, "algolia-ingestion", "events", run_id)
    assert NOW - parse_rfc3339(run["createdAt"]) < 3 * HOUR
    assert run["status"] == "finished"
    assert len(events) >= 25
    assert {e["type"] for e in events} == {"fetch", "record", "log", "transform"}
    assert len({e["status"] for e in events}) >= 4


def test_the_events_of_the_documented_algolia_run_lie_within_three_hours(default_world):
    run_id = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
    events = children(default_world, "algolia-ingestion", "events", run_id)
    ages = [NOW - parse_rfc3339(event["publishedAt"]) for event in events]
    assert all(0 <= age < 3 * HOUR for age in ages)


def test_the_documented_trigger_run_was_retried(default_world):
    run = default_world.collection("trigger-dev", "runs").get("run_1234", NOW)
    spans = children(default_world, "trigger-dev", "spans", "run_1234")
    attempts = [s for s in spans if s["message"].startswith("Attempt ")]
    assert run["environment"] == "dev"
    assert len(spans) >= 12
    assert [s["isError"] for s in attempts] == [True, False]
    assert not any(span["isPartial"] for span in spans)


def test_the_example_task_has_many_runs_that_ended_in_many_ways(default_world):
    runs = children(default_world, "runwisp", "runs", "example")
    reasons = Counter(run.get("end_reason") for run in runs)
    assert len(runs) >= 120
    assert reasons.keys() == {
        None,
        *"success failed timeout stopped crashed skipped log_overflow".split(),
    }
    assert {run["triggered_by"] for run in runs} == {"cron", "api", "cloud"}
    assert {run["retry_attempt"] for run in runs} == {0, 1, 2}


def test_the_default_dataset_has_events_of_many_types(default_world):
    dataset = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"
    events = children(default_world, "trieve", "events", dataset)
    assert len(events) >= 40
    assert len({event["event_type"] for event in events}) >= 8


# Something moves in every API


@pytest.mark.parametrize("api", APIS)
def test_something_is_under_way_at_the_start_and_for_a_while(default_world, api):
    for now in (NOW, NOW + 10 * MINUTE):
        statuses = [run.records[0].as_of(now) for run in runs_of(default_world, api)]
        assert any(s and s["status"] not in ENDS[api] for s in statuses)


@pytest.mark.parametrize(
    ("api", "least"),
    [("algolia-ingestion", 10), ("runwisp", 1), ("trieve", 5), ("trigger-dev", 5)],
)
def test_something_new_happens_within_the_first_half_hour(default_world, api, least):
    times = {
        time
        for run in runs_of(default_world, api)
        for record in run.records
        for time in record.timestamps
        if NOW < time <= NOW + 30 * MINUTE
    }
    assert len(times) >= least


# The past


@pytest.mark.parametrize("api", APIS)
def test_the_history_is_a_week_and_every_day_of_it(default_world, api):
    ages = [NOW - run.started_at for run in runs_of(default_world, api)]
    assert {age // DAY for age in ages if age >= 0} >= set(range(7))
    assert max(ages) == 7 * DAY


@pytest.mark.parametrize("api", APIS)
def test_every_task_has_a_history(default_world, api):
    runs = runs_of(default_world, api)
    tasks = default_world.fixtures[api].definitions.tasks
    assert {run.task for run in runs} == set(tasks) - {ANY_TASK}


@pytest.mark.parametrize("api", APIS)
def test_runs_have_ended_in_every_way(default_world, api):
    ends = {run.records[0].as_of(MAX_TIMESTAMP)["status"] for run in runs_of(default_world, api)}
    cancelled = {"cancelled", "CANCELED", "SYSTEM_FAILURE"}
    assert ends == ENDS[api] - cancelled


@pytest.mark.parametrize("api", APIS)
def test_every_identifier_is_unique(default_world, api):
    for collection in default_world.state(api).collections.values():
        ids = Counter(record.id for record in collection)
        assert max(ids.values(), default=1) == 1


def test_what_happens_at_an_api_does_not_depend_on_the_others(services):
    fixtures = {name: service.fixture for name, service in services.items()}
    alone = World({"trieve": fixtures["trieve"]}, WorldOptions(3, NOW, speed=0))
    among = World(fixtures, WorldOptions(3, NOW, speed=0))
    same = alone.state("trieve").runs == among.state("trieve").runs
    assert same
