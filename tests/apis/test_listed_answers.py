"""Every value that a contract lists for an answer can be there, and a client read it.

Records are put into every state that the contract knows, and read. What is left out
stands in tests/coverage.yaml, with the reason.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from table import algolia_ingestion, runwisp, trieve, trigger_dev
from test_listed_values import lawful, with_value
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
class Shown:
    """Where the records of a collection that have these fields are answered.

    ``at`` is the way to them in the answer; ``path``, if it is not the good request's,
    has ``{}`` for a record's identifier. ``maker`` is an operation that makes more.
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
    """A kind of record that is read and listed."""
    own, maker = {"owner": "ALGOLIA_APPLICATION_ID"}, f"create{name}"
    path = f"{algolia_ingestion.AT}{tail}/{{}}"
    return [
        Shown("algolia-ingestion", f"get{name}", collection, own, path=path,
              maker=maker),
        Shown("algolia-ingestion", listing, collection, own, f".{collection}[]",
              query="?itemsPerPage=100", maker=maker),
    ]  # fmt: skip


RUN = {"runID": algolia_ingestion.RUN}
BOTH = ({}, trigger_dev.SDK)  # the names of some statuses are of a version of the API
DELAYED, PARENT, ROOT, CHILD = "run_5678", "run_1235", "run_1236", "run_1234"


def related(operation, path):
    """A run, and those that an answer has with it."""
    relatives = {"parent": PARENT, "root": ROOT, "children[]": CHILD}
    return [
        Shown("trigger-dev", operation, "runs", {"id": DELAYED}, "", path,
              headers=BOTH),
        *(
            Shown("trigger-dev", operation, "runs", {"id": run}, f".relatedRuns.{name}",
                  path, headers=BOTH)
            for name, run in relatives.items()
        ),
    ]  # fmt: skip


SHOWN = [
    Shown("algolia-ingestion", "getRun", "runs", RUN),
    Shown("algolia-ingestion", "listRuns", "runs", RUN, ".runs[]",
          query=f"?taskID={algolia_ingestion.RUN}"),
    Shown("algolia-ingestion", "getEvent", "events", RUN,
          path=f"{algolia_ingestion.AT}/1/runs/{algolia_ingestion.RUN}/events/{{}}"),
    Shown("algolia-ingestion", "listEvents", "events", RUN, ".events[]",
          query="?itemsPerPage=100"),
    *algolia("Authentication", "/1/authentications", "authentications",
             "listAuthentications"),
    *algolia("Source", "/1/sources", "sources", "listSources"),
    *algolia("Destination", "/1/destinations", "destinations", "listDestinations"),
    *algolia("Task", "/2/tasks", "tasks", "listTasks"),
    Shown("runwisp", "getRun", "runs", {"id": runwisp.ENDED}),
    Shown("runwisp", "getTaskRuns", "runs", {"id": runwisp.ENDED}, ".runs[]",
          query="?limit=1000"),
    Shown("runwisp", "getAllRuns", "runs", {"id": runwisp.ENDED}, ".runs[]",
          query="?limit=1000"),
    Shown("trieve", "get_crawl_requests_for_dataset", "crawls",
          {"dataset_id": trieve.DATASET}, "[]", query="?limit=100",
          maker="create_crawl"),
    *related("retrieve_run_v1", f"{trigger_dev.API}/v3/runs/{DELAYED}"),
    *related("reschedule_run_v1", None),
    Shown("trigger-dev", "list_runs_v1", "runs", {"id": DELAYED}, ".data[]",
          query="?page[size]=100", headers=BOTH),
    Shown("trigger-dev", "get_run_events_v1", "spans", {"runId": "run_1234"},
          ".events[]"),
    Shown("trigger-dev", "get_run_trace_v1", "spans",
          {"runId": "run_1234", "parentId": None}, ".trace.rootSpan.data"),
]  # fmt: skip

OPERATIONS = dict.fromkeys((shown.api, shown.operation) for shown in SHOWN)


@pytest.fixture
def lawless(services):
    """A world in which a record may be in any state, whatever it was in before."""
    fixtures = {
        name: replace(
            s.fixture, definitions=replace(s.fixture.definitions, lifecycles={})
        )
        for name, s in services.items()
    }
    return World(fixtures, WorldOptions(seed=7, start_at=NOW, speed=0))


@pytest.fixture
def visitor(services, lawless, judges):
    with in_process_client(services, lawless, judges) as client:
        yield client


@pytest.mark.parametrize("name", OPERATIONS, ids=":".join)
def test_every_value_that_is_listed_for_a_record_can_be_answered(
    visitor, lawless, operations, name
):
    shown = [one for one in SHOWN if (one.api, one.operation) == name]
    make_more(visitor, lawless, shown[0])
    before = [records(lawless, one) for one in shown]
    listed = listed_in(operations, *name)
    for value in listed.values:
        ways = [i for i, one in enumerate(shown) if is_within(value.path, one.at)]
        if not ways or is_excused(*name, value):
            continue
        nearest = max(ways, key=lambda i: len(shown[i].at))
        answers = told(visitor, lawless, shown[nearest], before[nearest], value)
        assert any(value in listed.find_in(answer) for answer in answers), value


def make_more(client, world, shown):
    """Records of every shape, and relatives of a run."""
    for request in lawful((shown.api, shown.maker)) if shown.maker else ():
        assert send(client, request).status_code < 500
    relatives = {"parentRunId": PARENT, "rootRunId": ROOT, "children": [CHILD]}
    world.apply(Patch("trigger-dev", "runs", DELAYED, relatives))


def records(world, shown):
    """Those that can be shown, as they are, by their identifiers."""
    collection = world.collection(shown.api, shown.collection)
    return {
        document[collection.record_type.id_field]: document
        for document in collection.all(world.now())
        if shown.having.items() <= document.items()
    }


def told(client, world, shown, documents, value):
    """What is answered of each of these records that this value fits into."""
    steps = value.path.removeprefix(shown.at)
    good = GOOD[shown.api, shown.operation]
    for record_id, document in documents.items():
        changed = with_value(document, steps, value.value)
        try:
            world.apply(Put(shown.api, shown.collection, record_id, changed))
        except FixtureError:
            continue  # it would break the contract
        path = shown.path and shown.path.replace("{}", record_id)
        for headers in shown.headers:
            request = good.changed(path=path, query=shown.query, headers=headers)
            yield send(client, request).json()


def content_of(operations, api, name, status="200"):
    """What an answer is made of; its schema has the lists."""
    (content,) = operations[api, name][1].responses[status].values()
    return content


def listed_in(operations, api, name, status="200"):
    return content_of(operations, api, name, status).schema.enums


def is_within(at, place):
    return at.startswith(place) and at[len(place) : len(place) + 1] in {"", ".", "["}


def is_excused(api, name, value, status="200"):
    item = CoverageItem(RETURNED_VALUE, f"answer.{status}{value.path}", value.text)
    return any(one.matches(api, name, item) for one in EXCEPTIONS)


# What is made by the request itself, in a way that a scenario has it


@pytest.fixture
def world(services):
    """A world whose clock goes ten times as fast: no cron is due in the meantime."""
    fixtures = {name: service.fixture for name, service in services.items()}
    return World(fixtures, WorldOptions(seed=7, start_at=NOW, speed=10))


@pytest.fixture
def caller(services, world, judges):
    with in_process_client(services, world, judges) as client:
        yield client


@pytest.mark.parametrize("name", ["push", "pushTask"])
def test_a_push_that_fails_tells_every_kind_of_event(caller, world, operations, name):
    listed = listed_in(operations, "algolia-ingestion", name)
    events = [
        with_value(
            {"type": "record"}, value.path.removeprefix(".events[]"), value.value
        )
        for value in listed.values
    ]
    begun = {"run": {"status": "created", "type": "push"}}
    ended = {"status": "finished", "outcome": "failure", "reasonCode": "critical"}
    plan(world, "algolia-ingestion", "push_that_fails",
         begun, {"event": [literally(event) for event in events]},
         {"after": "100ms", "run": {**ended, "finishedAt": "$at"},
          "event/pushed": {"type": "record"}})  # fmt: skip
    request = GOOD["algolia-ingestion", name].changed(query="?watch=true")
    assert set(listed.find_in(send(caller, request).json())) == set(listed.values)


def literally(event):
    """The event as a fixture says it: there, null takes a field away."""
    return {k: {"literal": None} if v is None else v for k, v in event.items()}


def plan(world, api, name, *steps):
    """Let the next run be these steps."""
    draw = {"scrape_id": {"id": "uuid"}}
    world.apply(Define(api, name, {"draw": draw, "steps": list(steps)}))
    world.apply(Plan(api, name))


def test_a_run_that_was_triggered_is_told_however_it_ends(caller, world, operations):
    listed = listed_in(operations, "runwisp", "triggerRun", "201")
    path = f"{runwisp.API}/tasks/backup/run"
    ends = [v.value for v in listed.values if v.path == ".end_reason"]
    states = [{"status": "ended", "end_reason": reason} for reason in ends]
    seen = set()
    for i, state in enumerate([*states, {"status": "running"}, {"status": "pending"}]):
        begun, later = {"run": {"status": "pending"}}, {"after": "100ms", "run": state}
        plan(world, "runwisp", f"story_{i}", begun, later)
        request = GOOD["runwisp", "triggerRun"].changed(
            path=path, query="?wait=true&wait_timeout=1"
        )
        seen |= set(listed.find_in(send(caller, request).json()))
    missing = set(listed.values) - seen
    assert all(is_excused("runwisp", "triggerRun", v, "201") for v in missing), missing


@pytest.mark.parametrize("status", ["Completed", "Failed"])
def test_a_crawl_that_was_over_at_once_is_told_so(caller, world, status):
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
def test_a_crawl_is_told_as_it_was_changed(caller, options):
    change = {"crawl_id": trieve.CRAWL, "crawl_options": options}
    request = GOOD["trieve", "update_crawl_request"].changed(**trieve.body(change))
    crawl = send(caller, request).json()
    assert options.items() <= crawl["crawl_options"].items()
    kind = options.get("scrape_options", {}).get("type", "firecrawl")
    assert crawl["crawl_type"] == kind


# What a fixture says of tasks, and what a stream tells of runs


def test_a_task_is_told_with_every_policy_that_it_can_have(
    services, judges, operations
):
    listed = listed_in(operations, "runwisp", "getTasks")
    fixture = services["runwisp"].fixture
    tasks = {
        f"task-{i}": with_value({}, value.path.removeprefix("[]"), value.value)
        for i, value in enumerate(listed.values)
    }
    script = replace(fixture.definitions, tasks=tasks)
    fixtures = {"runwisp": replace(fixture, definitions=script, history=(), records=())}
    world = World(fixtures, WorldOptions(seed=7, start_at=NOW, speed=0))
    with in_process_client({"runwisp": services["runwisp"]}, world, judges) as client:
        told = send(client, GOOD["runwisp", "getTasks"]).json()
    assert set(listed.find_in(told)) == set(listed.values)


def test_a_stream_tells_every_state_that_a_run_can_be_in(visitor, lawless, operations):
    content = content_of(operations, "runwisp", "streamRuns")
    run = lawless.collection("runwisp", "runs").get(runwisp.ENDED, NOW)
    listed, seen = content.schema.enums, set()
    for i, value in enumerate(listed.values):
        if value.path.startswith("[].data.run."):
            changed = with_value(
                run, value.path.removeprefix("[].data.run"), value.value
            )
            events = streamed(visitor, lawless, f"{i:026}", changed)
            seen |= set(listed.find_in(content.parse(events)))
    assert seen == set(listed.values)


def streamed(client, world, run_id, run):
    """What is heard of a run that comes to be, and is changed once more."""
    last = world.now() * 1_000
    for version in (run, {**run, "external_execution_id": "x"}):
        world.apply(Advance(1))
        world.apply(Put("runwisp", "runs", run_id, version))
    request = GOOD["runwisp", "streamRuns"].changed(
        path=f"{runwisp.API}/runs/stream", headers={"Last-Event-ID": str(last)}
    )
    return send(client, request, until=b"run.updated").content
