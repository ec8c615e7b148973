"""Recorded requests are sent again, and validated by the contract, not by bytes."""

import json
from contextlib import redirect_stdout
from io import StringIO
from itertools import pairwise

import httpx
import pytest

from soundstage.cli import main
from soundstage.server.background import BackgroundServer

RUN = "/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f"
KEYS = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
SECRETS = ("--credential", "appId=ALGOLIA_APPLICATION_ID", "--credential", "apiKey=ALGOLIA_API_KEY")


@pytest.fixture(scope="module")
def server():
    server = BackgroundServer(["algolia-ingestion"])
    yield server
    server.stop()


@pytest.fixture
def world(server):
    """A client for a new world, with its own port."""
    opening = server.worlds.options
    name = server.new_name()
    host = server.call(lambda: server.worlds.create(name, opening, own_port=True))
    with httpx.Client(base_url=f"http://127.0.0.1:{host.port}") as client:
        yield client


@pytest.fixture(scope="module")
def recorded(server, tmp_path_factory):
    """Record the exchanges of a client in another world, as HAR and as a journal."""
    folder = tmp_path_factory.mktemp("recorded")
    with httpx.Client(base_url=f"{server.url}/~recorded", headers=KEYS) as client:
        new = {"api": "algolia-ingestion", "scenario": "clean_reindex"}
        run_id = client.post("/_soundstage/runs", json=new).json()["id"]
        client.get(RUN)
        client.get(f"{RUN}/events", params={"itemsPerPage": 3, "order": "asc"})
        client.get(f"/1/runs/{run_id}")
        client.get(f"{RUN}/events", params={"itemsPerPage": 0})
        client.get("/nowhere")
        for name in ("journal.har", "journal"):
            (folder / f"{name}.json").write_text(client.get(f"/_soundstage/{name}").text)
    return folder


def run_verify(world, recorded, *options, file="journal.har.json"):
    words = ["verify", str(world.base_url), "--api", "algolia-ingestion"]
    words += ["--no-generated", "--json", "--har", str(recorded / file), *SECRETS]
    with redirect_stdout(StringIO()) as out:
        code = main([*words, *options])
    return code, json.loads(out.getvalue())


@pytest.mark.parametrize("file", ["journal.har.json", "journal.json"])
def test_a_recording_is_valid_for_an_equal_server(world, recorded, file):
    code, report = run_verify(world, recorded, file=file)
    assert code == 0
    assert report["findings"] == []
    assert report["requests"] == {"GET /1/runs/{runID}": 2, "GET /1/runs/{runID}/events": 2}


def test_a_missing_resource_is_inconclusive(world, recorded):
    _, report = run_verify(world, recorded)
    (one,) = report["not_replayable"]
    assert one["request"].startswith("GET /1/runs/")
    assert one["reason"] == "the resource does not exist on this server"
    assert report["not_sent"] == {"not of this contract": 1}


DRIFTED = [
    ("drift", {"field": "/events/*/eventID", "change": "missing"}, "required"),
    ("drift", {"field": "/events/*/type", "change": "unknown_enum"}, "enum"),
    ("drift", {"field": "/pagination/nbItems", "change": "wrong_type"}, "type"),
    ("status", {"status": 418}, "status"),
    ("status", {"status": 400}, "refused"),
]


@pytest.mark.parametrize(("kind", "options", "rule"), DRIFTED)
def test_a_drift_of_the_server_is_found(world, recorded, kind, options, rule):
    fault = {"kind": kind, "options": options, "operation": "listEvents"}
    world.post("/_soundstage/faults", json=fault)
    code, report = run_verify(world, recorded)
    assert code == 1
    assert {(f["operation"], f["rule"]) for f in report["findings"]} >= {("listEvents", rule)}
    assert {f["operation"] for f in report["findings"]} == {"listEvents"}
    assert "ALGOLIA_API_KEY" not in json.dumps(report)


def test_writing_requests_are_sent_only_if_allowed(world, tmp_path):
    path = "/1/runs"  # not asked in the recording above
    entry = {
        "request": {"method": "DELETE", "url": f"http://x{path}/1", "headers": []},
        "response": {"status": 200, "headers": [], "content": {}},
    }
    post = {
        "request": {
            "method": "POST",
            "url": "http://x/2/tasks/6c02aeb1-775e-418e-870b-1faccd4b2c0f/run",
            "headers": [{"name": "content-type", "value": "application/json"}],
            "postData": {"mimeType": "application/json", "text": "{}"},
        },
        "response": {"status": 200, "headers": [], "content": {}},
    }
    har = {"log": {"entries": [entry, post]}}
    (tmp_path / "journal.har.json").write_text(json.dumps(har))
    _, report = run_verify(world, tmp_path)
    assert report["requests"] == {}
    assert report["not_sent"] == {"not of this contract": 1, "writes; --allow-writes sends them": 1}
    _, report = run_verify(world, tmp_path, "--allow-writes")
    assert report["requests"] == {"POST /2/tasks/{taskID}/run": 1}


def test_a_rate_is_kept(world, recorded):
    before = world.get("/_soundstage/journal").json()["total"]
    run_verify(world, recorded, "--rate", "20")
    entries = world.get("/_soundstage/journal").json()["entries"][before:]
    walls = [int(e["wall"][17:19]) * 1_000 + int(e["wall"][20:23]) for e in entries]
    gaps = [(b - a) % 60_000 for a, b in pairwise(walls)]
    assert len(gaps) == 3
    assert sum(gaps) >= 3 * 45


def test_a_time_limit_leaves_the_result_incomplete(world, recorded):
    code, report = run_verify(world, recorded, "--rate", "1", "--max-time", "2")
    assert sum(report["requests"].values()) < 4
    assert not report["complete"]
    assert code == 0


WAIVERS = """waivers:
  - operation: listEvents
    status: 4XX
    rule: status
    reason: Their gateway is a teapot; ticket 12.
  - {operation: getRun, reason: nothing like this happens}
"""


def test_a_known_deviation_is_waived_and_an_unused_waiver_is_reported(world, recorded, tmp_path):
    fault = {"kind": "status", "options": {"status": 418}, "operation": "listEvents"}
    world.post("/_soundstage/faults", json=fault)
    path = tmp_path / "waivers.yaml"
    path.write_text(WAIVERS)
    code, report = run_verify(world, recorded, "--waive", str(path))
    assert [(w["operation"], w["status"]) for w in report["waived"]] == [("listEvents", 418)]
    (idle,) = report["unused_waivers"]
    assert (idle["operation"], idle["line"]) == ("getRun", 6)
    assert [f["rule"] for f in report["findings"]] == ["refused"]
    assert code == 1
