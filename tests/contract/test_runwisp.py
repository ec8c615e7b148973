"""RunWisp: the runs of a task."""

import pytest

from judged import client_of
from soundstage.world.clock import instant_of
from soundstage.world.log import Start

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
        answer = ask(limit=limit, offset=offset)
        seen += answer["runs"]
        assert answer["total"] == len(everything)
    assert seen == everything


def test_past_the_end_there_are_no_runs_and_the_total_is_true(ask):
    answer = ask(offset=TOTAL)
    assert (answer["runs"], answer["total"]) == ([], TOTAL)


@pytest.mark.parametrize("word", [*REASONS, "log_overflow"])
def test_an_end_reason_is_looked_for_among_end_reasons(ask, everything, word):
    found = ask(status=word, limit=1000)
    assert found["runs"] == [r for r in everything if r.get("end_reason") == word]
    assert found["total"] == len(found["runs"]) > 0


@pytest.mark.parametrize("word", ["pending", "running", "ended"])
def test_any_other_word_is_looked_for_among_statuses(client, word):
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
    wanted = everything[7]["id"]
    assert ask(search=wanted[4:].lower())["runs"] == [everything[7]]


def duration(run):
    if "start_at" not in run or "end_at" not in run:
        return 0
    return instant_of(run["end_at"]) - instant_of(run["start_at"])


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
    wanted = sorted(everything, key=lambda run: (KEYS[field](run), run["id"]))
    up = ask(sort_field=field, sort_direction="asc", limit=1000)["runs"]
    assert up == wanted
    for direction in ({"sort_direction": "desc"}, {"sort_direction": ""}, {}):
        down = ask(sort_field=field, limit=1000, **direction)["runs"]
        assert down == wanted[::-1]


def test_runs_of_one_instant_are_ordered_by_id(services, world, judges):
    started = [world.apply(Start("runwisp", "backup")).id for _ in range(8)]
    with client_of(services, world, judges) as client:
        runs = client.get("/runwisp/api/tasks/backup/runs?limit=8").json()["runs"]
    assert [run["id"] for run in runs] == sorted(started, reverse=True)
    assert started != sorted(started)


def test_a_direction_without_a_field_means_nothing(ask):
    assert (
        ask(sort_field="", sort_direction="asc") == ask(sort_direction="asc") == ask()
    )


def test_an_answer_names_its_schema_and_the_runs_do_not(client):
    answer = client.get(URL, headers={"host": "example.test:8080"})
    assert answer.json()["$schema"] == (
        "http://example.test:8080/schemas/RunsResponseBody.json"
    )
    assert answer.headers["Link"] == (
        '</schemas/RunsResponseBody.json>; rel="describedBy"'
    )
    assert not any("$schema" in run for run in answer.json()["runs"])


@pytest.mark.parametrize("host", ["", "a b", "<script>", 'x"', "x/y", "\xe9", "a@b"])
def test_a_host_that_is_none_is_not_repeated(client, host):
    answer = client.get(URL, headers={"host": host.encode()})
    assert answer.json()["$schema"].startswith("http://localhost/schemas/")


def test_a_run_under_way_has_no_end(services, world, judges):
    run = world.apply(Start("runwisp", "backup", "success"))
    with client_of(services, world, judges) as client:
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
                (
                    "query.sort_direction",
                    'expected value to be one of "asc, desc, "',
                    "up",
                ),
            ],
        ),
    ],
)
def test_errors_are_worded_as_the_real_server_does(client, query, errors):
    problem = client.get(f"{URL}?{query}").json()
    assert problem["detail"] == "validation failed"
    assert [
        (error["location"], error["message"], error["value"])
        for error in problem["errors"]
    ] == errors
