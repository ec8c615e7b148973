"""Trigger.dev v3: batches of runs."""

import orjson

from soundstage.world.clock import HOUR, MINUTE, SECOND


def test_a_batch_starts_its_runs_and_is_done_with_the_last(dev, prod):
    items = [{"task": "my-task", "payload": 1}, {"task": "any", "options": {"delay": "1m"}}]
    dev.plan("all_attempts_failed")
    dev.plan("success")
    batch = dev.post("/v1/tasks/batch", {"items": items})
    path = f"/v1/batches/{batch['batchId']}"
    shown = dev.get(path)
    assert (shown["status"], shown["runs"]) == ("PROCESSING", batch["runs"])
    run = dev.get_run(batch["runs"][0])
    assert (run["batchId"], run["triggerFunction"]) == (shown["id"], "batchTrigger")
    dev.advance(50 * SECOND)
    results = dev.get(f"{path}/results")
    assert [item["ok"] for item in results["items"]] == [False]
    assert dev.get(path)["status"] == "PROCESSING"
    dev.advance(MINUTE)
    shown = dev.get(path)
    counts = (shown["successfulRunCount"], shown["failedRunCount"])
    assert (shown["status"], counts) == ("COMPLETED", (1, 1))
    assert shown["updatedAt"] == dev.get_run(batch["runs"][1])["finishedAt"]
    assert len(dev.get(f"{path}/results")["items"]) == 2
    assert prod.request("GET", path).status_code == 404


def test_items_of_one_key_are_one_run(dev):
    items = [{"options": {"idempotencyKey": "k"}}, {"options": {"idempotencyKey": "k"}}]
    batch = dev.post("/v1/tasks/a/batch", {"items": items})
    assert len(batch["runs"]) == 2
    assert len(set(batch["runs"])) == 1


def test_a_batch_with_one_wrong_item_starts_nothing(dev):
    items = [{"task": "a"}, {"task": "b", "options": {"delay": "soon"}}]
    rejected = dev.request("POST", "/v1/tasks/batch", json={"items": items})
    assert rejected.status_code == 400
    assert "items.1.options.delay" in rejected.json()["error"]
    assert len(dev.world.log) == 0


def lines(*items):
    return {
        "content": b"\n".join(map(orjson.dumps, items)),
        "headers": {"content-type": "application/x-ndjson"},
    }


def test_a_batch_starts_with_its_last_item(dev):
    created = dev.post("/v3/batches", {"runCount": 2, "idempotencyKey": "k"})
    path = f"/v3/batches/{created['id']}/items"
    late = {"index": 1, "task": "late", "payload": "x"}
    some = dev.post(path, **lines(late, late))
    counts = {"itemsAccepted": 1, "itemsDeduplicated": 1}
    left = {"sealed": False, "enqueuedCount": 1, "expectedCount": 2}
    assert some == {"id": created["id"], **counts, **left}
    assert dev.get(f"/v2/batches/{created['id']}")["status"] == "PENDING"
    again = {**late, "payload": "the first one counts"}
    rest = dev.post(path, **lines({"index": 0, "task": "soon"}, again))
    assert rest == {"id": created["id"], **counts, "sealed": True}
    shown = dev.get(f"/v2/batches/{created['id']}")
    tasks = [dev.get_run(run)["taskIdentifier"] for run in shown["runs"]]
    assert tasks == ["soon", "late"]
    assert dev.get_run(shown["runs"][1])["payload"] == "x"
    assert dev.request("POST", path, **lines(late)).status_code == 422
    again = dev.request("POST", "/v3/batches", json={"runCount": 9, "idempotencyKey": "k"})
    assert again.status_code == 200
    assert again.json() == {"id": created["id"], "runCount": 2, "isCached": True}
    dev.advance(HOUR)
    shown = dev.get(f"/v2/batches/{created['id']}")
    assert shown["status"] == "COMPLETED"
    assert shown["processing"]["completedAt"] == shown["updatedAt"]


def test_an_item_beyond_the_count_is_rejected(dev):
    created = dev.post("/v3/batches", {"runCount": 1})
    path = f"/v3/batches/{created['id']}/items"
    assert dev.request("POST", path, **lines({"index": 1, "task": "a"})).status_code == 422


def test_the_runs_of_a_batch_have_its_parent(dev):
    parent = dev.start()
    body = {"runCount": 1, "parentRunId": parent, "resumeParentOnCompletion": True}
    created = dev.post("/v3/batches", body)
    dev.post(f"/v3/batches/{created['id']}/items", **lines({"index": 0, "task": "a"}))
    (run_id,) = dev.get(f"/v2/batches/{created['id']}")["runs"]
    run = dev.get_run(run_id)
    assert run["triggerFunction"] == "batchTriggerAndWait"
    assert run["relatedRuns"]["parent"]["id"] == parent
