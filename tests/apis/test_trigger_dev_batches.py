"""Trigger.dev v3: batches of runs."""

import orjson
import pytest
from table.trigger_dev import TRIGGER
from trigger_caller import HOUR, MINUTE, PROD, SECOND, Caller

from support.client import in_process_client


@pytest.fixture
def dev(services, world, judges):
    with in_process_client(services, world, judges) as http:
        yield Caller(http, world, TRIGGER)


@pytest.fixture
def prod(dev):
    return Caller(dev.http, dev.world, PROD)


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
    again = {**late, "payload": "the first one counts"}
    rest = dev.told("POST", path, **lines({"index": 0, "task": "soon"}, again))
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
