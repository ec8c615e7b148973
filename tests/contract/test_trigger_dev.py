"""Trigger.dev v3: runs from their trigger to their end, and their traces."""

import json
import re
from dataclasses import replace
from datetime import datetime

import orjson
import pytest
from table.trigger_dev import SDK, TRIGGER

from judged import client_of
from soundstage.world.log import Interrupt, Plan, Put, Start
from soundstage.world.world import Opening, World

API = "/trigger-dev/api"
RUNS = f"{API}/v1/runs"
PROD = {"Authorization": "Bearer tr_prod_1234"}
SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000


def spans_of(client, run="run_1234", headers=TRIGGER):
    return client.get(f"{RUNS}/{run}/events", headers=headers).json()["events"]


def test_spans_come_in_the_order_in_which_they_started(client):
    starts = [int(span["startTime"]) for span in spans_of(client)]
    assert starts == sorted(starts)


def test_a_start_is_text_in_nanoseconds_and_a_duration_a_number(client):
    for span in spans_of(client):
        assert re.fullmatch(r"\d{19}", span["startTime"])
        assert isinstance(span["duration"], int)


def test_only_the_root_has_no_parent_and_every_other_parent_is_there(client):
    root, *rest = spans_of(client)
    assert root["parentId"] is None
    assert root["attemptNumber"] is None
    ids = {root["spanId"], *(span["spanId"] for span in rest)}
    assert {span["parentId"] for span in rest} <= ids
    assert len(ids) == len(rest) + 1


def test_a_run_under_way_has_partial_spans_without_a_duration(services, world, judges):
    run = world.apply(Start("trigger-dev", "hello-world", "success"))
    with client_of(services, world, judges) as client:
        assert [
            (span["message"], span["isPartial"], span["duration"])
            for span in spans_of(client, run.id)
        ] == [("hello-world", True, 0)]
        world.clock.advance(3_600_000)
        done = spans_of(client, run.id)
    assert not any(span["isPartial"] for span in done)
    assert done[0]["duration"] > 0


def test_a_cancelled_run_closes_what_was_open(services, world, judges):
    run = world.apply(Start("trigger-dev", "process-video", "long_running"))
    world.clock.advance(60_000)
    world.apply(Interrupt("trigger-dev", run.id, "cancelled"))
    with client_of(services, world, judges) as client:
        spans = spans_of(client, run.id)
    assert not any(span["isPartial"] for span in spans)
    ended = {
        int(span["startTime"]) + span["duration"]
        for span in spans
        if span["isCancelled"]
    }
    assert ended == {int(spans[0]["startTime"]) + spans[0]["duration"]}


def test_a_failed_attempt_is_told_by_the_root(client):
    root, attempt, *_ = spans_of(client)
    (failure,) = root["events"]
    assert failure["name"] == "attempt_failed"
    assert failure["properties"]["attemptNumber"] == attempt["attemptNumber"] == 1
    assert attempt["isError"]


@pytest.mark.parametrize("key", ["tr_prod_1234", "tr_stg_1234"])
def test_another_environments_run_is_not_there_and_a_client_may_retry(client, key):
    headers = {"Authorization": f"Bearer {key}"}
    answer = client.get(f"{RUNS}/run_1234/events", headers=headers)
    assert answer.status_code == 404
    assert answer.json() == {"error": "Run not found"}
    assert answer.headers["x-should-retry"] == "true"


def test_a_bad_request_says_which_part_of_it_is_bad(client):
    answer = client.get(f"{RUNS}/run_1234/events?page=1", headers=TRIGGER)
    assert answer.json() == {
        "error": "Query Error",
        "details": [
            {
                "code": "unknown",
                "path": ["page"],
                "message": "get_run_events_v1 has no query parameter 'page'",
            }
        ],
    }
    assert json.loads(answer.headers["Soundstage-Violations"])[0]["in"] == "query"


# Starting runs


class Caller:
    """A client of the API, in one environment, that does not take a refusal."""

    def __init__(self, http, world, headers):
        self.http, self.world, self.headers = http, world, {**headers, **SDK}

    def ask(self, method, path, **more):
        more["headers"] = {**self.headers, **more.get("headers", {})}
        return self.http.request(method, f"{API}{path}", **more)

    def told(self, method, path, **more):
        answer = self.ask(method, path, **more)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def trigger(self, task="my-own", payload=None, headers=None, **options):
        body = {"payload": payload, "options": options}
        path = f"/v1/tasks/{task}/trigger"
        return self.told("POST", path, json=body, headers=headers or {})

    def start(self, *args, **options):
        return self.trigger(*args, **options)["id"]

    def run(self, run_id, **more):
        return self.told("GET", f"/v3/runs/{run_id}", **more)

    def list(self, query="", **more):
        return self.told("GET", f"/v1/runs{query}", **more)

    def plan(self, scenario, times=1):
        self.world.apply(Plan("trigger-dev", scenario, times=times))

    def wait(self, span):
        self.world.clock.advance(span)


@pytest.fixture
def dev(services, world, judges):
    with client_of(services, world, judges) as http:
        yield Caller(http, world, TRIGGER)


@pytest.fixture
def prod(dev):
    return Caller(dev.http, dev.world, PROD)


def test_a_run_goes_through_its_life_as_time_goes_by(dev):
    dev.plan("success")
    run_id = dev.start(payload={"to": "Ada"})
    seen = [dev.run(run_id)["status"]]
    while seen[-1] != "COMPLETED":
        dev.wait(20)
        if (status := dev.run(run_id)["status"]) != seen[-1]:
            seen.append(status)
    assert seen == ["QUEUED", "DEQUEUED", "EXECUTING", "COMPLETED"]
    run = dev.run(run_id)
    assert run["payload"] == {"to": "Ada"}
    assert run["output"] == {"ok": True}
    assert (run["isCompleted"], run["isSuccess"], run["isFailed"]) == (
        True,
        True,
        False,
    )
    assert run["createdAt"] < run["startedAt"] < run["finishedAt"] == run["updatedAt"]


def test_any_task_can_be_triggered_and_a_listed_one_is_found_by_its_environment(
    dev, prod
):
    for caller, environment in ((dev, "dev"), (prod, "prod")):
        run_id = caller.start("process-video")
        assert caller.run(run_id)["taskIdentifier"] == "process-video"
        run = dev.world.state("trigger-dev").runs[run_id]
        assert run.names["environment"] == environment
    assert dev.run(dev.start("a%2Fb"))["taskIdentifier"] == "a/b"


@pytest.mark.parametrize(
    ("payload", "kind", "shown"),
    [
        ({"a": None}, None, {"a": None}),
        ("text", None, "text"),
        (0, "application/json", 0),
        ("text", "text/plain", "text"),
        ('{"json":{"at":"2026-01-01"},"meta":{}}', "application/super+json",
         {"at": "2026-01-01"}),
        ('{"json":null}', "application/super+json", ...),
        ("{", "application/super+json", "{"),
        ([1], "application/super+json", [1]),
        (None, None, ...),
    ],
)  # fmt: skip
def test_a_payload_is_told_as_it_was_meant(dev, payload, kind, shown):
    options = {"payloadType": kind} if kind else {}
    run = dev.run(dev.start(payload=payload, **options))
    assert run.get("payload", ...) == shown


def test_what_nobody_said_is_left_out(dev):
    run = dev.run(dev.start())
    assert (
        not {
            *(
                "payload",
                "output",
                "error",
                "ttl",
                "metadata",
                "batchId",
                "delayedUntil",
            ),
            *("idempotencyKey", "startedAt", "finishedAt", "expiredAt", "schedule"),
        }
        & run.keys()
    )
    assert None not in run.values()


def test_an_idempotency_key_gives_the_same_run_for_its_task(dev, prod):
    first = dev.trigger(idempotencyKey="k")
    assert first["isCached"] is False
    assert dev.trigger(idempotencyKey="k") == {**first, "isCached": True}
    assert dev.trigger(headers={"idempotency-key": "k"})["id"] == first["id"]
    assert dev.trigger("other", idempotencyKey="k")["id"] != first["id"]
    assert prod.trigger(idempotencyKey="k")["id"] != first["id"]
    assert dev.trigger(idempotencyKey="k2")["id"] != first["id"]


def test_an_idempotency_key_is_good_for_its_time(dev):
    first = dev.start(idempotencyKey="k", idempotencyKeyTTL="60s")
    dev.wait(MINUTE - 1)
    assert dev.start(idempotencyKey="k") == first
    dev.wait(1)
    assert dev.start(idempotencyKey="k") != first
    dev.wait(29 * DAY)
    again = dev.trigger(idempotencyKey="k")
    assert again["isCached"]
    dev.wait(2 * DAY)
    assert dev.start(idempotencyKey="k") != again["id"]


@pytest.mark.parametrize(
    ("scenario", "cached"),
    [("success", True), ("all_attempts_failed", False), ("crashed", False),
     ("expired", False), ("timed_out", False)],
)  # fmt: skip
def test_a_run_that_failed_gives_its_key_free(dev, scenario, cached):
    dev.plan(scenario)
    dev.start(idempotencyKey="k")
    dev.wait(HOUR)
    assert dev.trigger(idempotencyKey="k")["isCached"] is cached


def test_a_cancelled_run_keeps_its_key(dev):
    first = dev.start(idempotencyKey="k")
    dev.told("POST", f"/v2/runs/{first}/cancel")
    assert dev.start(idempotencyKey="k") == first


def test_the_key_is_told_as_its_user_wrote_it(dev):
    user = {"key": "order-1", "scope": "global"}
    run_id = dev.start(idempotencyKey="f00d", idempotencyKeyOptions=user)
    assert dev.run(run_id)["idempotencyKey"] == "order-1"
    assert dev.run(dev.start(idempotencyKey="k"))["idempotencyKey"] == "k"


def test_a_request_sent_again_starts_nothing_more(dev):
    again = {"x-trigger-request-idempotency-key": "f3c1"}
    first = dev.trigger(headers=again)
    assert dev.trigger(headers=again) == first == {**first, "isCached": False}
    assert dev.start() != first["id"]


def test_a_delayed_run_waits_and_then_unfolds(dev):
    dev.plan("success")
    run_id = dev.start(delay="1h30m")
    run = dev.run(run_id)
    assert (run["status"], run["isQueued"]) == ("DELAYED", True)
    assert run["delayedUntil"] == "2026-01-01T01:30:00.000Z"
    dev.wait(90 * MINUTE - 1)
    assert dev.run(run_id)["status"] == "DELAYED"
    dev.wait(1)
    assert dev.run(run_id)["status"] == "QUEUED"
    dev.wait(MINUTE)
    assert dev.run(run_id)["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("delay", "status"),
    [("2026-01-01T00:00:01Z", "DELAYED"), ("2026-01-01T02:00:01+02:00", "DELAYED"),
     ("2026-01-01T00:00:00Z", "QUEUED"), ("2025-01-01T00:00:00Z", "QUEUED"),
     ("0s", "QUEUED"), ("1s", "DELAYED"), ("1w2d3hr", "DELAYED")],
)  # fmt: skip
def test_a_delay_is_a_duration_or_a_moment_ahead(dev, delay, status):
    dev.plan("success")
    assert dev.run(dev.start(delay=delay))["status"] == status


@pytest.mark.parametrize(
    "options",
    [
        {"delay": "9999-12-31T23:59:59Z"},
        {"delay": "999999w"},
        {"ttl": "0s"},
        {"ttl": 0},
    ],
)
def test_no_time_is_too_long_or_too_short(dev, options):
    dev.plan("expired")
    assert dev.run(dev.start(**options))["status"] in {"DELAYED", "QUEUED"}


def test_a_delayed_run_is_rescheduled_and_no_other(dev):
    dev.plan("success")
    run_id = dev.start(delay="1m", tags=["a"], payload=1)
    dev.wait(30 * SECOND)
    path = f"/v1/runs/{run_id}/reschedule"
    run = dev.told("POST", path, json={"delay": "1h"})
    assert run["delayedUntil"] == "2026-01-01T01:00:30.000Z"
    assert (run["tags"], run["payload"], run["status"]) == (["a"], 1, "DELAYED")
    dev.wait(HOUR - 1)
    assert dev.run(run_id)["status"] == "DELAYED"
    dev.wait(1)
    assert dev.run(run_id)["status"] == "QUEUED"
    dev.wait(MINUTE)
    assert dev.run(run_id)["status"] == "COMPLETED"
    assert dev.ask("POST", path, json={"delay": "1h"}).status_code == 400


def test_the_delayed_run_of_the_past_is_rescheduled_too(dev):
    dev.told("POST", "/v1/runs/run_5678/reschedule", json={"delay": "10s"})
    dev.wait(MINUTE)
    assert dev.run("run_5678")["status"] == "COMPLETED"


def test_a_run_that_waits_longer_than_its_ttl_expires(dev):
    dev.plan("congested", times=2)
    short, long = dev.start(ttl="10s"), dev.start(ttl=60)
    assert dev.run(long)["ttl"] == "1m"
    dev.wait(10 * SECOND - 1)
    assert dev.run(short)["status"] == "QUEUED"
    dev.wait(1)
    run = dev.run(short)
    assert run["status"] == "EXPIRED"
    assert run["expiredAt"] == "2026-01-01T00:00:10.000Z"
    assert "TTL (10s)" in run["error"]["message"]
    dev.wait(MINUTE)
    assert dev.run(long)["status"] == "COMPLETED"
    assert "expiredAt" not in dev.run(long)


def test_a_ttl_counts_from_when_a_delayed_run_is_queued(dev):
    dev.plan("congested")
    run_id = dev.start(delay="1m", ttl="10s")
    dev.wait(MINUTE)
    assert dev.run(run_id)["status"] == "QUEUED"
    dev.wait(10 * SECOND)
    assert dev.run(run_id)["status"] == "EXPIRED"


def test_a_run_that_takes_longer_than_its_max_duration_times_out(dev):
    dev.plan("long_running")
    run_id = dev.start(maxDuration=30)
    dev.wait(29 * SECOND)
    assert dev.run(run_id)["status"] == "EXECUTING"
    dev.wait(2 * SECOND)
    run = dev.run(run_id)
    assert run["status"] == "TIMED_OUT"
    assert "30s" in run["error"]["message"]
    assert not any(span["isPartial"] for span in spans_of(dev.http, run_id))


def test_what_expired_or_timed_out_is_not_completed_as_at_the_real_server(dev):
    dev.plan("expired")
    run_id = dev.start()
    dev.wait(HOUR)
    run = dev.run(run_id)
    flags = [name for name, value in run.items() if name.startswith("is") and value]
    assert (run["status"], flags) == ("EXPIRED", [])
    assert dev.ask("GET", f"/v1/runs/{run_id}/result").status_code == 404


def test_a_task_that_the_fixture_does_not_know_is_refused(services, world, judges):
    service = services["trigger-dev"]
    script = service.fixture.script
    tasks = {name: task for name, task in script.tasks.items() if name != "*"}
    fixture = replace(service.fixture, script=replace(script, tasks=tasks))
    world = World({"trigger-dev": fixture}, Opening(now=0, speed=0))
    one = {"items": [{}]}
    with client_of({"trigger-dev": service}, world, judges) as http:
        caller = Caller(http, world, TRIGGER)
        for path, body in (
            ("/v1/tasks/nope/trigger", {}),
            ("/v1/tasks/nope/batch", one),
            ("/v1/tasks/batch", {"items": [{"task": "my-task"}, {"task": "nope"}]}),
        ):
            answer = caller.ask("POST", path, json=body)
            assert answer.status_code == 404
            assert answer.json() == {"error": "Task not found"}
        assert len(world.log) == 0
        assert caller.start("my-task")


def test_a_parent_and_its_children_know_one_another(dev, prod):
    parent = dev.start()
    child = dev.start(parentRunId=parent, resumeParentOnCompletion=True)
    grandchild = dev.start(parentRunId=child)
    run = dev.run(child)
    assert (run["depth"], run["triggerFunction"]) == (1, "triggerAndWait")
    assert run["relatedRuns"]["parent"]["id"] == parent
    assert [r["id"] for r in run["relatedRuns"]["children"]] == [grandchild]
    below = dev.run(grandchild)["relatedRuns"]
    assert (below["root"]["id"], below["parent"]["depth"]) == (parent, 1)
    assert dev.run(parent)["relatedRuns"]["children"][0]["triggerFunction"]
    assert prod.run(prod.start(parentRunId=parent))["relatedRuns"] == {}


# Changing runs


def test_a_cancelled_run_keeps_its_past_and_gains_no_later_event(dev):
    run_id = dev.start("process-video")
    dev.world.apply(Interrupt("trigger-dev", run_id, "cancelled"))
    dev.plan("long_running")
    run_id = dev.start("process-video")
    dev.wait(10 * MINUTE)
    before = spans_of(dev.http, run_id)
    assert dev.told("POST", f"/v2/runs/{run_id}/cancel") == {"id": run_id}
    run = dev.run(run_id)
    assert (run["status"], run["isCancelled"]) == ("CANCELED", True)
    assert run["finishedAt"] == "2026-01-01T00:10:00.000Z"
    after = spans_of(dev.http, run_id)
    assert [s["spanId"] for s in after] == [s["spanId"] for s in before]
    dev.wait(DAY)
    assert spans_of(dev.http, run_id) == after
    assert dev.told("POST", f"/v2/runs/{run_id}/cancel") == {"id": run_id}
    assert dev.run(run_id) == run


def test_a_replay_is_a_new_run_with_what_went_into_the_other(dev):
    options = {"tags": ["a", "b"], "metadata": {"x": {"y": None}}, "machine": "micro"}
    first = dev.start("my-task", {"a": [1]}, idempotencyKey="k", **options)
    dev.told("POST", f"/v2/runs/{first}/cancel")
    second = dev.told("POST", f"/v1/runs/{first}/replay")["id"]
    old, new = dev.run(first), dev.run(second)
    assert second != first
    assert new["status"] in {"QUEUED", "PENDING_VERSION"}
    same = ("payload", "tags", "metadata", "taskIdentifier", "version")
    assert [new[name] for name in same] == [old[name] for name in same]
    assert "idempotencyKey" not in new
    assert dev.list("?filter[machine]=micro")["data"][0]["id"] in {first, second}


def test_a_replay_takes_other_options(dev):
    first = dev.start(payload=1, tags=["a"])
    body = {"payload": '{"json":2}', "payloadType": "application/super+json"}
    body |= {"tags": "b", "metadata": {"z": 1}, "version": "20260101.1"}
    new = dev.run(dev.told("POST", f"/v1/runs/{first}/replay", json=body)["id"])
    told = (new["payload"], new["tags"], new["metadata"], new["version"])
    assert told == (2, ["b"], {"z": 1}, "20260101.1")


def test_tags_are_added_up_to_ten(dev):
    run_id = dev.start(tags=["b"])
    path = f"/v1/runs/{run_id}/tags"
    answer = dev.told("POST", path, json={"tags": ["a", "b", " "]})
    assert answer == {"message": "Successfully set 1 new tags."}
    assert dev.run(run_id)["tags"] == ["a", "b"]
    nine = [str(number) for number in range(9)]
    refused = dev.ask("POST", path, json={"tags": nine})
    assert refused.status_code == 422
    assert "trying to set 11" in refused.json()["error"]
    dev.told("POST", path, json={"tags": nine[:8]})
    dev.wait(DAY)
    assert len(dev.run(run_id)["tags"]) == 10


def test_metadata_is_replaced_and_a_run_goes_on_with_its_own(dev):
    dev.plan("long_running")
    run_id = dev.start(metadata={"a": {"b": 1}, "n": None})
    dev.wait(10 * MINUTE)
    own = dev.run(run_id)["metadata"]
    assert own.keys() == {"a", "n", "progress"}
    new = {"a": {"c": None}, "progress": own["progress"]}
    path = f"/v1/runs/{run_id}/metadata"
    assert dev.told("PUT", path, json={"metadata": new}) == {"metadata": new}
    assert dev.run(run_id)["metadata"] == new
    dev.wait(HOUR)
    assert dev.run(run_id)["metadata"]["a"] == {"c": None}
    dev.told("PUT", path, json={"metadata": {}})
    assert dev.run(run_id)["metadata"] == {}


@pytest.mark.parametrize(
    ("scenario", "error"),
    [("all_attempts_failed", {"type": "BUILT_IN_ERROR", "name": "Error"}),
     ("crashed", {"type": "INTERNAL_ERROR", "code": "TASK_RUN_CRASHED"})],
)  # fmt: skip
def test_a_result_tells_what_went_wrong(dev, scenario, error):
    dev.plan(scenario)
    run_id = dev.start()
    assert dev.ask("GET", f"/v1/runs/{run_id}/result").status_code == 404
    dev.wait(HOUR)
    result = dev.told("GET", f"/v1/runs/{run_id}/result")
    assert (result["ok"], result["taskIdentifier"]) == (False, "my-own")
    assert error.items() <= result["error"].items()
    assert result["error"]["message"] == dev.run(run_id)["error"]["message"]


def test_what_a_run_took_is_the_time_of_its_attempts_without_the_waits(dev, prod):
    prod.plan("waiting")
    run_id = prod.start(machine="small-2x")
    prod.wait(HOUR)
    run = prod.run(run_id)
    spans = spans_of(prod.http, run_id, PROD)
    times = {span["message"]: span["duration"] for span in spans}
    took = (times["Attempt 1"] - times["wait.for()"]) // 1_000_000
    assert run["durationMs"] == took > 0
    assert run["costInCents"] == pytest.approx(took * 0.00000675)
    assert run["baseCostInCents"] == 0.0025
    dev.plan("success")
    run_id = dev.start()
    dev.wait(HOUR)
    assert dev.run(run_id)["costInCents"] == dev.run(run_id)["baseCostInCents"] == 0


def test_a_trace_is_the_spans_of_the_events_each_within_the_one_above(client):
    trace = client.get(f"{RUNS}/run_1234/trace", headers=TRIGGER).json()["trace"]
    found = {}

    def walk(node, parent):
        assert node.get("parentId") == parent
        found[node["id"]] = node["data"]
        for child in node["children"]:
            walk(child, node["id"])

    walk(trace["rootSpan"], None)
    spans = spans_of(client)
    assert re.fullmatch("[0-9a-f]{32}", trace["traceId"])
    assert set(found) == {span["spanId"] for span in spans}
    for span in spans:
        data = found[span["spanId"]]
        start = datetime.fromisoformat(data["startTime"]).timestamp()
        assert round(start * 1_000) == int(span["startTime"]) // 1_000_000
        same = ("message", "duration", "isError", "isPartial", "level", "events")
        assert [data[name] for name in same] == [span[name] for name in same]
        assert data.get("attemptNumber") == span["attemptNumber"]


@pytest.mark.parametrize(
    ("scenario", "span", "old", "new"),
    [("waiting", 4, "FROZEN", "WAITING"), ("success", 0, "EXECUTING", "DEQUEUED"),
     ("retried_then_success", 3, "REATTEMPTING", "EXECUTING")],
)  # fmt: skip
def test_a_header_decides_the_names_of_statuses(dev, scenario, span, old, new):
    dev.plan(scenario)
    run_id = dev.start()
    record = dev.world.collection("trigger-dev", "runs").record(run_id)
    raw = {"FROZEN": "FROZEN", "REATTEMPTING": "REATTEMPTING", "EXECUTING": "DEQUEUED"}
    states = [document["status"] for document in record.documents]
    dev.wait(record.times[states.index(raw[old])] - dev.world.clock.now())
    assert dev.run(run_id)["status"] == new
    none = {"x-trigger-api-version": ""}
    run = dev.run(run_id, headers=none)
    assert run["status"] == old
    assert run["isExecuting"]
    for names, headers in ((new, {}), (old, none)):
        page = dev.list(f"?filter[status]={names}&page[size]=100", headers=headers)
        assert run_id in {run["id"] for run in page["data"]}
        assert {run["status"] for run in page["data"]} == {names}


# Lists


def pages(caller, query="", size=7):
    """All pages forward, and then all of them back again."""
    page = caller.list(f"?page[size]={size}{query}")
    forward = [page]
    while cursor := page["pagination"].get("next"):
        page = caller.list(f"?page[size]={size}&page[after]={cursor}{query}")
        forward.append(page)
    back = [page]
    while cursor := page["pagination"].get("previous"):
        page = caller.list(f"?page[size]={size}&page[before]={cursor}{query}")
        back.append(page)
    return forward, back


@pytest.mark.parametrize("size", [1, 7, 100])
def test_pages_tile_the_list_in_both_directions(dev, size):
    for _ in range(3):  # at one instant, so that only their ids tell them apart
        dev.start()
    forward, back = pages(dev, size=size)
    ids = [[run["id"] for run in page["data"]] for page in forward]
    flat = [run_id for page in ids for run_id in page]
    assert len(flat) == len(set(flat)) > 20
    assert [run["id"] for page in reversed(back) for run in page["data"]] == flat
    times = [(r["createdAt"], r["id"]) for page in forward for r in page["data"]]
    assert times == sorted(times, reverse=True)
    assert "previous" not in forward[0]["pagination"]
    assert "next" not in forward[-1]["pagination"]


def test_a_page_does_not_move_when_runs_are_added(dev):
    first = dev.list("?page[size]=5")
    then = dev.list(f"?page[size]=5&page[after]={first['pagination']['next']}")
    dev.wait(SECOND)
    dev.start()
    now = dev.list(f"?page[size]=5&page[after]={first['pagination']['next']}")
    assert now["data"] == then["data"]


def test_a_list_goes_back_a_week_unless_somebody_says_otherwise(dev):
    run_id = dev.start()
    dev.wait(7 * DAY)
    assert run_id in {run["id"] for run in dev.list("?page[size]=100")["data"]}
    dev.wait(1)
    assert run_id not in {run["id"] for run in dev.list("?page[size]=100")["data"]}
    query = "?page[size]=100&filter[createdAt][from]=1767225600000"
    assert [run["id"] for run in dev.list(query)["data"]] == [run_id]
    assert dev.list("?filter[createdAt][period]=1h")["data"] == []


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("filter[status]=COMPLETED", lambda r: r["status"] == "COMPLETED"),
        ("filter[status]=DELAYED,FAILED",
         lambda r: r["status"] in {"DELAYED", "FAILED"}),
        ("filter[taskIdentifier]=my-task,nope",
         lambda r: r["taskIdentifier"] == "my-task"),
        ("filter[tag]=video,nope", lambda r: "video" in r["tags"]),
        ("filter[version]=20250912.1", lambda _: True),
        ("filter[version]=1", lambda _: False),
        ("filter[isTest]=true", lambda _: False),
        ("filter[isTest]=false", lambda _: True),
        ("filter[queue]=task/my-task,x", lambda r: r["taskIdentifier"] == "my-task"),
        ("filter[schedule]=sched_1", lambda _: False),
        ("filter[bulkAction]=bulk_1", lambda _: False),
        ("filter[error]=error_1", lambda _: False),
        ("filter[createdAt][to]=2025-12-31T12:00:00Z",
         lambda r: r["createdAt"] <= "2025-12-31T12:00:00.000Z"),
        ("filter[createdAt][from]=1767182400000&filter[createdAt][to]=1767218400000",
         lambda r: "2025-12-31T12:00" <= r["createdAt"] <= "2025-12-31T22:00:00.000Z"),
        ("filter[createdAt][period]=2h",
         lambda r: r["createdAt"] >= "2025-12-31T22:00:00.000Z"),
        ("filter[status]=COMPLETED&filter[taskIdentifier]=hello-world",
         lambda r: (r["status"], r["taskIdentifier"]) == ("COMPLETED", "hello-world")),
    ],
)  # fmt: skip
def test_a_filter_leaves_exactly_what_it_is_for(client, query, holds):
    everything = client.get(f"{RUNS}?page[size]=100", headers={**TRIGGER, **SDK})
    some = client.get(f"{RUNS}?page[size]=100&{query}", headers={**TRIGGER, **SDK})
    wanted = [run for run in everything.json()["data"] if holds(run)]
    assert some.json()["data"] == wanted


def test_a_status_that_there_is_not_is_named(client):
    query = "filter[status]=COMPLETED,FOO,BAR"
    answer = client.get(f"{RUNS}?{query}", headers=TRIGGER)
    assert answer.status_code == 400
    assert answer.json()["error"] == "Query Error"
    (detail,) = answer.json()["details"]
    assert detail["message"] == "Invalid status values: FOO, BAR"


def test_environments_do_not_see_each_others_runs(dev, prod):
    run_id = dev.start()
    seen = {run["id"] for run in prod.list("?page[size]=100")["data"]}
    assert run_id not in seen
    for method, path, body in (
        ("GET", f"/v3/runs/{run_id}", None),
        ("GET", f"/v1/runs/{run_id}/trace", None),
        ("POST", f"/v2/runs/{run_id}/cancel", None),
        ("POST", f"/v1/runs/{run_id}/replay", None),
        ("POST", f"/v1/runs/{run_id}/tags", {"tags": "a"}),
        ("PUT", f"/v1/runs/{run_id}/metadata", {"metadata": {}}),
        ("POST", f"/v1/runs/{run_id}/reschedule", {"delay": "1h"}),
    ):
        answer = prod.ask(method, path, **({"json": body} if body else {}))
        assert answer.status_code == 404
        assert ("x-should-retry" in answer.headers) is (method == "GET")
    assert len(dev.world.log) == 1


def test_a_list_tells_of_a_run_what_the_run_tells_itself(dev):
    dev.start(tags=["b", "a"], metadata={"x": 1}, idempotencyKey="k", ttl=60)
    (listed,) = dev.list("?page[size]=1")["data"]
    run = dev.run(listed["id"])
    env = listed.pop("env")
    assert env == {"id": "env_dev", "name": "dev"}
    assert listed.items() <= run.items()
    assert run.keys() - listed.keys() == {
        *("triggerFunction", "attempts", "attemptCount", "relatedRuns")
    }


# Batches


def test_a_batch_starts_its_runs_and_is_done_with_the_last(dev, prod):
    items = [
        {"task": "my-task", "payload": 1},
        {"task": "any", "options": {"delay": "1m"}},
    ]
    dev.plan("all_attempts_failed")
    dev.plan("success")
    batch = dev.told("POST", "/v1/tasks/batch", json={"items": items})
    path = f"/v1/batches/{batch['batchId']}"
    shown = dev.told("GET", path)
    assert (shown["status"], shown["runs"]) == ("PROCESSING", batch["runs"])
    run = dev.run(batch["runs"][0])
    assert (run["batchId"], run["triggerFunction"]) == (shown["id"], "batchTrigger")
    dev.wait(50 * SECOND)
    results = dev.told("GET", f"{path}/results")
    assert [item["ok"] for item in results["items"]] == [False]
    assert dev.told("GET", path)["status"] == "PROCESSING"
    dev.wait(MINUTE)
    shown = dev.told("GET", path)
    counts = (shown["successfulRunCount"], shown["failedRunCount"])
    assert (shown["status"], counts) == ("COMPLETED", (1, 1))
    assert shown["updatedAt"] == dev.run(batch["runs"][1])["finishedAt"]
    assert len(dev.told("GET", f"{path}/results")["items"]) == 2
    assert prod.ask("GET", path).status_code == 404


def test_items_of_one_key_are_one_run(dev):
    items = [{"options": {"idempotencyKey": "k"}}, {"options": {"idempotencyKey": "k"}}]
    batch = dev.told("POST", "/v1/tasks/a/batch", json={"items": items})
    assert len(batch["runs"]) == 2
    assert len(set(batch["runs"])) == 1


def test_a_batch_with_one_wrong_item_starts_nothing(dev):
    items = [{"task": "a"}, {"task": "b", "options": {"delay": "soon"}}]
    refused = dev.ask("POST", "/v1/tasks/batch", json={"items": items})
    assert refused.status_code == 400
    assert "items.1.options.delay" in refused.json()["error"]
    assert len(dev.world.log) == 0


def lines(*items):
    return {
        "content": b"\n".join(map(orjson.dumps, items)),
        "headers": {"content-type": "application/x-ndjson"},
    }


def test_a_batch_is_made_filled_and_then_starts(dev):
    made = dev.told("POST", "/v3/batches", json={"runCount": 2, "idempotencyKey": "k"})
    path = f"/v3/batches/{made['id']}/items"
    late = {"index": 1, "task": "late", "payload": "x"}
    some = dev.told("POST", path, **lines(late, late))
    counts = {"itemsAccepted": 1, "itemsDeduplicated": 1}
    left = {"sealed": False, "enqueuedCount": 1, "expectedCount": 2}
    assert some == {"id": made["id"], **counts, **left}
    assert dev.told("GET", f"/v2/batches/{made['id']}")["status"] == "PENDING"
    rest = dev.told("POST", path, **lines({"index": 0, "task": "soon"}, late))
    assert rest == {"id": made["id"], **counts, "sealed": True}
    shown = dev.told("GET", f"/v2/batches/{made['id']}")
    tasks = [dev.run(run)["taskIdentifier"] for run in shown["runs"]]
    assert tasks == ["soon", "late"]
    assert dev.run(shown["runs"][1])["payload"] == "x"
    assert dev.ask("POST", path, **lines(late)).status_code == 422
    again = dev.ask("POST", "/v3/batches", json={"runCount": 9, "idempotencyKey": "k"})
    assert again.status_code == 200
    assert again.json() == {"id": made["id"], "runCount": 2, "isCached": True}
    dev.wait(HOUR)
    shown = dev.told("GET", f"/v2/batches/{made['id']}")
    assert shown["status"] == "COMPLETED"
    assert shown["processing"]["completedAt"] == shown["updatedAt"]


def test_an_item_beyond_the_count_is_refused(dev):
    made = dev.told("POST", "/v3/batches", json={"runCount": 1})
    path = f"/v3/batches/{made['id']}/items"
    assert dev.ask("POST", path, **lines({"index": 1, "task": "a"})).status_code == 422


def test_a_batch_hands_its_parent_to_its_runs(dev):
    parent = dev.start()
    body = {"runCount": 1, "parentRunId": parent, "resumeParentOnCompletion": True}
    made = dev.told("POST", "/v3/batches", json=body)
    dev.told(
        "POST", f"/v3/batches/{made['id']}/items", **lines({"index": 0, "task": "a"})
    )
    (run_id,) = dev.told("GET", f"/v2/batches/{made['id']}")["runs"]
    run = dev.run(run_id)
    assert run["triggerFunction"] == "batchTriggerAndWait"
    assert run["relatedRuns"]["parent"]["id"] == parent


# Following a run


def shape(dev, run_id, **query):
    url = f"/trigger-dev/realtime/v1/runs/{run_id}"
    answer = dev.http.get(url, params=query, headers=dev.headers)
    assert answer.status_code == 200, answer.text
    *changes, last = answer.json()
    assert last == {"headers": {"control": "up-to-date"}}
    known = {
        "offset": answer.headers["electric-offset"],
        "handle": answer.headers["electric-handle"],
    }
    return changes, known, json.loads(answer.headers["electric-schema"])


def test_a_followed_run_is_a_row_of_text_with_its_types(dev):
    dev.plan("all_attempts_failed")
    run_id = dev.start(payload={"a": None}, tags=['say "hi"', "b\\c"], ttl=60)
    dev.wait(HOUR)
    ((change,), _, columns) = shape(dev, run_id, offset="-1")
    row = change["value"]
    assert change["headers"]["operation"] == "insert"
    assert row.keys() == columns.keys()
    assert all(isinstance(value, str | None) for value in row.values())
    assert row["status"] == "COMPLETED_WITH_ERRORS"
    assert row["createdAt"] == "2026-01-01T00:00:00.000"
    assert row["runTags"] == '{"say \\"hi\\"","b\\\\c"}'
    assert (row["payload"], row["output"], row["isTest"]) == (
        '{"a":null}',
        None,
        "false",
    )
    assert json.loads(row["error"])["type"] == "BUILT_IN_ERROR"
    assert columns["usageDurationMs"] == {"type": "int4"}
    assert columns["runTags"] == {"type": "text", "dims": 1}
    assert int(row["usageDurationMs"]) == dev.run(run_id)["durationMs"]


def test_who_has_the_row_is_told_of_changes_only(dev):
    dev.plan("success")
    run_id = dev.start()
    _, known, _ = shape(dev, run_id, offset="-1")
    assert shape(dev, run_id, **known)[0] == []
    dev.told("POST", f"/v2/runs/{run_id}/cancel")  # at the same instant
    (change,), known, _ = shape(dev, run_id, **known, live="true")
    assert change["headers"]["operation"] == "update"
    assert change["value"]["status"] == "CANCELED"
    assert shape(dev, run_id, **known)[0] == []


def test_columns_can_be_left_out_but_for_those_that_a_client_needs(dev):
    run_id = dev.start(payload=1)
    ((change,), _, columns) = shape(dev, run_id, skipColumns="payload,status,output")
    assert not {"payload", "output"} & (change["value"].keys() | columns.keys())
    assert change["value"]["status"]


# A record without a run


def test_a_run_that_was_only_put_there_is_told_and_never_breaks(dev):
    world = dev.world
    run_id = dev.start()
    document = world.collection("trigger-dev", "runs").get(run_id, world.clock.now())
    world.apply(
        Put("trigger-dev", "runs", "run_put", {**document, "status": "DELAYED"})
    )
    assert dev.run("run_put")["status"] == "DELAYED"
    assert dev.told("POST", "/v2/runs/run_put/cancel") == {"id": "run_put"}
    path = "/v1/runs/run_put/reschedule"
    assert dev.ask("POST", path, json={"delay": "1h"}).status_code == 400
    assert (
        dev.told("GET", "/v1/runs/run_put/trace")["trace"]["rootSpan"]["children"] == []
    )
    assert dev.told("POST", "/v1/runs/run_put/replay")["id"] != run_id
