"""Trigger.dev v3: read and change one run."""

import pytest

from soundstage.world.clock import DAY, HOUR, MINUTE
from soundstage.world.commands import Put
from soundstage.world.errors import FixtureError


def test_a_cancelled_run_keeps_its_past_and_gains_no_later_event(dev):
    dev.plan("long_running")
    run_id = dev.start("process-video")
    dev.advance(10 * MINUTE)
    before = dev.list_spans(run_id)
    assert dev.post(f"/v2/runs/{run_id}/cancel") == {"id": run_id}
    run = dev.get_run(run_id)
    assert (run["status"], run["isCancelled"]) == ("CANCELED", True)
    assert run["finishedAt"] == "2026-01-01T00:10:00.000Z"
    after = dev.list_spans(run_id)
    assert [s["spanId"] for s in after] == [s["spanId"] for s in before]
    dev.advance(DAY)
    assert dev.list_spans(run_id) == after
    assert dev.post(f"/v2/runs/{run_id}/cancel") == {"id": run_id}
    assert dev.get_run(run_id) == run
    error = dev.get(f"/v1/runs/{run_id}/result")["error"]
    assert error == {"type": "INTERNAL_ERROR", "code": "TASK_RUN_CANCELLED"}


def test_a_replay_is_a_new_run_with_the_input_of_the_other(dev):
    options = {"tags": ["a", "b"], "metadata": {"x": {"y": None}}, "machine": "micro"}
    first = dev.start("my-task", {"a": [1]}, idempotencyKey="k", **options)
    dev.post(f"/v2/runs/{first}/cancel")
    second = dev.post(f"/v1/runs/{first}/replay")["id"]
    old, new = dev.get_run(first), dev.get_run(second)
    assert second != first
    assert new["status"] in {"QUEUED", "PENDING_VERSION"}
    same = ("payload", "tags", "metadata", "taskIdentifier", "version")
    assert [new[name] for name in same] == [old[name] for name in same]
    assert "idempotencyKey" not in new
    assert dev.list_runs("?filter[machine]=micro")["data"][0]["id"] in {first, second}


def test_a_replay_takes_other_options(dev):
    first = dev.start(payload=1, tags=["a"])
    body = {"payload": '{"json":2}', "payloadType": "application/super+json"}
    body |= {"tags": "b", "metadata": {"z": 1}, "version": "20260101.1"}
    new = dev.get_run(dev.post(f"/v1/runs/{first}/replay", body)["id"])
    values = (new["payload"], new["tags"], new["metadata"], new["version"])
    assert values == (2, ["b"], {"z": 1}, "20260101.1")


def test_tags_are_added_up_to_ten(dev):
    run_id = dev.start(tags=["b"])
    path = f"/v1/runs/{run_id}/tags"
    response = dev.post(path, {"tags": ["a", "b", " "]})
    assert response == {"message": "Successfully set 1 new tags."}
    assert dev.get_run(run_id)["tags"] == ["a", "b"]
    nine = [str(number) for number in range(9)]
    rejected = dev.request("POST", path, json={"tags": nine})
    assert rejected.status_code == 422
    assert "trying to set 11" in rejected.json()["error"]
    dev.post(path, {"tags": nine[:8]})
    dev.advance(DAY)
    assert len(dev.get_run(run_id)["tags"]) == 10


def test_metadata_is_replaced_and_a_run_goes_on_with_its_own(dev):
    dev.plan("long_running")
    run_id = dev.start(metadata={"a": {"b": 1}, "n": None})
    dev.advance(10 * MINUTE)
    own = dev.get_run(run_id)["metadata"]
    assert own.keys() == {"a", "n", "progress"}
    new = {"a": {"c": None}, "progress": own["progress"]}
    path = f"/v1/runs/{run_id}/metadata"
    assert dev.put(path, {"metadata": new}) == {"metadata": new}
    assert dev.get_run(run_id)["metadata"] == new
    dev.advance(HOUR)
    assert dev.get_run(run_id)["metadata"]["a"] == {"c": None}
    dev.put(path, {"metadata": {}})
    assert dev.get_run(run_id)["metadata"] == {}


@pytest.mark.parametrize(
    ("scenario", "error"),
    [("all_attempts_failed", {"type": "BUILT_IN_ERROR", "name": "Error"}),
     ("crashed", {"type": "INTERNAL_ERROR", "code": "TASK_RUN_CRASHED"})],
)  # fmt: skip
def test_a_result_has_the_error_of_the_run(dev, scenario, error):
    dev.plan(scenario)
    run_id = dev.start()
    assert dev.request("GET", f"/v1/runs/{run_id}/result").status_code == 404
    dev.advance(HOUR)
    result = dev.get(f"/v1/runs/{run_id}/result")
    assert (result["ok"], result["taskIdentifier"]) == (False, "my-own")
    assert error.items() <= result["error"].items()
    assert result["error"]["message"] == dev.get_run(run_id)["error"]["message"]


def test_the_duration_of_a_run_is_that_of_its_attempts_without_waits(dev, prod):
    prod.plan("waiting")
    run_id = prod.start(machine="small-2x")
    prod.advance(HOUR)
    run = prod.get_run(run_id)
    spans = prod.list_spans(run_id)
    times = {span["message"]: span["duration"] for span in spans}
    took = (times["Attempt 1"] - times["wait.for()"]) // 1_000_000
    assert run["durationMs"] == took > 0
    assert run["costInCents"] == pytest.approx(took * 0.00000675)
    assert run["baseCostInCents"] == 0.0025
    dev.plan("success")
    run_id = dev.start()
    dev.advance(HOUR)
    assert dev.get_run(run_id)["costInCents"] == dev.get_run(run_id)["baseCostInCents"] == 0


@pytest.mark.parametrize(
    ("scenario", "span", "old", "new"),
    [("waiting", 4, "FROZEN", "WAITING"), ("success", 0, "EXECUTING", "DEQUEUED"),
     ("retried_then_success", 3, "REATTEMPTING", "EXECUTING")],
)  # fmt: skip
def test_a_header_decides_the_names_of_statuses(dev, scenario, span, old, new):
    dev.plan(scenario)
    run_id = dev.start()
    record = dev.world.collection("trigger-dev", "runs").get_record(run_id)
    raw = {"FROZEN": "FROZEN", "REATTEMPTING": "REATTEMPTING", "EXECUTING": "DEQUEUED"}
    states = [document["status"] for document in record.versions]
    dev.advance(record.timestamps[states.index(raw[old])] - dev.world.clock.now())
    run = dev.get_run(run_id)
    assert (run["status"], run["isWaiting"]) == (new, new == "WAITING")
    none = {"x-trigger-api-version": ""}
    run = dev.get_run(run_id, headers=none)
    assert run["status"] == old
    assert run["isExecuting"]
    for names, headers in ((new, {}), (old, none)):
        page = dev.list_runs(f"?filter[status]={names}&page[size]=100", headers=headers)
        assert run_id in {run["id"] for run in page["data"]}
        assert {run["status"] for run in page["data"]} == {names}


def test_every_operation_serves_a_record_without_a_run(dev):
    world = dev.world
    run_id = dev.start()
    document = world.collection("trigger-dev", "runs").get(run_id, world.clock.now())
    world.apply(Put("trigger-dev", "runs", "run_put", {**document, "status": "DELAYED"}))
    assert dev.get_run("run_put")["status"] == "DELAYED"
    assert dev.post("/v2/runs/run_put/cancel") == {"id": "run_put"}
    path = "/v1/runs/run_put/reschedule"
    assert dev.request("POST", path, json={"delay": "1h"}).status_code == 400
    assert dev.get("/v1/runs/run_put/trace")["trace"]["rootSpan"]["children"] == []
    assert dev.post("/v1/runs/run_put/replay")["id"] != run_id


@pytest.mark.parametrize(
    ("collection", "document"),
    [
        ("runs", {"status": "QUEUED"}),
        ("batches", {"environment": "dev", "runCount": 1}),
        ("keys", {"of": "run_1234"}),
    ],
)
def test_a_record_that_violates_its_schema_is_not_stored(world, collection, document):
    with pytest.raises(FixtureError):
        world.apply(Put("trigger-dev", collection, "x", document))
