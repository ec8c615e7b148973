"""RunWisp: a run's log, and the streams of lines and of events."""

import asyncio
import json
from itertools import pairwise

import pytest

from soundstage.apis.api import RequestContext
from soundstage.apis.runwisp import events, log
from soundstage.apis.runwisp.runs import trigger_run
from soundstage.openapi.operation import Arguments
from soundstage.world.clock import HOUR, MINUTE, SECOND, parse_rfc3339
from soundstage.world.commands import Advance, Interrupt, Plan, Put, Start
from support.client import in_process_client

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00.000Z
RUNS = "/runwisp/api/tasks/{}/runs"
ENDED, RUNNING = "01KEXAMPERVN00000000000001", "01KEXAMPERVN00000000000003"
API = "runwisp"


@pytest.fixture
def visitor(services, world, judges):
    with in_process_client(services, world, judges) as client:
        yield client


def finished(world, task, scenario="success", **names):
    """A run of the task that has just ended."""
    run = world.apply(Start(API, task, scenario, {"triggered_by": "api", **names}))
    world.apply(Advance(run.records[0].timestamps[-1] - NOW))
    return run


def log_of(client, task, run_id, **query):
    return client.get(f"{RUNS.format(task)}/{run_id}/log", params=query).json()


def told(client, task, run_id, query="", **headers):
    """The events of a log that is over, as (name, id, data)."""
    path = f"{RUNS.format(task)}/{run_id}/log/stream{query}"
    return parsed(client.get(path, headers=headers).text)


def parsed(text):
    found = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if fields:
            name, data = fields["event"], json.loads(fields["data"])
            found.append((name, fields.get("id"), data))
    return found


# Pages of a log


def test_a_log_has_the_lines_of_both_streams_in_their_order(visitor, world):
    run = finished(world, "backup", parts=40)
    page = log_of(visitor, "backup", run.id)
    assert [line["n"] for line in page["lines"]] == list(range(41))
    assert {line["stream"] for line in page["lines"]} == {"stdout", "stderr"}
    written = [line["ts"] for line in page["lines"]]
    assert written == sorted(written)
    assert page["lines"][0]["text"] == "Starting backup"
    assert (page["total_lines"], page["truncated"], page["finalized"]) == (
        41, False, True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, range(21)),
        ({"from": 0, "limit": 3}, range(3)),
        ({"from": 5, "limit": 2}, range(5, 7)),
        ({"from": 19}, range(19, 21)),
        ({"from": 21}, []),
        ({"from": -3}, range(18, 21)),
        ({"from": -3, "limit": 1}, [18]),
        ({"from": -1000, "limit": 2}, range(2)),
    ],
)
def test_a_page_begins_at_its_anchor(visitor, world, query, numbers):
    run = finished(world, "backup", parts=20)
    page = log_of(visitor, "backup", run.id, **query)
    assert [line["n"] for line in page["lines"]] == list(numbers)
    assert page["total_lines"] == 21


def test_a_log_grows_as_time_goes_on(visitor, world):
    world.apply(Start(API, "backup", "success", {"triggered_by": "api", "parts": 8}))
    run_id = visitor.get(RUNS.format("backup")).json()["runs"][0]["id"]
    sizes, finals = [], []
    for _ in range(50):
        page = log_of(visitor, "backup", run_id)
        sizes.append(page["total_lines"])
        finals.append(page["finalized"])
        world.apply(Advance(SECOND))
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (0, 9)
    assert (finals[0], finals[-1]) == (False, True)


def test_a_full_log_that_drops_old_lines_begins_later(visitor, world):
    run = finished(world, "sync-orders", parts=30)
    page = log_of(visitor, "sync-orders", run.id)
    first = page["first_available"]
    assert page["truncated"]
    assert [line["n"] for line in page["lines"]] == list(range(first, 31))
    assert 0 < sum(len(line["text"]) + 1 for line in page["lines"]) <= 200
    assert log_of(visitor, "sync-orders", run.id, **{"from": 0}) == page


def test_a_full_log_that_drops_new_lines_ends_earlier(visitor, world):
    run = finished(world, "report.daily", parts=30)
    page = log_of(visitor, "report.daily", run.id)
    assert page["first_available"] == 0
    assert 0 < page["total_lines"] == len(page["lines"]) < 31
    assert sum(len(line["text"]) + 1 for line in page["lines"]) <= 200


# The stream of a log


def test_a_log_that_is_over_is_told_whole_and_then_done(visitor):
    *lines, done = told(visitor, "example", ENDED)
    page = log_of(visitor, "example", ENDED)
    assert [data for _, _, data in lines] == page["lines"]
    assert [int(each) for _, each, _ in lines] == [n for n, _ in enumerate(lines)]
    last = {"final_line": len(lines) - 1, "status": "ended"}
    assert done == ("done", None, last)


@pytest.mark.parametrize(
    ("query", "last", "first"),
    [
        ("?from=2", None, 2),
        ("?from=-2", None, -2),
        ("", "1", 2),
        ("?from=0", "1", 2),
        ("?from=1", "x", 1),
        ("?from=1", "-1", 1),
        ("?from=1", "9" * 400, 1),
    ],
)
def test_a_log_is_taken_up_after_the_last_event(visitor, query, last, first):
    whole = told(visitor, "example", ENDED)
    headers = {"Last-Event-ID": last} if last else {}
    count = len(whole) - 1
    wanted = whole[first if first >= 0 else count + first :]
    assert told(visitor, "example", ENDED, query, **headers) == wanted


def test_lines_that_are_gone_are_told_of(visitor, world):
    run = finished(world, "sync-orders", parts=30)
    first = log_of(visitor, "sync-orders", run.id)["first_available"]
    events = told(visitor, "sync-orders", run.id, "?from=0")
    assert events[0] == ("rotated", None, {"first_available": first})
    assert events[1][2]["n"] == first
    assert told(visitor, "sync-orders", run.id)[0][0] == "line"


def test_lines_that_found_no_room_are_counted(visitor, world):
    run = finished(world, "report.daily", parts=30)
    *_, line, dropped, done = told(visitor, "report.daily", run.id)
    lost = {"after": line[2]["n"], "count": 30 - line[2]["n"]}
    assert dropped == ("dropped", None, lost)
    assert done[2]["final_line"] == line[2]["n"]


def test_a_log_is_followed_until_its_run_has_ended(world):
    run = world.apply(Start(API, "backup", "success", {"triggered_by": "api"}))
    call = call_of(world, taskName="backup", runId=run.id, **{"from": -1000})
    heard = asyncio.run(collected(world, log.stream_log(call).stream))
    lines = [item["data"] for _, item in heard[:-1]]
    written = [r.versions[0]["ts"] for r in run.records[1:]]
    assert [line["ts"] for line in lines] == written
    assert [at for at, _ in heard] == [*written, run.records[0].timestamps[-1]]


class Turning:
    """Turns the clock of a world to where somebody waits for it.

    ``meanwhile`` are instants, and what is commanded then.
    """

    def __init__(self, world, meanwhile=()):
        self.world, self.meanwhile, self.change_count = world, list(meanwhile), 0

    async def wait_until(self, at, _since):
        command = None
        if self.meanwhile and self.meanwhile[0][0] <= at:
            at, command = self.meanwhile.pop(0)
        self.world.apply(Advance(at - self.world.now()))
        if command:
            self.world.apply(command(self.world) if callable(command) else command)


def call_of(world, meanwhile=(), **parameters):
    waiting = Turning(world, meanwhile)
    arguments = Arguments(parameters)
    return RequestContext(
        API, world, world.now(), arguments, {}, "http://here", waiting
    )


async def collected(world, stream, until=None, most=10_000):
    """Pairs of when an item came, and the item."""
    found = []
    async for item in stream:
        found.append((world.now(), item))
        if len(found) == most or (until is not None and world.now() >= until):
            await stream.aclose()
    return found


# The stream of events


def heard(world, span, meanwhile=(), last=None, most=10_000):
    """What a client is told within a span, each with its instant."""
    parameters = {} if last is None else {"Last-Event-ID": str(last)}
    stream = events.stream_runs(call_of(world, meanwhile, **parameters)).stream
    return asyncio.run(collected(world, stream, world.now() + span, most))


def of(run_id, items):
    """The names of a run's events."""
    told = [item for _, item in items if item["event"] != "ping"]
    return [item["event"] for item in told if item["data"]["run"]["id"] == run_id]


def test_a_ping_comes_at_once_and_every_half_minute(world):
    items = heard(world, 10 * MINUTE)
    pings = [at - NOW for at, item in items if item["event"] == "ping"]
    assert pings == [n * 30 * SECOND for n in range(21)]


def test_a_run_is_created_and_started_and_ends(world):
    commands = [
        (NOW + SECOND, Plan(API, "success")),
        (NOW + SECOND, Start(API, "backup", names={"triggered_by": "api"})),
        (NOW + SECOND, Start(API, "backup", "failed", {"triggered_by": "api"})),
        (NOW + SECOND, Start(API, "backup", "skipped", {"triggered_by": "api"})),
    ]
    items = heard(world, 3 * MINUTE, commands)
    made = [i["data"]["run"]["id"] for _, i in items if i["event"] == "run.created"]
    good, bad, skipped = made[:3]
    assert of(good, items) == ["run.created", "run.started", "run.completed"]
    assert of(bad, items) == ["run.created", "run.started", "run.failed"]
    assert of(skipped, items) == ["run.created", "run.failed"]


def test_an_event_comes_when_it_happens_and_tells_the_run_as_it_is(world):
    moments = {"run.created": "created_at", "run.started": "start_at"}
    for at, item in heard(world, HOUR):
        if item["event"] != "ping":
            run = item["data"]["run"]
            assert at == parse_rfc3339(run[moments.get(item["event"], "end_at")])


def test_ids_only_grow(world):
    items = heard(world, HOUR, [(NOW, Start(API, "example", "skipped", NAMES))] * 3)
    ids = [item["id"] for _, item in items]
    assert all(
        a < b or item["event"] == "ping"
        for (a, b), (_, item) in zip(pairwise(ids), items[1:], strict=True)
    )
    assert len(ids) > 40


NAMES = {"triggered_by": "api"}


def test_a_change_that_is_none_of_these_is_an_update(world):
    run = world.collection(API, "runs").get(RUNNING, NOW)
    command = Put(API, "runs", RUNNING, {**run, "external_execution_id": "x"})
    items = heard(world, SECOND, [(NOW + 5, command)])
    assert "run.updated" in of(RUNNING, items)


def test_nothing_is_lost_or_told_twice_when_a_stream_is_taken_up(world):
    commands = [
        (NOW, Start(API, "backup", names=NAMES)),
        (NOW, Start(API, "example", "skipped", NAMES)),
        (NOW, Interrupt(API, RUNNING, "stopped")),
        (NOW, Start(API, "backup", names=NAMES)),
    ]
    whole = [i for _, i in heard(world, HOUR, commands) if i["event"] != "ping"]
    for i, item in enumerate(whole):
        assert take(world, item["id"], len(whole) - i - 1) == whole[i + 1 :]


def take(world, last, count):
    """The first events after one, without the ping before them."""
    _, *items = heard(world, HOUR, last=last, most=count + 1)
    return [item for _, item in items]


def test_whoever_heard_only_a_ping_misses_nothing_either(world):
    (_, ping), *_ = heard(world, 0)
    started = world.apply(Start(API, "backup", names=NAMES))
    (created,) = take(world, ping["id"], 1)
    assert created["data"]["run"]["id"] == started.id


@pytest.mark.parametrize("last", ["", "x", "9" * 5000, "1.5"])
def test_an_id_that_is_none_of_ours_means_from_now_on(world, last):
    (_, ping), *_ = heard(world, 0, last=last)
    (_, other), *_ = heard(world, 0)
    assert ping == other


# Waiting for a run


def answered(world, meanwhile=(), **parameters):
    """How long it took, and the run."""
    given = {"wait": True, "wait_timeout": 300, "taskName": "backup", **parameters}
    body = asyncio.run(trigger_run(call_of(world, meanwhile, **given))).body
    return world.now() - NOW, body


def test_a_client_that_waits_is_answered_when_the_run_has_ended(world):
    world.apply(Plan(API, "success"))
    waited, run = answered(world)
    assert run["end_reason"] == "success"
    assert waited == parse_rfc3339(run["end_at"]) - NOW


def test_a_client_waits_no_longer_than_it_wants_to(world):
    world.apply(Plan(API, "long_running"))
    waited, run = answered(world, wait_timeout=90)
    assert (waited, run["status"]) == (90 * SECOND, "running")


def stop_the_newest(world):
    *_, newest = world.collection(API, "runs").children("backup", world.now())
    return Interrupt(API, newest["id"], "stopped")


def test_a_client_that_waits_learns_that_the_run_was_stopped(world):
    world.apply(Plan(API, "long_running"))
    waited, run = answered(world, [(NOW + SECOND, stop_the_newest)])
    assert (waited, run["end_reason"]) == (SECOND, "stopped")
