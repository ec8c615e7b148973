"""RunWisp: lists of runs, tasks, the daemon, and log-in."""

from dataclasses import replace
from hashlib import sha256

import pytest
from runwisp_client import RunWispClient

from soundstage.world.clock import MINUTE, parse_rfc3339
from soundstage.world.commands import Advance, Delete, Start
from soundstage.world.world import World, WorldOptions
from support.client import in_process_client

URL = "/runwisp/api/tasks/example/runs"
ALL = "/runwisp/api/runs"
TOTAL = 234
REASONS = ("success", "failed", "stopped", "timeout", "crashed", "skipped")


@pytest.fixture
def ask(client):
    return lambda **query: client.get(URL, params=query).json()


@pytest.fixture
def everything(ask):
    """All runs of the task, the newest first."""
    return ask(limit=1000)["runs"]


def test_the_defaults_are_the_newest_fifty(ask, everything):
    assert ask()["runs"] == everything[:50]
    assert ask()["total"] == len(everything) == TOTAL
    created = [run["created_at"] for run in everything]
    assert created == sorted(created, reverse=True)


@pytest.mark.parametrize("limit", [1, 50, TOTAL - 1, TOTAL, TOTAL + 1])
def test_limit_and_offset_tile_the_list(ask, everything, limit):
    seen = []
    for offset in range(0, len(everything), limit):
        response = ask(limit=limit, offset=offset)
        seen += response["runs"]
        assert response["total"] == len(everything)
    assert seen == everything


def test_past_the_end_there_are_no_runs_and_the_total_is_true(ask):
    response = ask(offset=TOTAL)
    assert (response["runs"], response["total"]) == ([], TOTAL)


@pytest.mark.parametrize("word", [*REASONS, "log_overflow"])
def test_a_status_filter_matches_end_reasons(ask, everything, word):
    found = ask(status=word, limit=1000)
    assert found["runs"] == [r for r in everything if r.get("end_reason") == word]
    assert found["total"] == len(found["runs"]) > 0


@pytest.mark.parametrize("word", ["pending", "running", "ended"])
def test_a_status_filter_matches_statuses(client, word):
    everything = client.get(ALL, params={"limit": 1000}).json()["runs"]
    found = client.get(ALL, params={"limit": 1000, "status": word}).json()["runs"]
    assert found == [run for run in everything if run["status"] == word] != []


def test_an_empty_status_is_no_filter(ask):
    assert ask(status="") == ask()


@pytest.mark.parametrize(
    ("search", "matches"),
    [
        ("", True),
        ("example", True),
        ("EXAMP", True),
        ("ex%am_ple", True),
        ("%", True),
        ("éxample", False),
        ("01\u212a", False),  # the Kelvin sign; every id begins with 01K
        ("01k", True),
        ("cron", False),
        ("example" + "_" * 93 + "cut off", True),
        ("e" + "%" * 98 + "é", True),
        ("example" + " " * 93, False),
    ],
)
def test_a_search_knows_no_wildcards_and_ends_at_100_bytes(ask, search, matches):
    assert ask(search=search)["total"] == (TOTAL if matches else 0)


def test_a_search_finds_part_of_an_id_in_any_ascii_case(ask, everything):
    expected = everything[7]["id"]
    assert ask(search=expected[4:].lower())["runs"] == [everything[7]]


def duration(run):
    if "start_at" not in run or "end_at" not in run:
        return 0
    return parse_rfc3339(run["end_at"]) - parse_rfc3339(run["start_at"])


KEYS = {
    "created_at": lambda run: run["created_at"],
    "status": lambda run: run["status"],
    "exit_code": lambda run: run["exit_code"],
    "start_at": lambda run: (run.get("start_at", run["created_at"]), run["created_at"]),
    "duration": duration,
    "task_name": lambda run: run["task_name"],
}


@pytest.mark.parametrize("field", KEYS)
def test_runs_are_sorted_both_ways_and_ties_by_id(ask, everything, field):
    expected = sorted(everything, key=lambda run: (KEYS[field](run), run["id"]))
    up = ask(sort_field=field, sort_direction="asc", limit=1000)["runs"]
    assert up == expected
    for direction in ({"sort_direction": "desc"}, {"sort_direction": ""}, {}):
        down = ask(sort_field=field, limit=1000, **direction)["runs"]
        assert down == expected[::-1]


def test_runs_of_one_instant_are_ordered_by_id(services, world, judges):
    started = [world.apply(Start("runwisp", "backup")).id for _ in range(8)]
    with in_process_client(services, world, judges) as client:
        runs = client.get("/runwisp/api/tasks/backup/runs?limit=8").json()["runs"]
    assert [run["id"] for run in runs] == sorted(started, reverse=True)
    assert started != sorted(started)


def test_a_direction_without_a_field_means_nothing(ask):
    assert ask(sort_field="", sort_direction="asc") == ask(sort_direction="asc") == ask()


def test_a_response_links_to_its_schema_and_the_runs_do_not(client):
    response = client.get(URL, headers={"host": "example.test:8080"})
    assert response.json()["$schema"] == ("http://example.test:8080/schemas/RunsResponseBody.json")
    assert response.headers["Link"] == ('</schemas/RunsResponseBody.json>; rel="describedBy"')
    assert not any("$schema" in run for run in response.json()["runs"])


@pytest.mark.parametrize("host", ["", "a b", "<script>", 'x"', "x/y", "\xe9", "a@b"])
def test_an_invalid_host_is_not_repeated(client, host):
    response = client.get(URL, headers={"host": host.encode()})
    assert response.json()["$schema"].startswith("http://localhost/schemas/")


def test_a_run_under_way_has_no_end(services, world, judges):
    run = world.apply(Start("runwisp", "backup", "success"))
    with in_process_client(services, world, judges) as client:
        (pending, *_) = client.get("/runwisp/api/tasks/backup/runs").json()["runs"]
        world.clock.advance(3_600_000)
        (ended, *_) = client.get("/runwisp/api/tasks/backup/runs").json()["runs"]
    assert pending["id"] == ended["id"] == run.id
    assert pending["status"] == "pending"
    assert not {"start_at", "end_at", "end_reason"} & pending.keys()
    assert (ended["status"], ended["end_reason"]) == ("ended", "success")


@pytest.mark.parametrize(
    ("query", "errors"),
    [
        ("limit=0", [("query.limit", "expected number >= 1", 0)]),
        ("limit=1001", [("query.limit", "expected number <= 1000", 1001)]),
        ("limit=abc", [("query.limit", "invalid integer", "abc")]),
        (
            "sort_direction=up&offset=-1",
            [
                ("query.offset", "expected number >= 0", -1),
                ("query.sort_direction", 'expected value to be one of "asc, desc, "', "up"),
            ],
        ),
    ],
)
def test_errors_have_the_messages_of_the_real_server(client, query, errors):
    problem = client.get(f"{URL}?{query}").json()
    assert problem["detail"] == "validation failed"
    assert [
        (error["location"], error["message"], error["value"]) for error in problem["errors"]
    ] == errors


# Runs of all tasks


def test_all_runs_are_those_of_every_task(client):
    tasks = [task["name"] for task in client.get("/runwisp/api/tasks").json()]
    totals = [client.get(f"/runwisp/api/tasks/{t}/runs").json()["total"] for t in tasks]
    assert client.get(ALL).json()["total"] == sum(totals)


def test_all_runs_are_filtered_by_task(client):
    found = client.get(ALL, params={"task_name": "backup", "limit": 1000}).json()
    assert found["runs"] == client.get("/runwisp/api/tasks/backup/runs").json()["runs"]


def test_a_summary_counts_what_the_lists_show(client):
    def total(status=""):
        return client.get(ALL, params={"status": status}).json()["total"]

    summary = client.get("/runwisp/api/runs/summary").json()
    assert summary["total"] == total()
    assert summary["success"] == total("success")
    failures = ("failed", "crashed", "timeout")
    assert summary["failed"] == sum(map(total, failures)) < summary["total"]
    ends = [
        run["end_at"]
        for run in client.get(ALL, params={"limit": 1000}).json()["runs"]
        if run.get("end_reason") in failures
    ]
    assert summary["last_failure"] == max(ends)


def test_where_nothing_failed_there_is_no_last_failure(services, world, judges):
    for run in world.collection("runwisp", "runs").all(world.now()):
        world.apply(Delete("runwisp", "runs", run["id"]))
    with in_process_client(services, world, judges) as client:
        summary = client.get("/runwisp/api/runs/summary").json()
    assert {k: v for k, v in summary.items() if k != "$schema"} == {
        "total": 0, "success": 0, "failed": 0,
    }  # fmt: skip


# Tasks and the daemon


def test_tasks_have_the_units_of_the_api(client):
    tasks = {task["name"]: task for task in client.get("/runwisp/api/tasks").json()}
    assert list(tasks) == sorted(tasks)
    assert tasks["sync-orders"] == {
        "name": "sync-orders",
        "kind": "task",
        "group": "shop",
        "description": "Fetches the shop's orders; a new run stops the one before it.",
        "cron": "*/15 * * * *",
        "api_trigger": True,
        "parallelism": 1,
        "on_overlap": "terminate",
        "timeout": 600 * 10**9,
        "retry_attempts": 3,
        "retry_delay": 2 * 10**9,
        "retry_backoff": "linear",
        "log_max_size": 200,
        "log_on_full": "drop_old",
        "next_run_at": "2026-01-01T00:15:00.000Z",
    }
    assert tasks["metrics-agent"]["instances"] == 2
    assert "on_overlap" not in tasks["metrics-agent"]


def test_the_daemon_lists_its_tasks_in_short_form(client):
    info = client.get("/runwisp/api/info").json()
    tasks = client.get("/runwisp/api/tasks").json()
    assert [task["name"] for task in info["tasks"]] == [task["name"] for task in tasks]
    assert not any("timeout" in task for task in info["tasks"])
    assert info["fingerprint"] == "9f2c41d07be8a356"


@pytest.mark.parametrize(
    ("header", "scheme"),
    [("https", "https"), ("https, http", "https"), ("HTTP", "http"), ("gopher", "http")],
)
def test_links_have_the_scheme_that_a_proxy_forwards(client, header, scheme):
    response = client.get("/api/runs", headers={"X-Forwarded-Proto": header})
    assert response.json()["$schema"].startswith(f"{scheme}://")


def test_a_linked_schema_can_be_fetched_and_links_to_its_parts(client):
    headers = {"host": "daemon.test"}
    body = client.get("/runwisp/api/runs", headers=headers).json()
    path = body["$schema"].removeprefix("http://daemon.test")
    schema = client.get(f"/runwisp{path}", headers=headers).json()
    inner = schema["properties"]["runs"]["items"]["$ref"]
    assert inner == "http://daemon.test/schemas/Run.json"


# Logging in


def get_challenge(daemon):
    return daemon.get("/auth/challenge")["nonce"]


def log_in(daemon, password="runwisp", nonce=None):  # noqa: S107 - the fixture's
    nonce = nonce or get_challenge(daemon)
    response = sha256(f"{password}:{nonce}".encode()).hexdigest()
    return daemon.request("POST", "/auth", {"nonce": nonce, "response": response})


def test_the_password_is_exchanged_for_the_token(daemon):
    response = log_in(daemon)
    token = response.json()["token"]
    assert response.headers["set-cookie"] == (
        f"runwisp_jwt={token}; Path=/api/; Max-Age=86400; HttpOnly; SameSite=Strict"
    )
    headers = {"authorization": f"Bearer {token}"}
    assert daemon.request("GET", "/tasks", headers=headers).status_code == 200


def test_a_wrong_password_leaves_the_challenge_valid(daemon):
    nonce = get_challenge(daemon)
    wrong = log_in(daemon, "guess", nonce)
    assert (wrong.status_code, wrong.text) == (401, "Invalid password")
    assert log_in(daemon, nonce=nonce).status_code == 200


def test_a_challenge_is_valid_once_and_for_five_minutes(daemon, world):
    nonce = get_challenge(daemon)
    assert log_in(daemon, nonce=nonce).status_code == 200
    assert log_in(daemon, nonce=nonce).text == "Invalid or expired challenge"
    other = get_challenge(daemon)
    assert other != nonce
    world.apply(Advance(5 * MINUTE))
    assert log_in(daemon, nonce=other).status_code == 200
    late = get_challenge(daemon)
    world.apply(Advance(5 * MINUTE + 1))
    assert log_in(daemon, nonce=late).text == "Invalid or expired challenge"


@pytest.mark.parametrize("nonce", ["", "x" * 40, "0" * 40, "f" * 40, "\u0660" * 40])
def test_an_unknown_challenge_is_rejected(daemon, nonce):
    body = {"nonce": nonce, "response": ""}
    response = daemon.request("POST", "/auth", body)
    assert response.text == "Invalid or expired challenge"


def test_a_daemon_without_a_password_asks_for_none(services, judges):
    service = services["runwisp"]
    open_to_all = ({"bearerAuth": "t", "cookieAuth": "t"},)
    fixture = replace(service.fixture, credentials=open_to_all)
    mine = {"runwisp": replace(service, fixture=fixture)}
    world = World({"runwisp": fixture}, WorldOptions(7, 1_767_225_600_000, speed=0))
    with in_process_client(mine, world, judges) as client:
        daemon = RunWispClient(client, world)
        assert not daemon.get("/auth/status")["auth_required"]
        assert log_in(daemon).text == "Invalid password"
