"""``soundstage serve``, as a user runs it."""

import json
import socket
import subprocess
import time

import httpx
import pytest

from support.server import SOUNDSTAGE, next_line, run_process, running_server

pytestmark = pytest.mark.slow

FROZEN = ("--now", "2026-01-01T00:00:00Z", "--speed", "0", "--seed", "7")

KEYS = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
TRIGGER_KEY = {"Authorization": "Bearer tr_dev_1234"}
TRIEVE_KEYS = {
    "Authorization": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3",
    "TR-Dataset": "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3",
}
RUN = "/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f"

REQUESTS = [
    ("GET", RUN, KEYS, None),
    ("GET", f"{RUN}/events?itemsPerPage=100", KEYS, None),
    ("GET", "/api/v1/runs/run_1234/events", TRIGGER_KEY, None),
    ("GET", "/api/tasks/example/runs?limit=1000", {}, None),
    ("POST", "/api/dataset/events", TRIEVE_KEYS, {"page_size": 500}),
    ("POST", "/_soundstage/runs", {}, {"api": "runwisp"}),
    ("POST", "/_soundstage/runs", {}, {"api": "algolia-ingestion"}),
    ("GET", "/api/tasks/example/runs?limit=1", {}, None),
    ("GET", f"{RUN}/events?itemsPerPage=0", KEYS, None),
    ("GET", "/nowhere", {}, None),
]


def fetch_responses(url: str) -> list[tuple[int, list, bytes]]:
    with httpx.Client(base_url=url) as client:
        got = [client.request(m, path, headers=h, json=body) for m, path, h, body in REQUESTS]
    host = url.partition("://")[2].encode()
    return [
        (r.status_code, sorted(r.headers.items()), r.content.replace(host, b"HOST")) for r in got
    ]


def test_two_servers_started_apart_return_the_same_bytes():
    with running_server(*FROZEN) as one:
        first = fetch_responses(one.url)
    with running_server(*FROZEN) as other:
        second = fetch_responses(other.url)
    assert [a[0] for a in first] == [200] * 5 + [201, 201, 200, 400, 404]
    assert second == [
        (status, [(k, v) for k, v in headers], body) for status, headers, body in first
    ]


def test_another_seed_is_another_world():
    with running_server(*FROZEN) as one, running_server(*FROZEN[:-1], "8") as other:
        assert fetch_responses(one.url)[0] != fetch_responses(other.url)[0]


def test_a_run_started_now_moves_while_the_clock_goes_on():
    statuses, events, fetched = [], [], []
    with running_server("--speed", "20") as server, httpx.Client(base_url=server.url) as client:
        client.get(RUN, headers=KEYS)  # history is generated on first access
        start = {"api": "algolia-ingestion", "scenario": "clean_reindex"}
        run_id = client.post("/_soundstage/runs", json=start).json()["id"]
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and statuses[-1:] != ["finished"]:
            page = client.get(f"/1/runs/{run_id}/events?itemsPerPage=100", headers=KEYS).json()
            run = client.get(f"/1/runs/{run_id}", headers=KEYS).json()
            statuses.append(run["status"])
            events.append(page["pagination"]["nbItems"])
            fetched.append(run.get("progress", {}).get("receivedNbOfEvents", 0))
            time.sleep(0.01)
    assert list(dict.fromkeys(statuses)) == ["created", "started", "finished"]
    assert events == sorted(events)
    assert fetched == sorted(fetched)
    done = [e for e in page["events"] if e["type"] == "record"]
    assert fetched[-1] == len(done) > 0


def test_the_first_screen_names_every_api_its_keys_and_a_line_to_paste():
    process = subprocess.Popen(
        [*SOUNDSTAGE, "serve", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        lines = [process.stdout.readline() for _ in range(19)]
        pasted = [line.strip() for line in lines if line.startswith("  curl ")]
        bodies = [
            subprocess.run(line, shell=True, capture_output=True, check=True).stdout
            for line in pasted
        ]
    finally:
        process.terminate()
        process.communicate(timeout=10)
    screen = "".join(lines)
    assert "ALGOLIA_API_KEY" in screen
    assert "tr_dev_1234" in screen
    assert len(bodies) == 4
    assert all(json.loads(body) for body in bodies)
    assert all(len(line) < 250 for line in lines)


def test_a_line_is_printed_for_every_exchange():
    with running_server(*FROZEN) as server:
        httpx.get(f"{server.url}{RUN}?bogus=1", headers=KEYS)
        line = json.loads(next_line(server.output))
    assert line["api"] == "algolia-ingestion"
    assert line["operation"] == "getRun"
    assert line["status"] == 400
    assert line["violations"][0]["name"] == "bogus"
    assert line["at"] == "2026-01-01T00:00:00.000Z"


def test_only_the_chosen_apis_are_served():
    with running_server("--api", "trieve", *FROZEN) as server:
        assert list(server.greeting["apis"]) == ["trieve"]
        assert httpx.get(f"{server.url}{RUN}", headers=KEYS).status_code == 404


def test_a_long_history_is_there_from_the_start_and_shows_no_bar_in_a_file(capfd):
    path = "/1/runs?startDate=2025-11-01T00%3A00%3A00Z"
    with running_server(*FROZEN, "--api", "algolia-ingestion", "--history", "2000") as server:
        page = httpx.get(f"{server.url}{path}", headers=KEYS).json()
    assert page["pagination"]["nbItems"] > 1500
    assert capfd.readouterr().err == ""


def test_a_fixture_of_ones_own_takes_the_place_of_the_vendored_one(tmp_path):
    own = tmp_path / "mine.yaml"
    own.write_text(
        "api: runwisp\n"
        "tasks: {deploy: {task_name: deploy}}\n"
        "defaults: {run: {task_name: $task_name, exit_code: 0, triggered_by: api,"
        " created_at: $at, retry_attempt: 0, replica_index: 0}}\n"
        "scenarios: {slow: {steps: [{run: {status: pending}}]}}\n"
        "history: [{task: deploy, ago: 5m}]\n"
    )
    with running_server("--api", "runwisp", "--fixture", str(own)) as server:
        body = httpx.get(f"{server.url}/api/tasks/deploy/runs").json()
    assert body["total"] == 1
    assert body["runs"][0]["status"] == "pending"


BAD_STARTS = [
    (["--api", "nope"], "there is no API 'nope'; there are: algolia-ingestion"),
    (["--speed", "-1"], "a clock's speed is a number from 0 to 1000000, not -1.0"),
    (["--speed", "nan"], "not nan"),
    (["--now", "yesterday"], "'yesterday' is not a date and time of RFC 3339"),
    (["--port", "70000"], "cannot listen on 127.0.0.1:70000"),
    (["--host", "no.such.host.invalid"], "cannot listen on no.such.host.invalid:4010"),
    (["--fixture", "/nowhere.yaml"], "/nowhere.yaml: cannot be read: No such file"),
    (["--seed", "x"], "invalid int value: 'x'"),
    (["--history", "-1"], "--history takes a number of 0 or more, not -1"),
]


@pytest.mark.parametrize(("options", "message"), BAD_STARTS, ids=lambda v: str(v)[:40])
def test_a_start_that_cannot_be_is_one_message_and_exit_code_2(options, message):
    done = run_process("serve", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_port_in_use_ends_with_a_hint():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run_process("serve", "--port", str(port))
    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use" in done.stderr
    assert "--port 0" in done.stderr


def test_a_broken_fixture_stops_the_start_with_its_line(tmp_path):
    broken = tmp_path / "broken.yaml"
    broken.write_text("api: trieve\nscenarios:\n  odd:\n    steps:\n      - jump: {}\n")
    done = run_process("serve", "--fixture", str(broken))
    assert done.returncode == 2
    assert f"{broken}:5" in done.stderr
    assert "there is no kind 'jump'" in done.stderr


def test_it_keeps_serving_when_its_output_is_closed():
    command = [*SOUNDSTAGE, "serve", "--port", "0", "--json", "--api", "runwisp"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        url = json.loads(next_line(process.stdout))["url"]
        process.stdout.close()
        with httpx.Client(base_url=url) as client:
            assert all(client.get("/api/info").is_success for _ in range(3))
        process.terminate()
        errors = process.stderr.read()
        process.wait(10)
    finally:
        process.kill()
        process.stderr.close()
        process.wait(10)
    assert errors == ""
