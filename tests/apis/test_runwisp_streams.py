"""RunWisp: a run's log, and the streams of lines and of events."""

import asyncio
import json
from itertools import pairwise

import pytest
from runwisp_client import API

from soundstage.apis.api import RequestContext
from soundstage.apis.runwisp import events, log
from soundstage.apis.runwisp.runs import trigger_run
from soundstage.openapi.operation import Arguments
from soundstage.world.clock import HOUR, MINUTE, SECOND, parse_rfc3339
from soundstage.world.commands import Advance, Interrupt, Plan, Put, Start

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00.000Z
ENDED, RUNNING = "01KEXAMPERVN00000000000001", "01KEXAMPERVN00000000000003"


def run_to_its_end(world, task, scenario="success", **variables):
    """Start a run and advance the clock to its end."""
    variables = {"triggered_by": "api", **variables}
    run = world.apply(Start(API, task, scenario, variables))
    world.apply(Advance(run.records[0].timestamps[-1] - NOW))
    return run


def get_log(daemon, task, run_id, **query):
    return daemon.get(f"/tasks/{task}/runs/{run_id}/log", **query)


def stream_log(daemon, task, run_id, headers=None, **query):
    """Return the events of the log of an ended run, as (name, id, data)."""
    path = f"/tasks/{task}/runs/{run_id}/log/stream"
    return parse_events(daemon.request("GET", path, headers=headers, **query).text)


def parse_events(text):
    events = []
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if fields:
            name, data = fields["event"], json.loads(fields["data"])
            events.append((name, fields.get("id"), data))
    return events


# Pages of a log


def test_a_log_has_the_lines_of_both_streams_in_their_order(daemon, world):
    run = run_to_its_end(world, "backup", parts=40)
    page = get_log(daemon, "backup", run.id)
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
def test_a_page_begins_at_the_requested_line(daemon, world, query, numbers):
    run = run_to_its_end(world, "backup", parts=20)
    page = get_log(daemon, "backup", run.id, **query)
    assert [line["n"] for line in page["lines"]] == list(numbers)
    assert page["total_lines"] == 21


def test_a_log_grows_as_time_goes_on(daemon, world):
    world.apply(Start(API, "backup", "success", {"triggered_by": "api", "parts": 8}))
    run_id = daemon.list_runs("backup")[-1]["id"]
    sizes, finals = [], []
    for _ in range(50):
        page = get_log(daemon, "backup", run_id)
        sizes.append(page["total_lines"])
        finals.append(page["finalized"])
        world.apply(Advance(SECOND))
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (0, 9)
    assert (finals[0], finals[-1]) == (False, True)


def test_a_full_log_that_drops_old_lines_begins_later(daemon, world):
    run = run_to_its_end(world, "sync-orders", parts=30)
    page = get_log(daemon, "sync-orders", run.id)
    first = page["first_available"]
    assert page["truncated"]
    assert [line["n"] for line in page["lines"]] == list(range(first, 31))
    assert 0 < sum(len(line["text"]) + 1 for line in page["lines"]) <= 200
    assert get_log(daemon, "sync-orders", run.id, **{"from": 0}) == page


def test_a_full_log_that_drops_new_lines_ends_earlier(daemon, world):
    run = run_to_its_end(world, "report.daily", parts=30)
    page = get_log(daemon, "report.daily", run.id)
    assert page["first_available"] == 0
    assert 0 < page["total_lines"] == len(page["lines"]) < 31
    assert sum(len(line["text"]) + 1 for line in page["lines"]) <= 200


# The stream of a log


def test_the_log_of_an_ended_run_is_sent_whole_and_then_done(daemon):
    *lines, done = stream_log(daemon, "example", ENDED)
    page = get_log(daemon, "example", ENDED)
    assert [data for _, _, data in lines] == page["lines"]
    assert [int(each) for _, each, _ in lines] == [n for n, _ in enumerate(lines)]
    last = {"final_line": len(lines) - 1, "status": "ended"}
    assert done == ("done", None, last)


@pytest.mark.parametrize(
    ("query", "last", "first"),
    [
        ({"from": 2}, None, 2),
        ({"from": -2}, None, -2),
        ({}, "1", 2),
        ({"from": 0}, "1", 2),
        ({"from": 1}, "x", 1),
        ({"from": 1}, "-1", 1),
        ({"from": 1}, "9" * 400, 1),
    ],
)
def test_a_log_stream_resumes_after_the_last_event(daemon, query, last, first):
    whole = stream_log(daemon, "example", ENDED)
    headers = {"Last-Event-ID": last} if last else {}
    count = len(whole) - 1
    expected = whole[first if first >= 0 else count + first :]
    assert stream_log(daemon, "example", ENDED, headers, **query) == expected


def test_a_rotated_log_begins_with_an_event_of_its_first_line(daemon, world):
    run = run_to_its_end(world, "sync-orders", parts=30)
    first = get_log(daemon, "sync-orders", run.id)["first_available"]
    events = stream_log(daemon, "sync-orders", run.id, **{"from": 0})
    assert events[0] == ("rotated", None, {"first_available": first})
    assert events[1][2]["n"] == first
    assert stream_log(daemon, "sync-orders", run.id)[0][0] == "line"


def test_dropped_lines_are_counted(daemon, world):
    run = run_to_its_end(world, "report.daily", parts=30)
    *_, line, dropped, done = stream_log(daemon, "report.daily", run.id)
    lost = {"after": line[2]["n"], "count": 30 - line[2]["n"]}
    assert dropped == ("dropped", None, lost)
    assert done[2]["final_line"] == line[2]["n"]


def test_a_log_is_followed_until_its_run_has_ended(world):
    run = world.apply(Start(API, "backup", "success", {"triggered_by": "api"}))
    context = build_context(world, taskName="backup", runId=run.id, **{"from": -1000})
    received = asyncio.run(collect(world, log.stream_log(context).stream))
    lines = [item["data"] for _, item in received[:-1]]
    written = [r.versions[0]["ts"] for r in run.records[1:]]
    assert [line["ts"] for line in lines] == written
    assert [at for at, _ in received] == [*written, run.records[0].timestamps[-1]]


class AdvancingWaiter:
    """Advances the clock to the timestamp that a handler waits for.

    ``commands`` are pairs of a timestamp and a command that is applied then.
    """

    def __init__(self, world, commands=()):
        self.world, self.commands, self.change_count = world, list(commands), 0

    async def wait_until(self, timestamp, _since):
        command = None
        if self.commands and self.commands[0][0] <= timestamp:
            timestamp, command = self.commands.pop(0)
        self.world.apply(Advance(timestamp - self.world.now()))
        if command:
            self.world.apply(command(self.world) if callable(command) else command)


def build_context(world, commands=(), **parameters):
    waiter, arguments = AdvancingWaiter(world, commands), Arguments(parameters)
    return RequestContext(API, world, world.now(), arguments, {}, "http://here", waiter)


async def collect(world, stream, until=None, maximum=10_000):
    """Return the items of a stream, each with the timestamp at which it came."""
    items = []
    async for item in stream:
        items.append((world.now(), item))
        if len(items) == maximum or (until is not None and world.now() >= until):
            await stream.aclose()
    return items


# The stream of events


def watch(world, duration, commands=(), last=None, maximum=10_000):
    """Return the events that a client gets in this time, each with its timestamp."""
    parameters = {} if last is None else {"Last-Event-ID": str(last)}
    stream = events.stream_runs(build_context(world, commands, **parameters)).stream
    return asyncio.run(collect(world, stream, world.now() + duration, maximum))


def names_of(run_id, items):
    """Return the names of a run's events."""
    events = [item for _, item in items if item["event"] != "ping"]
    return [item["event"] for item in events if item["data"]["run"]["id"] == run_id]


def test_a_ping_comes_at_once_and_every_half_minute(world):
    items = watch(world, 10 * MINUTE)
    pings = [at - NOW for at, item in items if item["event"] == "ping"]
    assert pings == [n * 30 * SECOND for n in range(21)]


def test_a_run_is_created_and_started_and_ends(world):
    commands = [
        (NOW + SECOND, Plan(API, "success")),
        (NOW + SECOND, Start(API, "backup", names={"triggered_by": "api"})),
        (NOW + SECOND, Start(API, "backup", "failed", {"triggered_by": "api"})),
        (NOW + SECOND, Start(API, "backup", "skipped", {"triggered_by": "api"})),
    ]
    items = watch(world, 3 * MINUTE, commands)
    made = [i["data"]["run"]["id"] for _, i in items if i["event"] == "run.created"]
    good, bad, skipped = made[:3]
    assert names_of(good, items) == ["run.created", "run.started", "run.completed"]
    assert names_of(bad, items) == ["run.created", "run.started", "run.failed"]
    assert names_of(skipped, items) == ["run.created", "run.failed"]


def test_an_event_is_sent_when_it_occurs_with_the_run_as_of_then(world):
    fields = {"run.created": "created_at", "run.started": "start_at"}
    for at, item in watch(world, HOUR):
        if item["event"] != "ping":
            run = item["data"]["run"]
            assert at == parse_rfc3339(run[fields.get(item["event"], "end_at")])


def test_ids_only_grow(world):
    items = watch(world, HOUR, [(NOW, Start(API, "example", "skipped", VARIABLES))] * 3)
    ids = [item["id"] for _, item in items]
    assert all(
        a < b or item["event"] == "ping"
        for (a, b), (_, item) in zip(pairwise(ids), items[1:], strict=True)
    )
    assert len(ids) > 40


VARIABLES = {"triggered_by": "api"}


def test_any_other_change_is_an_update(world):
    run = world.collection(API, "runs").get(RUNNING, NOW)
    command = Put(API, "runs", RUNNING, {**run, "external_execution_id": "x"})
    items = watch(world, SECOND, [(NOW + 5, command)])
    assert "run.updated" in names_of(RUNNING, items)


def test_a_resumed_stream_loses_and_repeats_nothing(world):
    commands = [
        (NOW, Start(API, "backup", names=VARIABLES)),
        (NOW, Start(API, "example", "skipped", VARIABLES)),
        (NOW, Interrupt(API, RUNNING, "stopped")),
        (NOW, Start(API, "backup", names=VARIABLES)),
    ]
    whole = [i for _, i in watch(world, HOUR, commands) if i["event"] != "ping"]
    for i, item in enumerate(whole):
        assert resume_after(world, item["id"], len(whole) - i - 1) == whole[i + 1 :]


def resume_after(world, last, count):
    """Return the first events after one, without the ping before them."""
    _, *items = watch(world, HOUR, last=last, maximum=count + 1)
    return [item for _, item in items]


def test_a_stream_resumed_after_a_ping_loses_nothing(world):
    (_, ping), *_ = watch(world, 0)
    started = world.apply(Start(API, "backup", names=VARIABLES))
    (created,) = resume_after(world, ping["id"], 1)
    assert created["data"]["run"]["id"] == started.id


@pytest.mark.parametrize("last", ["", "x", "9" * 5000, "1.5"])
def test_an_unknown_event_id_means_from_now_on(world, last):
    (_, ping), *_ = watch(world, 0, last=last)
    (_, other), *_ = watch(world, 0)
    assert ping == other


# Waiting for a run


def trigger_and_wait(world, commands=(), **parameters):
    """Return how long the response took (ms), and the run in it."""
    parameters = {"wait_timeout": 300, **parameters}
    context = build_context(world, commands, wait=True, taskName="backup", **parameters)
    run = asyncio.run(trigger_run(context)).body
    return world.now() - NOW, run


def test_a_client_that_waits_gets_the_run_when_it_has_ended(world):
    world.apply(Plan(API, "success"))
    waited, run = trigger_and_wait(world)
    assert run["end_reason"] == "success"
    assert waited == parse_rfc3339(run["end_at"]) - NOW


def test_a_client_waits_no_longer_than_its_timeout(world):
    world.apply(Plan(API, "long_running"))
    waited, run = trigger_and_wait(world, wait_timeout=90)
    assert (waited, run["status"]) == (90 * SECOND, "running")


def stop_the_newest(world):
    *_, newest = world.collection(API, "runs").children("backup", world.now())
    return Interrupt(API, newest["id"], "stopped")


def test_a_client_that_waits_gets_the_stopped_run(world):
    world.apply(Plan(API, "long_running"))
    waited, run = trigger_and_wait(world, [(NOW + SECOND, stop_the_newest)])
    assert (waited, run["end_reason"]) == (SECOND, "stopped")
