"""Faults: which apply, when, and what is sent."""

import itertools
import json
import socket
import ssl
import time

import httpx
import pytest

from soundstage.pytest_plugin.transport import InProcessTransport
from soundstage.server.background import BackgroundServer
from soundstage.server.faults import FAULT_KINDS, create_fault
from soundstage.world.random import SeededRandom
from support.server import next_line, running_server

pytestmark = pytest.mark.slow

RUN_ID = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
KEYS = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
TRIGGER = {"Authorization": "Bearer tr_dev_1234"}
TRIEVE = {
    "Authorization": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3",
    "TR-Dataset": "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3",
}
RUN = f"/1/runs/{RUN_ID}"
EVENTS = f"{RUN}/events"
REQUESTS = {
    "algolia-ingestion": ("GET", EVENTS, KEYS, None),
    "trigger-dev": ("GET", "/api/v1/runs/run_1234/events", TRIGGER, None),
    "runwisp": ("GET", "/api/tasks/example/runs", {}, None),
    "trieve": ("POST", "/api/dataset/events", TRIEVE, {}),
}

names = (f"world-{n}" for n in itertools.count())


@pytest.fixture(scope="module")
def uvloop():
    """A process, on uvloop where there is one."""
    with running_server("--speed", "0", "--now", "2026-01-01T00:00:00Z") as server:
        yield server


@pytest.fixture(scope="module")
def asyncio_loop():
    """A thread of this process, on asyncio's own loop."""
    server = BackgroundServer()
    yield server
    server.stop()


@pytest.fixture
def world(uvloop):
    """A client of a new world."""
    with connected(base_url=f"{uvloop.url}/~{next(names)}", timeout=5) as client:
        yield client


def connected(**options):
    """A client; without the certificates of all the world it is made in no time."""
    return httpx.Client(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **options)


def add(client, kind, /, **rule):
    options = rule.pop("options", {})
    body = {"kind": kind, "options": options, **rule}
    response = client.post("/_soundstage/faults", json=body)
    assert response.status_code == 201, response.text
    return response.json()["id"]


def ask(client, api="algolia-ingestion", **more):
    method, path, headers, body = REQUESTS[api]
    return client.request(method, path, headers=headers, json=body, **more)


def faults(client):
    return client.get("/_soundstage/faults").json()["faults"]


# Faults that replace the handler's response.

UNAVAILABLE = {
    "algolia-ingestion": {"message": "Service Unavailable"},
    "trigger-dev": {"error": "Service Unavailable"},
    "runwisp": {"title": "Service Unavailable", "status": 503, "detail": "Service Unavailable"},
    "trieve": {"message": "Service Unavailable"},
}


@pytest.mark.parametrize("api", REQUESTS)
def test_a_status_has_the_apis_own_body(world, api):
    add(world, "status", options={"status": 503})
    response = ask(world, api)
    assert response.status_code == 503
    assert response.json() == UNAVAILABLE[api]
    problem = "problem+" if api == "runwisp" else ""
    assert response.headers["content-type"] == f"application/{problem}json"
    assert response.headers["soundstage-fault"] == "status-1"


@pytest.mark.parametrize(
    ("api", "options", "text"),
    [
        ("algolia-ingestion", {"status": 403}, "Invalid Application-Id or API-Key"),
        ("trigger-dev", {"status": 401}, "Invalid or Missing API key"),
        ("trigger-dev", {"status": 404}, "Run not found"),
        ("runwisp", {"status": 401}, "token is unauthorized"),
        ("trieve", {"status": 403}, "Forbidden"),
        ("trieve", {"status": 500, "message": "no luck"}, '{"message":"no luck"}'),
        ("trieve", {"status": 520}, '{"message":"Injected Fault"}'),
        ("trieve", {"status": 418, "body": ["tea"]}, '["tea"]'),
    ],
)
def test_a_status_has_the_apis_error_body_or_a_given_one(world, api, options, text):
    add(world, "status", options=options)
    response = ask(world, api)
    assert response.status_code == options["status"]
    assert text in response.text


def test_a_status_has_the_headers_you_ask_for(world):
    headers = {"Retry-After": "5", "X-Reason": "maintenance"}
    add(world, "status", options={"status": 503, "headers": headers})
    response = ask(world)
    assert response.headers["retry-after"] == "5"
    assert response.headers["x-reason"] == "maintenance"


def test_a_status_may_have_a_body_that_is_no_json(world):
    body = "<h1>Bad Gateway</h1>"
    options = {"status": 502, "body": body, "media_type": "text/html"}
    add(world, "status", options=options)
    response = ask(world)
    assert response.text == body
    assert response.headers["content-type"] == "text/html; charset=utf-8"


@pytest.mark.parametrize("api", REQUESTS)
def test_a_rate_limit_has_the_vendors_headers(world, api):
    add(world, "rate_limit", options={"retry_after": 7})
    response = ask(world, api)
    assert response.status_code == 429
    if api == "trigger-dev":
        assert response.headers["x-ratelimit-remaining"] == "0"
        reset = int(response.headers["x-ratelimit-reset"]) / 1000
        assert reset - time.time() == pytest.approx(7, abs=2)
    else:
        assert response.headers["retry-after"] == "7"


# How the response is sent.


@pytest.mark.parametrize("options", [{"ms": 120}, {"least": 120, "most": 130}])
def test_latency_lets_the_client_wait(world, options):
    whole = ask(world).content
    add(world, "latency", options=options)
    started = time.monotonic()
    response = ask(world)
    assert time.monotonic() - started >= 0.12
    assert response.content == whole


def test_latency_has_the_requested_distribution():
    fault = create_fault("latency", {"median": 50, "p99": 400})
    delays = sorted(fault.sample_delay_ms(SeededRandom(0, i)) for i in range(4000))
    assert delays[2000] == pytest.approx(50, rel=0.1)
    assert delays[3960] == pytest.approx(400, rel=0.25)


@pytest.fixture(params=["uvloop", "asyncio_loop"])
def any_world(request):
    """A new world on a server of either kind."""
    server = request.getfixturevalue(request.param)
    url = server.url if request.param == "uvloop" else server._http_server.url
    with connected(base_url=f"{url}/~{next(names)}", timeout=0.3) as client:
        ask(client, timeout=20)  # its past is drawn at the first request
        yield client


@pytest.mark.parametrize(
    ("kind", "error", "text"),
    [
        ("timeout", httpx.ReadTimeout, "timed out"),
        ("reset", httpx.ReadError, "reset by peer"),
        ("truncate", httpx.RemoteProtocolError, "without sending complete"),
    ],
)
def test_a_connection_breaks_and_the_next_one_does_not(any_world, kind, error, text):
    add(any_world, kind, times=1)
    with pytest.raises(error, match=text):
        ask(any_world)
    assert ask(any_world).status_code == 200


def test_a_reset_sends_a_tcp_reset(uvloop):
    name = next(names)
    with connected(base_url=f"{uvloop.url}/~{name}") as client:
        add(client, "reset")
    with socket.create_connection(("127.0.0.1", uvloop.port)) as raw:
        raw.sendall(f"GET /~{name}/api/tasks/x/runs HTTP/1.1\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            raw.recv(1)


@pytest.mark.parametrize("share", [0, 0.5, 0.99])
def test_truncate_sends_the_whole_content_length_and_a_part_of_the_body(world, share):
    whole = ask(world).content
    add(world, "truncate", options={"share": share})
    got = []
    method, path, headers, _ = REQUESTS["algolia-ingestion"]
    with world.stream(method, path, headers=headers) as response:
        assert response.headers["content-length"] == str(len(whole))
        with pytest.raises(httpx.RemoteProtocolError):
            got.extend(response.iter_raw())
    assert b"".join(got) == whole[: int(len(whole) * share)]


def test_slow_sends_the_headers_at_once_and_the_body_in_pieces(world):
    whole = ask(world).content
    add(world, "slow", options={"ms": 300, "pieces": 3})
    started, times, got = time.monotonic(), [], b""
    with world.stream("GET", EVENTS, headers=KEYS) as response:
        times.append(time.monotonic() - started)
        for chunk in response.iter_raw():
            times.append(time.monotonic() - started)
            got += chunk
    assert times[0] < 0.1
    assert len(times) == 4
    assert times[-1] >= 0.3
    assert got == whole


@pytest.mark.parametrize("form", FAULT_KINDS["malformed"].OPTIONS["form"]["enum"])
def test_a_malformed_body_has_the_media_type_json(world, form):
    add(world, "malformed", options={"form": form})
    response = ask(world)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    with pytest.raises(json.JSONDecodeError):
        response.json()


def test_a_client_that_still_waits_does_not_keep_the_server_from_stopping():
    server = BackgroundServer()
    with connected(base_url=server._http_server.url) as client:
        add(client, "timeout")
        with socket.create_connection(("127.0.0.1", client.base_url.port)) as raw:
            raw.sendall(b"GET /api/tasks/x/runs HTTP/1.1\r\n\r\n")
            while not faults(client)[0]["hits"]:
                pass
            started = time.monotonic()
            server.stop()
            assert time.monotonic() - started < 2
            assert raw.recv(1) == b""


@pytest.mark.parametrize(
    ("kind", "options", "error"),
    [
        ("timeout", {}, httpx.ReadTimeout),
        ("reset", {}, httpx.ReadError),
        ("truncate", {}, httpx.ReadError),
        ("latency", {"ms": 5000}, httpx.ReadTimeout),
    ],
)
def test_in_process_a_broken_connection_is_the_same_error(asyncio_loop, kind, options, error):
    transport = InProcessTransport(asyncio_loop)
    url = f"http://127.0.0.1/~{next(names)}"
    with httpx.Client(transport=transport, base_url=url, timeout=0.1) as client:
        add(client, kind, options=options)
        with pytest.raises(error):
            ask(client)


# Faults that change a valid response.

DRIFTS = [
    ("/pagination/nbItems", "missing", ("pagination", "nbItems"), KeyError),
    ("/pagination/page", "wrong_type", ("pagination", "page"), "not a number: 1"),
    ("/pagination/page", "null", ("pagination", "page"), None),
    ("/events/0/type", "unknown_enum", ("events", 0, "type"), "soundstage_unknown"),
    ("/events/*/eventID", "missing", ("events", 3, "eventID"), KeyError),
    ("/events/*/more", "extra", ("events", 9, "more"), "a field that the contract"),
    ("/events", "wrong_type", ("events",), {}),
    ("/window", "wrong_type", ("window",), []),
    ("/events/*", "missing", ("events",), []),
]


def found(value, steps):
    for step in steps:
        value = value[step]
    return value


@pytest.mark.parametrize(("field", "change", "steps", "expected"), DRIFTS)
def test_drift_changes_one_field(world, field, change, steps, expected):
    before = ask(world).json()
    add(world, "drift", options={"field": field, "change": change}, times=1)
    drifted = ask(world).json()
    if expected is KeyError:
        with pytest.raises(KeyError):
            found(drifted, steps)
    elif isinstance(expected, str):
        assert found(drifted, steps).startswith(expected)
    else:
        assert found(drifted, steps) == expected
    assert ask(world).json() == before, "the world itself has not changed"


def test_drift_does_not_change_a_response_without_the_field(world):
    before = ask(world).json()
    add(world, "drift", options={"field": "/events/99/type", "change": "missing"})
    assert ask(world).json() == before


def test_a_stale_read_is_the_world_as_it_was(world):
    start = {"api": "algolia-ingestion", "scenario": "clean_reindex"}
    run_id = world.post("/_soundstage/runs", json=start).json()["id"]

    def events():
        response = world.get(f"/1/runs/{run_id}/events", headers=KEYS)
        return response.json()["pagination"]["nbItems"] if response.is_success else None

    fresh = [events(), 0]
    while fresh[-1] <= fresh[-2] or len(fresh) < 4:
        world.post("/_soundstage/clock/advance", json={"by": "10s"})
        fresh.append(events())
    fault = add(world, "stale", options={"lag": "10s"}, operation="listEvents")
    assert events() == fresh[-2] < fresh[-1]
    world.delete(f"/_soundstage/faults/{fault}")
    add(world, "stale", options={"lag": "1h"})
    assert events() is None, "the run itself was not there an hour ago"


# Which requests a rule applies to.


def struck(client, count, **ask_more):
    return ["soundstage-fault" in ask(client, **ask_more).headers for _ in range(count)]


def test_a_rule_without_a_count_always_applies(world):
    add(world, "status", options={"status": 500})
    assert struck(world, 5) == [True] * 5


def test_a_rule_applies_the_requested_number_of_times(world):
    add(world, "status", options={"status": 500}, times=2)
    assert struck(world, 4) == [True, True, False, False]
    assert (faults(world)[0]["hits"], faults(world)[0]["seen"]) == (2, 4)


def test_a_probability_is_decided_by_the_seed(uvloop):
    seen = []
    for seed in (1, 1, 2):
        name = next(names)
        with connected(base_url=uvloop.url) as client:
            new = {"name": name, "seed": seed, "speed": 0}
            client.post("/_soundstage/worlds", json=new).raise_for_status()
        with connected(base_url=f"{uvloop.url}/~{name}") as client:
            add(client, "status", options={"status": 500}, probability=0.3)
            seen.append(struck(client, 60))
    assert seen[0] == seen[1] != seen[2]
    assert 8 <= sum(seen[0]) <= 30


@pytest.mark.parametrize(("probability", "hits"), [(0, 0), (1, 5)])
def test_never_and_always_are_shares_too(world, probability, hits):
    add(world, "status", options={"status": 500}, probability=probability)
    assert sum(struck(world, 5)) == hits


@pytest.mark.parametrize(
    ("rule", "api", "query", "strikes"),
    [
        ({"api": "algolia-ingestion"}, "algolia-ingestion", {}, True),
        ({"api": "runwisp"}, "algolia-ingestion", {}, False),
        ({"operation": "listEvents"}, "algolia-ingestion", {}, True),
        ({"operation": "getRun"}, "algolia-ingestion", {}, False),
        ({"match": {"runID": RUN_ID}}, "algolia-ingestion", {}, True),
        ({"match": {"runID": "other"}}, "algolia-ingestion", {}, False),
        ({"match": {"page": 1}}, "algolia-ingestion", {}, True),
        ({"match": {"page": 2}}, "algolia-ingestion", {"page": 2}, True),
        ({"match": {"type": "record"}}, "algolia-ingestion", {"type": "record"}, True),
        ({"match": {"type": "log"}}, "algolia-ingestion", {"type": "record"}, False),
        ({"match": {"taskName": "example"}}, "runwisp", {}, True),
        ({"match": {"/page_size": 3}}, "trieve", {}, False),
        ({"match": {"TR-Dataset": TRIEVE["TR-Dataset"]}}, "trieve", {}, True),
    ],
)
def test_a_rule_applies_to_the_requests_that_it_names(world, rule, api, query, strikes):
    add(world, "status", options={"status": 500}, **rule)
    assert struck(world, 1, api=api, params=query) == [strikes]


def test_a_rule_looks_into_the_body(world):
    add(world, "status", options={"status": 500}, match={"/event_types/0": "x"})
    add(world, "status", options={"status": 502}, match={"/page_size": 3})
    body = {"page_size": 3, "event_types": ["crawl_started"]}
    response = world.post("/api/dataset/events", headers=TRIEVE, json=body)
    assert response.status_code == 502


def test_the_first_rule_that_applies_wins(world):
    add(world, "status", options={"status": 500}, times=1)
    add(world, "status", options={"status": 502}, times=1)
    assert [ask(world).status_code for _ in range(3)] == [500, 502, 200]


def test_a_fault_applies_to_valid_requests_only(world):
    add(world, "status", options={"status": 500})
    assert world.get(EVENTS).status_code == 403
    assert world.get(f"{EVENTS}?page=0", headers=KEYS).status_code == 400
    assert world.get("/nowhere").status_code == 404
    assert world.get("/_soundstage/health").status_code == 200
    assert faults(world)[0]["seen"] == 0


def test_a_world_has_its_own_faults(uvloop, world):
    add(world, "status", options={"status": 500})
    with connected(base_url=f"{uvloop.url}/~{next(names)}") as other:
        assert ask(other).status_code == 200
        assert faults(other) == []


# How they come and go.


def test_faults_are_listed_with_their_kinds(world):
    add(world, "latency", options={"ms": 1}, operation="getRun", times=3)
    listed = world.get("/_soundstage/faults").json()
    assert listed["faults"] == [
        {
            "id": "latency-1",
            "kind": "latency",
            "options": {"ms": 1},
            "match": {},
            "operation": "getRun",
            "times": 3,
            "seen": 0,
            "hits": 0,
        }
    ]
    assert [kind["name"] for kind in listed["kinds"]] == list(FAULT_KINDS)


def test_one_fault_goes_or_all_of_them(world):
    ids = [add(world, "status", options={"status": 500 + i}) for i in range(3)]
    assert world.delete(f"/_soundstage/faults/{ids[0]}").status_code == 204
    assert [fault["id"] for fault in faults(world)] == ids[1:]
    assert ask(world).status_code == 501
    assert world.delete("/_soundstage/faults").status_code == 204
    assert ask(world).status_code == 200


def test_an_unknown_rule_cannot_be_removed(world):
    add(world, "timeout")
    response = world.delete("/_soundstage/faults/timeout-9")
    assert response.status_code == 404
    assert "known: timeout-1" in response.json()["detail"]


def test_a_reset_of_the_world_takes_its_faults_away(world):
    add(world, "status", options={"status": 500})
    name = world.get("/_soundstage/health").json()["world"]
    world.post(f"/_soundstage/worlds/{name}/reset").raise_for_status()
    assert ask(world).status_code == 200
    assert add(world, "status", options={"status": 500}) == "status-1"


@pytest.mark.parametrize(
    ("rule", "detail"),
    [
        ({"kind": "nope"}, "known: status, rate_limit, latency"),
        ({"kind": "status"}, '"status" is a required property'),
        ({"kind": "status", "options": {"status": 200}}, "options.status: 200 is less"),
        ({"kind": "reset", "options": {"hard": 1}}, "The options of reset: none"),
        ({"kind": "latency", "options": {"ms": 1, "p99": 2}}, "(median, p99)"),
        ({"kind": "latency", "options": {}}, "The options of latency: ms, least"),
        ({"kind": "drift", "options": {"field": "x", "change": "null"}}, "does not"),
        ({"kind": "stale", "options": {"lag": "soon"}}, "options.lag"),
        (
            {"kind": "status", "options": {"status": 500, "headers": {"A": "b\nc"}}},
            "options.headers.A",
        ),
        (
            {"kind": "status", "options": {"status": 500, "headers": {"Connection": "x"}}},
            "options.headers",
        ),
        ({"kind": "reset", "api": "nope"}, "known: algolia-ingestion, runwisp"),
        ({"kind": "reset", "operation": "nope"}, "known: "),
        ({"kind": "reset", "operation": "getRun", "match": {"page": 1}}, "known: runID"),
        ({"kind": "reset", "times": 1, "probability": 0.5}, "not both"),
        ({"kind": "reset", "times": 0}, "times"),
        ({"kind": "reset", "probability": 2}, "probability"),
        ({"kind": "reset", "sometimes": True}, "sometimes"),
    ],
)
def test_an_invalid_rule_is_rejected_with_the_valid_choices(world, rule, detail):
    response = world.post("/_soundstage/faults", json=rule)
    assert response.status_code in {400, 404, 409}
    assert detail in response.json()["detail"]
    assert faults(world) == []


def test_the_access_line_names_the_fault(uvloop, world):
    add(world, "reset", times=1)
    with pytest.raises(httpx.ReadError):
        ask(world, "runwisp")
    ask(world, "runwisp")
    mine = []
    while len(mine) < 3:
        line = json.loads(next_line(uvloop.output))
        if str(world.base_url.path) in line["path"] + "/":
            mine.append(line)
    assert [line["fault"] for line in mine] == [None, "reset", None]
