"""The control API: worlds, clock, runs, records, scenarios, the log."""

from pathlib import Path

import httpx
import pytest

from soundstage.server.control import control_service
from soundstage.server.hosts import Worlds
from soundstage.world.world import WorldOptions
from support.client import in_process_client

KEYS = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
RUN = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
CONTROL = "/_soundstage"
TOO_MANY = {"api": "algolia-ingestion", "scenario": "too_many_errors"}


@pytest.fixture
def control(services, world, judges):
    """A client of its own worlds, whose exchanges openapi-core validates too."""
    with in_process_client(services, world, judges) as client:
        yield client


def start(client, world="", **body):
    response = client.post(f"{world}{CONTROL}/runs", json={**TOO_MANY, **body})
    assert response.status_code == 201, response.text
    return response.json()


def advance(client, world="", **body):
    response = client.post(f"{world}{CONTROL}/clock/advance", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def detail(response: httpx.Response, status: int) -> str:
    assert response.status_code == status, response.text
    return response.json()["detail"]


# Worlds


def test_a_world_is_made_on_first_use_and_listed(control):
    control.get(f"/1/runs/{RUN}", headers={**KEYS, "Soundstage-World": "one"})
    control.get(f"/~two/1/runs/{RUN}", headers=KEYS)
    listed = control.get(f"{CONTROL}/worlds").json()["worlds"]
    assert [world["name"] for world in listed] == ["default", "one", "two"]
    assert listed[2]["url"].endswith("/~two")


def test_worlds_never_see_each_other(control):
    run = start(control, "/~one")
    advance(control, "/~one", by="10m")
    seen = [
        control.get(f"/~{world}/1/runs/{run['id']}", headers=KEYS).status_code
        for world in ("one", "two", "default")
    ]
    nows = {
        world: control.get(f"/~{world}{CONTROL}/clock").json()["now"] for world in ("one", "two")
    }
    assert seen == [200, 404, 404]
    assert nows == {"one": "2026-01-01T00:10:00.000Z", "two": "2026-01-01T00:00:00.000Z"}


def test_a_world_is_created_with_the_requested_options(control):
    wanted = {"name": "late", "now": "2030-01-01T00:00:00Z", "speed": 0, "seed": 5}
    made = control.post(f"{CONTROL}/worlds", json=wanted)
    assert made.status_code == 201
    assert made.json()["origin"] == made.json()["now"] == "2030-01-01T00:00:00.000Z"
    assert control.get(f"/~late{CONTROL}/health").json()["seed"] == 5
    assert control.get(f"{CONTROL}/worlds/late").json() == made.json()


def test_a_reset_brings_a_world_back_to_how_it_was_made(control):
    before = control.get(f"/~w{CONTROL}/log").json()
    run = start(control, "/~w")
    advance(control, "/~w", by="1h")
    control.post(f"{CONTROL}/worlds/w/reset")
    assert control.get(f"/~w{CONTROL}/log").json() == before
    assert control.get(f"/~w/1/runs/{run['id']}", headers=KEYS).status_code == 404
    assert start(control, "/~w")["id"] == run["id"]


def test_a_world_that_was_deleted_is_made_anew(control):
    run = start(control, "/~w")
    assert control.delete(f"{CONTROL}/worlds/w").status_code == 204
    assert control.get(f"{CONTROL}/worlds/w").status_code == 404
    assert control.get(f"/~w/1/runs/{run['id']}", headers=KEYS).status_code == 404


WORLD_REFUSALS = [
    ("POST", "/worlds", {"name": "default"}, 409, "there is a world 'default' already"),
    ("POST", "/worlds", {"name": "../x"}, 400, "body.name"),
    ("POST", "/worlds", {"name": "p", "own_port": True}, 409, "cannot open ports"),
    ("POST", "/worlds", {"name": "n", "now": "soon"}, 400, "body.now"),
    ("DELETE", "/worlds/default", None, 409, "the default world cannot be deleted"),
    ("DELETE", "/worlds/nobody", None, 404, "there is no world 'nobody'"),
    ("POST", "/worlds/nobody/reset", None, 404, "there is no world 'nobody'"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "message"), WORLD_REFUSALS)
def test_an_invalid_request_about_a_world_is_a_problem(
    control, method, path, body, status, message
):
    response = control.request(method, CONTROL + path, json=body)
    assert message in detail(response, status)


ESCAPES = ["..", "%2e%2e", "a%2Fb", "", "a b", "x" * 65, "-a", ".a", "a\x7f", "%00"]


@pytest.mark.parametrize("name", ESCAPES)
def test_a_path_leads_into_no_world_by_a_name_that_is_none(control, name):
    target = f"/~{name}{CONTROL}/health".encode()
    response = control.get("/", extensions={"target": target})
    assert response.status_code == 400
    assert len(control.get(f"{CONTROL}/worlds").json()["worlds"]) == 1


@pytest.mark.parametrize("name", ["../default", "a/b", "a b", "", "é", "x" * 65])
def test_a_header_leads_into_no_world_by_a_name_that_is_none(control, name):
    headers = {"Soundstage-World": name.encode()}
    response = control.get(f"{CONTROL}/health", headers=headers)
    assert response.status_code == 400
    assert "set-cookie" not in response.headers


# The clock


def test_the_clock_is_turned_frozen_and_let_go(control):
    assert advance(control, by="90s")["now"] == "2026-01-01T00:01:30.000Z"
    assert advance(control, to="2026-01-02T00:00:00+01:00")["now"][:13] == "2026-01-01T23"
    assert control.patch(f"{CONTROL}/clock", json={"speed": 60}).json()["speed"] == 60
    assert control.get(f"{CONTROL}/clock").json()["speed"] == 60


def test_the_clock_goes_to_the_next_change(control):
    run = start(control, scenario="clean_reindex")
    upcoming = control.get(f"{CONTROL}/clock").json()["next"]
    assert advance(control, to="next")["now"] == upcoming > run["at"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"to": "2020-01-01T00:00:00Z"}, "0 or more"),
        ({"to": "tomorrow"}, "body.to"),
        ({"by": "10000000d"}, "0001 to 9999"),
        ({"by": "soon"}, "body.by"),
        ({"by": "1s", "to": "next"}, "body"),
        ({}, "body"),
    ],
)
def test_an_invalid_advance_of_the_clock_is_rejected(control, body, message):
    response = control.post(f"{CONTROL}/clock/advance", json=body)
    status = 400 if message.startswith("body") else 409
    assert message in detail(response, status)


# Runs


def test_a_run_is_started_with_names_and_fields(control):
    run = start(
        control,
        scenario="push",
        task="products",
        **{"with": {"records": 3}, "fields": {"failureThreshold": 99}},
    )
    assert run["record"]["failureThreshold"] == 99
    advance(control, by="1h")
    ended = control.get(f"{CONTROL}/runs/algolia-ingestion/{run['id']}").json()
    assert ended["over"]
    assert ended["record"]["failureThreshold"] == 99


def test_a_run_is_ended_once(control):
    run = start(control)
    place = f"{CONTROL}/runs/algolia-ingestion/{run['id']}"
    first = control.post(f"{place}/end", json={"ending": "cancelled"}).json()
    advance(control, by="1h")
    again = control.post(f"{place}/end", json={"ending": "cancelled"}).json()
    assert first["over"]
    assert first["record"]["reasonCode"] == "cancelled"
    assert again == first


def test_runs_are_listed_newest_first(control):
    started = [start(control)["id"] for _ in range(3)]
    listed = control.get(f"{CONTROL}/runs/algolia-ingestion?limit=3").json()
    assert [run["id"] for run in listed["runs"]] == started[::-1]
    assert listed["total"] > 50


RUN_REFUSALS = [
    ({"api": "runwisp", "scenario": "success", "task": "nobody"}, 404, "there is no task 'nobody'"),
    ({"with": {"batches": "many"}}, 409, "a count is a whole number"),
    ({"fields": {"status": "finished"}}, 409, "run.status begins as 'finished'"),
    ({"fields": {"outcome": "maybe"}}, 409, "breaks the contract"),
    ({"fields": {"bogus": 1}}, 409, "breaks the contract"),
]


@pytest.mark.parametrize(("body", "status", "message"), RUN_REFUSALS)
def test_an_invalid_run_is_not_started(control, body, status, message):
    before = control.get(f"{CONTROL}/log").json()
    wanted = {**TOO_MANY, "scenario": "clean_reindex", **body}
    response = control.post(f"{CONTROL}/runs", json=wanted)
    assert message in detail(response, status)
    assert control.get(f"{CONTROL}/log").json() == before


# Records


def test_a_record_is_put_patched_read_and_deleted(control):
    dataset = "11111111-1111-4111-8111-111111111111"
    place = f"{CONTROL}/records/trieve/datasets/{dataset}"
    organization = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"
    keys = {"Authorization": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3", "TR-Dataset": dataset}
    events = {"url": "/api/dataset/events", "headers": keys, "json": {}}
    assert control.post(**events).status_code == 404
    records = control.get(f"{CONTROL}/records/trieve/datasets").json()["records"]
    given = {**records[0], "organization_id": organization}
    assert control.put(place, json=given).json() == {**given, "id": dataset}
    assert control.post(**events).status_code == 200
    control.patch(place, json={"name": "another"})
    assert control.get(place).json()["name"] == "another"
    response = control.patch(place, json={"organization_id": dataset})
    assert "organization_id is the parent of this dataset" in detail(response, 409)
    assert control.delete(place).status_code == 204
    assert control.get(place).status_code == 404
    assert control.post(**events).status_code == 404


def test_a_patch_is_kept_by_what_is_still_to_come(control):
    run = start(control)
    place = f"{CONTROL}/records/algolia-ingestion/runs/{run['id']}"
    control.patch(place, json={"failureThreshold": 77})
    advance(control, by="1h")
    record = control.get(place).json()
    assert (record["status"], record["failureThreshold"]) == ("finished", 77)


def test_records_of_a_collection_are_listed_newest_first(control):
    run = start(control)
    advance(control, by="1m")
    page = control.get(f"{CONTROL}/records/algolia-ingestion/runs?limit=1").json()
    assert page["records"][0]["runID"] == run["id"]
    assert page["total"] > 1


RECORD_REFUSALS = [
    ("PATCH", "runs/nobody", {}, 404, "there is no record in runs 'nobody'"),
    ("DELETE", "runs/nobody", None, 404, "there is no record in runs 'nobody'"),
    ("GET", "runs/nobody", None, 404, "runs has no 'nobody'"),
    ("GET", "walks/x", None, 404, "there is no collection 'walks'; there are: runs"),
    ("PATCH", f"runs/{RUN}", {"status": "created"}, 409, "that state is final"),
    ("PATCH", f"runs/{RUN}", {"outcome": 5}, 409, "breaks the contract"),
    ("PUT", "events/e", {"type": "fetch"}, 409, "breaks the contract"),
    ("PUT", "events/e", [], 400, "body"),
]


@pytest.mark.parametrize(("method", "place", "body", "status", "message"), RECORD_REFUSALS)
def test_an_invalid_record_is_rejected(control, method, place, body, status, message):
    url = f"{CONTROL}/records/algolia-ingestion/{place}"
    assert message in detail(control.request(method, url, json=body), status)


# Scenarios

SLOW = """
about: Takes its time.
steps:
  - run: {status: pending}
  - after: 3h
    run: {status: ended, end_reason: success, end_at: $at}
"""


@pytest.mark.parametrize("media_type", ["application/yaml", "application/json"])
def test_a_scenario_is_added_while_the_server_runs(control, media_type):
    node = (
        SLOW
        if "yaml" in media_type
        else '{"about": "Takes its time.", "steps": [{"run": {"status": "pending"}}]}'
    )
    headers = {"Content-Type": media_type}
    added = control.put(f"{CONTROL}/scenarios/runwisp/slow", content=node, headers=headers)
    assert added.json() == {"name": "slow", "about": "Takes its time.", "weight": 1}
    run = start(control, api="runwisp", scenario="slow")
    assert run["record"]["status"] == "pending"
    names = control.get(f"{CONTROL}/scenarios/runwisp").json()["scenarios"]
    assert "slow" in {scenario["name"] for scenario in names}
    wanted = {"api": "runwisp", "scenario": "slow"}
    other = control.post(f"/~other{CONTROL}/runs", json=wanted)
    assert other.status_code == 404


BAD_SCENARIOS = [
    ("steps: [{run: {status: running}}]", "run.status begins as 'running'"),
    ("steps: [{walk: {}}]", "there is no kind 'walk'"),
    ("steps: [{run: {status: pending, exit_code: $x}}]", "$x is not defined"),
    ("steps: []", "/scenarios/slow/steps"),
    ("steps: [{run: {status: pending, exit_code: none}}]", "breaks the contract"),
    ("[", "is not YAML"),
]


@pytest.mark.parametrize(("text", "message"), BAD_SCENARIOS)
def test_a_scenario_is_validated_like_those_of_a_fixture(control, text, message):
    headers = {"Content-Type": "application/yaml"}
    url = f"{CONTROL}/scenarios/runwisp/slow"
    response = control.put(url, content=text, headers=headers)
    assert message in detail(response, 409)


# The log


def test_an_imported_world_returns_the_same_bytes_on_another_server(services, control):
    """Every GET of its journal, and the runs of every API."""
    runs = [
        control.post(f"/~here{CONTROL}/runs", json={"api": api}).json()["id"] for api in services
    ]
    advance(control, "/~here", by="90s")
    place = f"/~here{CONTROL}/runs/algolia-ingestion/{runs[0]}"
    control.post(f"{place}/end", json={"ending": "cancelled"})
    control.patch(
        f"/~here{CONTROL}/records/algolia-ingestion/runs/{runs[0]}", json={"reason": "why"}
    )
    control.put(
        f"/~here{CONTROL}/scenarios/runwisp/slow",
        content=SLOW,
        headers={"Content-Type": "application/yaml"},
    )
    control.post(f"/~here{CONTROL}/runs", json={"api": "runwisp", "scenario": "slow"})
    advance(control, "/~here", to="next")
    exported = control.get(f"/~here{CONTROL}/log").json()
    targets = [
        (f"/1/runs/{runs[0]}", KEYS),
        (f"/1/runs/{runs[0]}/events?itemsPerPage=100", KEYS),
        (f"/1/runs/{RUN}/events?order=asc&sort=status", KEYS),
        ("/api/tasks/example/runs?limit=1000", {}),
        ("/api/v1/runs/run_1234/events", {"Authorization": "tr_dev_1234"}),
    ]
    here = [control.get(f"/~here{path}", headers=keys) for path, keys in targets]
    elsewhere = Worlds(services, WorldOptions(seed=99, start_at=0, speed=0)).default.world
    journal = control.get(f"/~here{CONTROL}/journal?status=200").json()["entries"]
    with in_process_client(services, elsewhere) as other:
        there = f"/~there{CONTROL}/log"
        assert other.put(there, json=exported).status_code == 200
        copies = [other.get(f"/~there{path}", headers=keys) for path, keys in targets]
        assert other.get(there).json() == exported
    assert [response.status_code for response in here] == [200] * len(targets)
    assert [entry["path"] for entry in journal] == [f"/~here{path}" for path, _ in targets]
    assert [copy.content for copy in copies] == [response.content for response in here]


@pytest.mark.parametrize(
    "entry",
    [
        {"at": 0, "command": "jump"},
        {"at": 0, "command": "start"},
        {"at": 0, "command": "start", "api": "nobody"},
        {"at": 0, "command": "advance", "span": "x"},
        {"at": -(10**12), "command": "advance", "span": 1},
    ],
)
def test_a_log_that_cannot_be_replayed_changes_nothing(control, entry):
    before = control.get(f"{CONTROL}/log").json()
    wanted = {**before, "log": [entry]}
    response = control.put(f"{CONTROL}/log", json=wanted)
    assert "cannot be replayed" in detail(response, 409)
    assert control.get(f"{CONTROL}/log").json() == before


@pytest.mark.parametrize("field", ["origin", "began", "now"])
def test_a_log_of_another_version_is_rejected(control, field):
    before = control.get(f"{CONTROL}/log").json()
    response = control.put(f"{CONTROL}/log", json={**before, field: 2**62})
    assert f"body.{field}" in detail(response, 400)
    assert control.get(f"{CONTROL}/log").json() == before


def test_the_next_runs_are_planned(control):
    url = "/_soundstage/scenarios/runwisp"
    plan = {"task": "backup", "times": 2}
    planned = [{"scenario": "crashed", "task": "backup", "times": 2}]
    response = control.post(f"{url}/crashed/plan", json=plan)
    assert response.json() == {"planned": planned}
    assert control.get(url).json()["planned"] == planned
    started = [
        control.post("/_soundstage/runs", json={"api": "runwisp", "task": task}).json()
        for task in ("backup", "example", "backup", "backup")
    ]
    crashed = [run["scenario"] == "crashed" for run in started]
    assert crashed == [True, False, True, False]
    assert control.post(f"{url}/crashed/plan").json()["planned"][0]["task"] is None


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("runwisp/lorem", {}, 404),
        ("lorem/crashed", {}, 404),
        ("runwisp/crashed", {"task": "lorem"}, 404),
        ("runwisp/crashed", {"times": 0}, 400),
    ],
)
def test_a_plan_for_an_unknown_name_is_rejected(control, path, body, status):
    response = control.post(f"/_soundstage/scenarios/{path}/plan", json=body)
    assert response.status_code == status


# A whole world


def test_every_operation_of_the_control_api_is_called_by_a_test(services):
    here = (  # faults, journal and coverage have tests of their own
        "test_control.py",
        "test_faults.py",
        "test_journal.py",
        "test_har.py",
        "test_verification.py",
        "../apis/table/soundstage.py",
    )
    text = "".join((Path(__file__).parent / name).read_text() for name in here)
    worlds = Worlds(services, WorldOptions(start_at=0))
    for operation in control_service(worlds).contract.operations.values():
        head = operation.path.split("{")[0].rstrip("/")
        assert head in text, operation.id
