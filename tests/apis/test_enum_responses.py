"""Every enum value of a contract's responses can be returned.

Records are put into every state of the contract, and retrieved. The exemptions are in
tests/coverage.yaml, with their reasons.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from table import algolia_ingestion, runwisp, trieve, trigger_dev
from test_enum_requests import list_valid_requests, with_value
from test_operations import GOOD, send

from soundstage.tools.coverage.exceptions import load_exemptions
from soundstage.tools.coverage.items import RETURNED_VALUE, CoverageItem
from soundstage.world.commands import Advance, Define, Patch, Plan, Put
from soundstage.world.errors import FixtureError
from soundstage.world.world import World, WorldOptions
from support.client import in_process_client

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00.000Z
EXCEPTIONS = load_exemptions(Path(__file__).parents[1] / "coverage.yaml")


@dataclass(frozen=True)
class Location:
    """Where a response contains the records of a collection with these fields.

    ``at`` is their path in the response; ``path``, if it is not that of the table's
    request, has ``{}`` for a record's id. ``maker`` is an operation that creates more.
    """

    api: str
    operation: str
    collection: str
    having: dict
    at: str = ""
    path: str | None = None
    query: str = ""
    headers: tuple = ({},)
    maker: str | None = None


def algolia(name, tail, collection, listing):
    """Return the locations of a record type that is retrieved and listed."""
    own, maker = {"owner": "ALGOLIA_APPLICATION_ID"}, f"create{name}"
    path = f"{algolia_ingestion.AT}{tail}/{{}}"
    return [
        Location("algolia-ingestion", f"get{name}", collection, own, path=path,
              maker=maker),
        Location("algolia-ingestion", listing, collection, own, f".{collection}[]",
              query="?itemsPerPage=100", maker=maker),
    ]  # fmt: skip


RUN = {"runID": algolia_ingestion.RUN}
BOTH = ({}, trigger_dev.SDK)  # the names of some statuses are of a version of the API
DELAYED, PARENT, ROOT, CHILD = "run_5678", "run_1235", "run_1236", "run_1234"


def related(operation, path):
    """Return the locations of a run and of its relatives in a response."""
    relatives = {"parent": PARENT, "root": ROOT, "children[]": CHILD}
    return [
        Location("trigger-dev", operation, "runs", {"id": DELAYED}, "", path,
              headers=BOTH),
        *(
            Location("trigger-dev", operation, "runs", {"id": run},
                     f".relatedRuns.{name}", path, headers=BOTH)
            for name, run in relatives.items()
        ),
    ]  # fmt: skip


LOCATIONS = [
    Location("algolia-ingestion", "getRun", "runs", RUN),
    Location("algolia-ingestion", "listRuns", "runs", RUN, ".runs[]",
          query=f"?taskID={algolia_ingestion.RUN}"),
    Location("algolia-ingestion", "getEvent", "events", RUN,
          path=f"{algolia_ingestion.AT}/1/runs/{algolia_ingestion.RUN}/events/{{}}"),
    Location("algolia-ingestion", "listEvents", "events", RUN, ".events[]",
          query="?itemsPerPage=100"),
    *algolia("Authentication", "/1/authentications", "authentications",
             "listAuthentications"),
    *algolia("Source", "/1/sources", "sources", "listSources"),
    *algolia("Destination", "/1/destinations", "destinations", "listDestinations"),
    *algolia("Task", "/2/tasks", "tasks", "listTasks"),
    Location("runwisp", "getRun", "runs", {"id": runwisp.ENDED}),
    Location("runwisp", "getTaskRuns", "runs", {"id": runwisp.ENDED}, ".runs[]",
          query="?limit=1000"),
    Location("runwisp", "getAllRuns", "runs", {"id": runwisp.ENDED}, ".runs[]",
          query="?limit=1000"),
    Location("trieve", "get_crawl_requests_for_dataset", "crawls",
          {"dataset_id": trieve.DATASET}, "[]", query="?limit=100",
          maker="create_crawl"),
    *related("retrieve_run_v1", f"{trigger_dev.API}/v3/runs/{DELAYED}"),
    *related("reschedule_run_v1", None),
    Location("trigger-dev", "list_runs_v1", "runs", {"id": DELAYED}, ".data[]",
          query="?page[size]=100", headers=BOTH),
    Location("trigger-dev", "get_run_events_v1", "spans", {"runId": "run_1234"},
          ".events[]"),
    Location("trigger-dev", "get_run_trace_v1", "spans",
          {"runId": "run_1234", "parentId": None}, ".trace.rootSpan.data"),
]  # fmt: skip

OPERATIONS = dict.fromkeys((location.api, location.operation) for location in LOCATIONS)


@pytest.fixture
def free_world(services):
    """A world without lifecycles: a record may enter any state."""
    fixtures = {
        name: replace(s.fixture, definitions=replace(s.fixture.definitions, lifecycles={}))
        for name, s in services.items()
    }
    return World(fixtures, WorldOptions(seed=7, start_at=NOW, speed=0))


@pytest.fixture
def client(services, free_world, judges):
    with in_process_client(services, free_world, judges) as client:
        yield client


@pytest.mark.parametrize("name", OPERATIONS, ids=":".join)
def test_every_enum_value_of_a_record_can_be_returned(client, free_world, operations, name):
    locations = [one for one in LOCATIONS if (one.api, one.operation) == name]
    create_more(client, free_world, locations[0])
    before = [list_records(free_world, one) for one in locations]
    listed = find_enums(operations, *name)
    for value in listed.values:
        ways = [i for i, one in enumerate(locations) if is_within(value.path, one.at)]
        if not ways or is_exempt(*name, value):
            continue
        nearest = max(ways, key=lambda i: len(locations[i].at))
        location, originals = locations[nearest], before[nearest]
        bodies = render_variants(client, free_world, location, originals, value)
        assert any(value in listed.find_in(body) for body in bodies), value


def create_more(client, world, location):
    """Create records with every enum value of requests, and relatives of a run."""
    if location.maker:
        for request in list_valid_requests((location.api, location.maker)):
            assert send(client, request).status_code < 500
    relatives = {"parentRunId": PARENT, "rootRunId": ROOT, "children": [CHILD]}
    world.apply(Patch("trigger-dev", "runs", DELAYED, relatives))


def list_records(world, location):
    """Return the records of a location by their ids."""
    collection = world.collection(location.api, location.collection)
    return {
        document[collection.record_type.id_field]: document
        for document in collection.all(world.now())
        if location.having.items() <= document.items()
    }


def render_variants(client, world, location, documents, value):
    """Yield the response with each record that this value fits into."""
    steps = value.path.removeprefix(location.at)
    good = GOOD[location.api, location.operation]
    for record_id, document in documents.items():
        changed = with_value(document, steps, value.value)
        try:
            world.apply(Put(location.api, location.collection, record_id, changed))
        except FixtureError:
            continue  # the record would violate the contract
        path = location.path and location.path.replace("{}", record_id)
        for headers in location.headers:
            request = good.changed(path=path, query=location.query, headers=headers)
            yield send(client, request).json()


def content_of(operations, api, name, status="200"):
    """Return the content of a response, whose schema has the enums."""
    (content,) = operations[api, name][1].responses[status].values()
    return content


def find_enums(operations, api, name, status="200"):
    return content_of(operations, api, name, status).schema.enums


def is_within(at, place):
    return at.startswith(place) and at[len(place) : len(place) + 1] in {"", ".", "["}


def is_exempt(api, name, value, status="200"):
    item = CoverageItem(RETURNED_VALUE, f"answer.{status}{value.path}", value.text)
    return any(one.matches(api, name, item) for one in EXCEPTIONS)


# Records that the request itself creates, according to a scenario


@pytest.fixture
def world(services):
    """A world whose clock runs ten times as fast: no cron is due during a test."""
    fixtures = {name: service.fixture for name, service in services.items()}
    return World(fixtures, WorldOptions(seed=7, start_at=NOW, speed=10))


@pytest.fixture
def caller(services, world, judges):
    with in_process_client(services, world, judges) as client:
        yield client


@pytest.mark.parametrize("name", ["push", "pushTask"])
def test_a_failed_push_returns_every_kind_of_event(caller, world, operations, name):
    listed = find_enums(operations, "algolia-ingestion", name)
    events = [
        with_value({"type": "record"}, value.path.removeprefix(".events[]"), value.value)
        for value in listed.values
    ]
    begun = {"run": {"status": "created", "type": "push"}}
    ended = {"status": "finished", "outcome": "failure", "reasonCode": "critical"}
    plan(world, "algolia-ingestion", "push_that_fails",
         begun, {"event": [to_literals(event) for event in events]},
         {"after": "100ms", "run": {**ended, "finishedAt": "$at"},
          "event/pushed": {"type": "record"}})  # fmt: skip
    request = GOOD["algolia-ingestion", name].changed(query="?watch=true")
    assert set(listed.find_in(send(caller, request).json())) == set(listed.values)


def to_literals(event):
    """Return the event for a fixture, in which a bare null removes a field."""
    return {k: {"literal": None} if v is None else v for k, v in event.items()}


def plan(world, api, name, *steps):
    """Queue a scenario with these steps."""
    draw = {"scrape_id": {"id": "uuid"}}
    world.apply(Define(api, name, {"draw": draw, "steps": list(steps)}))
    world.apply(Plan(api, name))


def test_a_triggered_run_is_returned_with_every_end(caller, world, operations):
    listed = find_enums(operations, "runwisp", "triggerRun", "201")
    path = f"{runwisp.API}/tasks/backup/run"
    ends = [v.value for v in listed.values if v.path == ".end_reason"]
    states = [{"status": "ended", "end_reason": reason} for reason in ends]
    returned = set()
    for i, state in enumerate([*states, {"status": "running"}, {"status": "pending"}]):
        begun, later = {"run": {"status": "pending"}}, {"after": "100ms", "run": state}
        plan(world, "runwisp", f"story_{i}", begun, later)
        request = GOOD["runwisp", "triggerRun"].changed(
            path=path, query="?wait=true&wait_timeout=1"
        )
        returned |= set(listed.find_in(send(caller, request).json()))
    missing = set(listed.values) - returned
    assert all(is_exempt("runwisp", "triggerRun", v, "201") for v in missing), missing


@pytest.mark.parametrize("status", ["Completed", "Failed"])
def test_a_crawl_that_ends_at_once_is_returned_with_its_status(caller, world, status):
    for name in ("create_crawl", "update_crawl_request"):
        only = {"run": {"job": "crawl"}, "crawl/request": {"status": status}}
        plan(world, "trieve", "short", only)
        assert send(caller, GOOD["trieve", name]).json()["status"] == status


@pytest.mark.parametrize(
    "options",
    [
        {"interval": "monthly"},
        {"scrape_options": trieve.OPENAPI},
        {"scrape_options": {"type": "shopify"}},
        {"scrape_options": {"type": "youtube"}},
    ],
)
def test_an_updated_crawl_is_returned_as_updated(caller, options):
    change = {"crawl_id": trieve.CRAWL, "crawl_options": options}
    request = GOOD["trieve", "update_crawl_request"].changed(**trieve.body(change))
    crawl = send(caller, request).json()
    assert options.items() <= crawl["crawl_options"].items()
    kind = options.get("scrape_options", {}).get("type", "firecrawl")
    assert crawl["crawl_type"] == kind


# Tasks of a fixture, and the stream of runs


def test_a_task_is_returned_with_every_policy(services, judges, operations):
    listed = find_enums(operations, "runwisp", "getTasks")
    fixture = services["runwisp"].fixture
    tasks = {
        f"task-{i}": with_value({}, value.path.removeprefix("[]"), value.value)
        for i, value in enumerate(listed.values)
    }
    definitions = replace(fixture.definitions, tasks=tasks)
    fixture = replace(fixture, definitions=definitions, history=(), records=())
    fixtures = {"runwisp": fixture}
    world = World(fixtures, WorldOptions(seed=7, start_at=NOW, speed=0))
    with in_process_client({"runwisp": services["runwisp"]}, world, judges) as client:
        tasks = send(client, GOOD["runwisp", "getTasks"]).json()
    assert set(listed.find_in(tasks)) == set(listed.values)


def test_a_stream_has_every_state_of_a_run(client, free_world, operations):
    content = content_of(operations, "runwisp", "streamRuns")
    run = free_world.collection("runwisp", "runs").get(runwisp.ENDED, NOW)
    listed, returned = content.schema.enums, set()
    for i, value in enumerate(listed.values):
        if value.path.startswith("[].data.run."):
            changed = with_value(run, value.path.removeprefix("[].data.run"), value.value)
            events = stream_events(client, free_world, f"{i:026}", changed)
            returned |= set(listed.find_in(content.parse(events)))
    assert returned == set(listed.values)


def stream_events(client, world, run_id, run):
    """Return the events of a run that is created and changed once."""
    last = world.now() * 1_000
    for version in (run, {**run, "external_execution_id": "x"}):
        world.apply(Advance(1))
        world.apply(Put("runwisp", "runs", run_id, version))
    request = GOOD["runwisp", "streamRuns"].changed(
        path=f"{runwisp.API}/runs/stream", headers={"Last-Event-ID": str(last)}
    )
    return send(client, request, until=b"run.updated").content
