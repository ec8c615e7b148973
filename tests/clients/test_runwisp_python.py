"""RunWisp has no Python client: what httpx sees of its streams over a real socket."""

import json
import threading
import time
from contextlib import contextmanager
from hashlib import sha256

import httpx
import pytest

from support.server import running_server

pytestmark = pytest.mark.slow

LONGEST = 20  # seconds of the wall that anything here may take


@pytest.fixture(scope="module")
def server():
    with running_server("--api", "runwisp", "--seed", "7") as server:
        yield server


@pytest.fixture
def client(server, request):
    """A client of a world of its own, whose clock stands still."""
    wanted = {"name": request.node.name, "own_port": True, "speed": 0}
    wanted |= {"now": "2026-01-01T00:00:00Z"}
    made = httpx.post(f"{server.url}/_soundstage/worlds", json=wanted)
    base_url = made.raise_for_status().json()["url"]
    with httpx.Client(base_url=base_url, timeout=LONGEST) as client:
        yield client


def advance(client, by):
    client.post("/_soundstage/clock/advance", json={"by": by}).raise_for_status()


@contextmanager
def heard(client, path="/api/runs/stream", **headers):
    """The events of a stream as they come; it is left at the end."""
    with httpx.stream(
        "GET", client.base_url.join(path), headers=headers, timeout=LONGEST
    ) as response:
        assert response.headers["content-type"] == "text/event-stream"
        yield events_of(response)


def events_of(response):
    fields = {}
    for line in response.iter_lines():
        if line:
            name, value = line.split(": ", 1)
            fields[name] = value
        elif fields:
            yield fields["event"], json.loads(fields["data"]), fields.get("id")
            fields = {}


def log_in(client):
    nonce = client.get("/api/auth/challenge").json()["nonce"]
    response = sha256(f"runwisp:{nonce}".encode()).hexdigest()
    answer = client.post("/api/auth", json={"nonce": nonce, "response": response})
    return answer.json()["token"]


def test_a_login_gives_a_token_and_a_cookie_that_are_good(client):
    token = log_in(client)
    assert client.cookies["runwisp_jwt"] == token
    assert client.get("/api/auth/status").json()["authenticated"]
    headers = {"authorization": f"Bearer {token}"}
    assert client.get("/api/tasks", headers=headers).status_code == 200


def test_a_stream_tells_what_happens_while_it_is_open(client):
    with heard(client) as events:
        assert next(events)[0] == "ping"
        run = client.post("/api/tasks/backup/run").json()
        name, data, _ = next(events)
        assert (name, data["run"]["id"]) == ("run.created", run["id"])
        advance(client, "1s")
        started = {data["run"]["id"]: name for name, data, _ in take(events, 2)}
        assert started[run["id"]] == "run.started"


def take(events, count):
    return [next(events) for _ in range(count)]


def test_a_stream_that_broke_off_is_taken_up(client):
    with heard(client) as events:
        _, _, last = next(events)
    run = client.post("/api/tasks/backup/run").json()
    advance(client, "5m")
    with heard(client, **{"Last-Event-ID": last}) as events:
        own = (name for name, data, _ in events if data.get("run", run)["id"] == run["id"])
        assert take(own, 3) == ["ping", "run.created", "run.started"]


def test_a_clock_that_stands_still_pauses_a_stream(client):
    with heard(client) as events:
        assert next(events)[0] == "ping"
        waited = threading.Event()
        reader = threading.Thread(target=lambda: (next(events), waited.set()))
        reader.start()
        assert not waited.wait(0.5)
        advance(client, "30s")
        assert waited.wait(LONGEST)
        reader.join(LONGEST)


def test_a_log_is_followed_to_its_end(client):
    plan = "/_soundstage/scenarios/runwisp/success/plan"
    client.post(plan, json={"task": "backup"}).raise_for_status()
    run = client.post("/api/tasks/backup/run").json()
    path = f"/api/tasks/backup/runs/{run['id']}/log"
    advance(client, "1s")
    with heard(client, f"{path}/stream") as events:
        told = [next(events)]
        advance(client, "5m")
        told += events
    lines = [data for name, data, _ in told if name == "line"]
    assert lines == client.get(path).json()["lines"]
    assert told[-1][:2] == ("done", {"final_line": len(lines) - 1, "status": "ended"})


def test_a_client_that_goes_while_it_waits_leaves_the_run_alone(client):
    plan = "/_soundstage/scenarios/runwisp/long_running/plan"
    client.post(plan, json={"task": "backup"}).raise_for_status()
    with pytest.raises(httpx.ReadTimeout):
        client.post("/api/tasks/backup/run?wait=true", timeout=0.5)
    (run, *_) = client.get("/api/tasks/backup/runs").json()["runs"]
    assert run["status"] == "pending"


def test_a_stream_ends_when_the_server_stops():
    told = []

    def listen(client):
        with heard(client) as events:
            told.extend(name for name, _, _ in events)

    with running_server("--api", "runwisp", "--speed", "0") as server:
        client = httpx.Client(base_url=server.url)
        reader = threading.Thread(target=listen, args=(client,))
        reader.start()
        began = time.monotonic()
        while not told and time.monotonic() - began < LONGEST:
            time.sleep(0.05)
    reader.join(LONGEST)
    assert not reader.is_alive()
    assert told == ["ping"]
