"""Trigger.dev v3: start runs, up to their end."""

from dataclasses import replace

import pytest
from trigger_dev_client import TriggerDevClient

from soundstage.world.clock import DAY, HOUR, MINUTE, SECOND
from soundstage.world.world import World, WorldOptions
from support.client import in_process_client


def test_a_run_passes_through_its_statuses_as_time_passes(dev):
    dev.plan("success")
    run_id = dev.start(payload={"to": "Ada"})
    seen = [dev.get_run(run_id)["status"]]
    while seen[-1] != "COMPLETED":
        dev.advance(20)
        if (status := dev.get_run(run_id)["status"]) != seen[-1]:
            seen.append(status)
    assert seen == ["QUEUED", "DEQUEUED", "EXECUTING", "COMPLETED"]
    run = dev.get_run(run_id)
    assert run["payload"] == {"to": "Ada"}
    assert run["output"] == {"ok": True}
    assert (run["isCompleted"], run["isSuccess"], run["isFailed"]) == (True, True, False)
    assert run["createdAt"] < run["startedAt"] < run["finishedAt"] == run["updatedAt"]


def test_any_task_can_be_triggered_and_a_listed_one_is_found_by_its_environment(dev, prod):
    for caller, environment in ((dev, "dev"), (prod, "prod")):
        run_id = caller.start("process-video")
        assert caller.get_run(run_id)["taskIdentifier"] == "process-video"
        run = dev.world.state("trigger-dev").runs[run_id]
        assert run.variables["environment"] == environment
    assert dev.get_run(dev.start("a%2Fb"))["taskIdentifier"] == "a/b"


@pytest.mark.parametrize(
    ("payload", "payload_type", "expected"),
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
def test_a_payload_is_decoded_by_its_type(dev, payload, payload_type, expected):
    options = {"payloadType": payload_type} if payload_type else {}
    run = dev.get_run(dev.start(payload=payload, **options))
    assert run.get("payload", ...) == expected


def test_fields_without_a_value_are_left_out(dev):
    run = dev.get_run(dev.start())
    assert (
        not {
            *("payload", "output", "error", "ttl", "metadata", "batchId", "delayedUntil"),
            *("idempotencyKey", "startedAt", "finishedAt", "expiredAt", "schedule"),
        }
        & run.keys()
    )
    assert None not in run.values()


def test_an_idempotency_key_identifies_a_run_of_its_task(dev, prod):
    first = dev.trigger(idempotencyKey="k")
    assert first["isCached"] is False
    assert dev.trigger(idempotencyKey="k") == {**first, "isCached": True}
    assert dev.trigger(headers={"idempotency-key": "k"})["id"] == first["id"]
    assert dev.trigger("other", idempotencyKey="k")["id"] != first["id"]
    assert prod.trigger(idempotencyKey="k")["id"] != first["id"]
    assert dev.trigger(idempotencyKey="k2")["id"] != first["id"]


def test_an_idempotency_key_is_valid_for_its_time(dev):
    first = dev.start(idempotencyKey="k", idempotencyKeyTTL="60s")
    dev.advance(MINUTE - 1)
    assert dev.start(idempotencyKey="k") == first
    dev.advance(1)
    assert dev.start(idempotencyKey="k") != first
    dev.advance(29 * DAY)
    again = dev.trigger(idempotencyKey="k")
    assert again["isCached"]
    dev.advance(2 * DAY)
    assert dev.start(idempotencyKey="k") != again["id"]


@pytest.mark.parametrize(
    ("scenario", "cached"),
    [("success", True), ("all_attempts_failed", False), ("crashed", False),
     ("expired", False), ("timed_out", False)],
)  # fmt: skip
def test_a_failed_run_releases_its_key(dev, scenario, cached):
    dev.plan(scenario)
    dev.start(idempotencyKey="k")
    dev.advance(HOUR)
    assert dev.trigger(idempotencyKey="k")["isCached"] is cached


def test_a_cancelled_run_keeps_its_key(dev):
    first = dev.start(idempotencyKey="k")
    dev.post(f"/v2/runs/{first}/cancel")
    assert dev.start(idempotencyKey="k") == first


def test_a_run_shows_the_key_that_its_user_wrote(dev):
    user = {"key": "order-1", "scope": "global"}
    run_id = dev.start(idempotencyKey="f00d", idempotencyKeyOptions=user)
    assert dev.get_run(run_id)["idempotencyKey"] == "order-1"
    assert dev.get_run(dev.start(idempotencyKey="k"))["idempotencyKey"] == "k"


def test_a_repeated_request_starts_no_second_run(dev):
    again = {"x-trigger-request-idempotency-key": "f3c1"}
    first = dev.trigger(headers=again)
    assert dev.trigger(headers=again) == first == {**first, "isCached": False}
    assert dev.start() != first["id"]


def test_a_delayed_run_waits_and_then_runs_to_its_end(dev):
    dev.plan("success")
    run_id = dev.start(delay="1h30m")
    run = dev.get_run(run_id)
    assert (run["status"], run["isQueued"]) == ("DELAYED", True)
    assert run["delayedUntil"] == "2026-01-01T01:30:00.000Z"
    dev.advance(90 * MINUTE - 1)
    assert dev.get_run(run_id)["status"] == "DELAYED"
    dev.advance(1)
    assert dev.get_run(run_id)["status"] == "QUEUED"
    dev.advance(MINUTE)
    assert dev.get_run(run_id)["status"] == "COMPLETED"


@pytest.mark.parametrize(
    ("delay", "status"),
    [("2026-01-01T00:00:01Z", "DELAYED"), ("2026-01-01T02:00:01+02:00", "DELAYED"),
     ("2026-01-01T00:00:00Z", "QUEUED"), ("2025-01-01T00:00:00Z", "QUEUED"),
     ("0s", "QUEUED"), ("1s", "DELAYED"), ("1w2d3hr", "DELAYED")],
)  # fmt: skip
def test_a_delay_is_a_duration_or_a_future_time(dev, delay, status):
    dev.plan("success")
    assert dev.get_run(dev.start(delay=delay))["status"] == status


@pytest.mark.parametrize(
    "options", [{"delay": "9999-12-31T23:59:59Z"}, {"delay": "999999w"}, {"ttl": "0s"}, {"ttl": 0}]
)
def test_no_duration_is_too_long_or_too_short(dev, options):
    dev.plan("expired")
    assert dev.get_run(dev.start(**options))["status"] in {"DELAYED", "QUEUED"}


def test_a_delayed_run_is_rescheduled_and_no_other(dev):
    dev.plan("success")
    run_id = dev.start(delay="1m", tags=["a"], payload=1)
    dev.advance(30 * SECOND)
    path = f"/v1/runs/{run_id}/reschedule"
    run = dev.post(path, {"delay": "1h"})
    assert run["delayedUntil"] == "2026-01-01T01:00:30.000Z"
    assert (run["tags"], run["payload"], run["status"]) == (["a"], 1, "DELAYED")
    dev.advance(HOUR - 1)
    assert dev.get_run(run_id)["status"] == "DELAYED"
    dev.advance(1)
    assert dev.get_run(run_id)["status"] == "QUEUED"
    dev.advance(MINUTE)
    assert dev.get_run(run_id)["status"] == "COMPLETED"
    assert dev.request("POST", path, json={"delay": "1h"}).status_code == 400


def test_the_delayed_run_of_the_past_is_rescheduled_too(dev):
    dev.post("/v1/runs/run_5678/reschedule", {"delay": "10s"})
    dev.advance(MINUTE)
    assert dev.get_run("run_5678")["status"] == "COMPLETED"


def test_a_run_that_waits_longer_than_its_ttl_expires(dev):
    dev.plan("congested", times=2)
    short, long = dev.start(ttl="10s"), dev.start(ttl=60)
    assert dev.get_run(long)["ttl"] == "1m"
    dev.advance(10 * SECOND - 1)
    assert dev.get_run(short)["status"] == "QUEUED"
    dev.advance(1)
    run = dev.get_run(short)
    assert run["status"] == "EXPIRED"
    assert run["expiredAt"] == "2026-01-01T00:00:10.000Z"
    assert "TTL (10s)" in run["error"]["message"]
    dev.advance(MINUTE)
    assert dev.get_run(long)["status"] == "COMPLETED"
    assert "expiredAt" not in dev.get_run(long)


def test_a_ttl_counts_from_when_a_delayed_run_is_queued(dev):
    dev.plan("congested")
    run_id = dev.start(delay="1m", ttl="10s")
    dev.advance(MINUTE)
    assert dev.get_run(run_id)["status"] == "QUEUED"
    dev.advance(10 * SECOND)
    assert dev.get_run(run_id)["status"] == "EXPIRED"


def test_a_run_that_takes_longer_than_its_max_duration_times_out(dev):
    dev.plan("long_running")
    run_id = dev.start(maxDuration=30)
    dev.advance(29 * SECOND)
    assert dev.get_run(run_id)["status"] == "EXECUTING"
    dev.advance(2 * SECOND)
    run = dev.get_run(run_id)
    assert run["status"] == "TIMED_OUT"
    assert "30s" in run["error"]["message"]
    assert not any(span["isPartial"] for span in dev.list_spans(run_id))


def test_what_expired_or_timed_out_is_not_completed_as_at_the_real_server(dev):
    dev.plan("expired")
    run_id = dev.start()
    dev.advance(HOUR)
    run = dev.get_run(run_id)
    flags = [name for name, value in run.items() if name.startswith("is") and value]
    assert (run["status"], flags) == ("EXPIRED", [])
    assert dev.request("GET", f"/v1/runs/{run_id}/result").status_code == 404


def test_a_task_that_the_fixture_lacks_is_rejected(services, world, judges):
    service = services["trigger-dev"]
    script = service.fixture.definitions
    tasks = {name: task for name, task in script.tasks.items() if name != "*"}
    fixture = replace(service.fixture, definitions=replace(script, tasks=tasks))
    world = World({"trigger-dev": fixture}, WorldOptions(start_at=0, speed=0))
    one = {"items": [{}]}
    with in_process_client({"trigger-dev": service}, world, judges) as http:
        caller = TriggerDevClient(http, world)
        for path, body in (
            ("/v1/tasks/nope/trigger", {}),
            ("/v1/tasks/nope/batch", one),
            ("/v1/tasks/batch", {"items": [{"task": "my-task"}, {"task": "nope"}]}),
        ):
            response = caller.request("POST", path, json=body)
            assert response.status_code == 404
            assert response.json() == {"error": "Task not found"}
        assert len(world.log) == 0
        assert caller.start("my-task")


def test_a_parent_and_its_children_know_one_another(dev, prod):
    parent = dev.start()
    child = dev.start(parentRunId=parent, resumeParentOnCompletion=True)
    grandchild = dev.start(parentRunId=child)
    run = dev.get_run(child)
    assert (run["depth"], run["triggerFunction"]) == (1, "triggerAndWait")
    assert run["relatedRuns"]["parent"]["id"] == parent
    assert [r["id"] for r in run["relatedRuns"]["children"]] == [grandchild]
    below = dev.get_run(grandchild)["relatedRuns"]
    assert (below["root"]["id"], below["parent"]["depth"]) == (parent, 1)
    assert dev.get_run(parent)["relatedRuns"]["children"][0]["triggerFunction"]
    assert prod.get_run(prod.start(parentRunId=parent))["relatedRuns"] == {}
