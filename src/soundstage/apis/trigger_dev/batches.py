"""Batches: start many runs by one request, or by a batch and its items."""

from collections.abc import Iterable

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.access import get_own
from soundstage.apis.trigger_dev.errors import RejectedRequest
from soundstage.apis.trigger_dev.idempotency import build_key, find_record_id, store_key
from soundstage.apis.trigger_dev.model import BATCH_ID
from soundstage.apis.trigger_dev.results import build_result
from soundstage.apis.trigger_dev.trigger import TriggerRequest, build_request, start_run
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339
from soundstage.world.commands import Put


def trigger_tasks(context: RequestContext) -> Response:
    """Start a batch of runs, each of its own task."""
    batch_id = context.new_id(BATCH_ID)
    requests = [
        build_request(context, item["task"], item, batch_id) for item in context.body["items"]
    ]
    return _start_batch(context, batch_id, requests)


def trigger_task_batch(context: RequestContext) -> Response:
    """Start a batch of runs of one task."""
    batch_id, task = context.new_id(BATCH_ID), context.parameters["taskIdentifier"]
    requests = [build_request(context, task, item, batch_id) for item in context.body["items"]]
    return _start_batch(context, batch_id, requests)


def _start_batch(
    context: RequestContext, batch_id: str, requests: Iterable[TriggerRequest]
) -> Response:
    runs = [start_run(context, request)[0] for request in requests]
    _store_batch(context, batch_id, {"runCount": len(runs), "runs": runs})
    return Response({"batchId": batch_id, "runs": runs})


def create_batch(context: RequestContext) -> Response:
    """Create an empty batch, or return the one that an idempotency key identifies."""
    body = context.body
    name, count = body.get("idempotencyKey"), body["runCount"]
    key = build_key(context, "batch", name)
    existing_id = find_record_id(context, key) or ""
    if batch := context.collection("batches").get(existing_id, context.now):
        return Response({"id": batch["id"], "runCount": batch["runCount"], "isCached": True})
    batch_id = context.new_id(BATCH_ID)
    inherited = ("parentRunId", "resumeParentOnCompletion")
    options = {name: body[name] for name in inherited if name in body}
    named = {"idempotencyKey": name} if name else {}
    store_key(context, key, batch_id)
    _store_batch(context, batch_id, {"runCount": count, "items": {}, "options": options, **named})
    created = {"id": batch_id, "runCount": count, "isCached": False}
    return Response({**created, **named}, 202)


def add_batch_items(context: RequestContext) -> Response:
    """Add items to a batch; the last missing one starts its runs."""
    batch = _get_batch(context)
    batch_id, count = batch["id"], batch["runCount"]
    if "runs" in batch:
        message = f"Batch {batch_id} is already sealed and cannot accept more items"
        raise RejectedRequest(422, message)
    items = dict(batch["items"])
    for item in context.body:
        if item["index"] >= count:
            message = f"Item index {item['index']} exceeds batch runCount {count}"
            raise RejectedRequest(422, message)
        # The first item of an index counts, as clients send items again.
        items.setdefault(str(item["index"]), item)
    # All items are checked before the first run starts.
    requests = [_build_request(context, batch, items[key]) for key in sorted(items, key=int)]
    accepted = len(items) - len(batch["items"])
    body: JsonObject = {
        "id": batch_id,
        "itemsAccepted": accepted,
        "itemsDeduplicated": len(context.body) - accepted,
        "sealed": len(items) == count,
    }
    if body["sealed"]:
        runs = [start_run(context, request)[0] for request in requests]
        _store_batch(context, batch_id, {**batch, "items": {}, "runs": runs})
    else:
        _store_batch(context, batch_id, {**batch, "items": items})
        body |= {"enqueuedCount": len(items), "expectedCount": count}
    return Response(body)


def _build_request(context: RequestContext, batch: JsonObject, item: JsonObject) -> TriggerRequest:
    options = {**batch["options"], **(item.get("options") or {})}
    item = {**item, "options": options}
    return build_request(context, item["task"], item, batch["id"])


def _get_batch(context: RequestContext) -> JsonObject:
    return get_own(context, "batches", context.parameters["batchId"])


def _store_batch(context: RequestContext, batch_id: str, batch: JsonObject) -> None:
    now = format_rfc3339(context.now)
    # A batch that is stored again keeps the time of its creation.
    document = {
        "createdAt": now,
        **batch,
        "environment": context.credential["environment"],
        "updatedAt": now,
    }
    context.world.apply(Put(context.api, "batches", batch_id, document))


def retrieve_batch(context: RequestContext) -> Response:
    """Return a batch; once all its runs have ended, with the number that succeeded."""
    batch = _get_batch(context)
    body, runs = _render_batch(context, batch), _list_runs(context, batch)
    if body["status"] == "COMPLETED":
        count = sum(run["status"] == "COMPLETED" for run in runs)
        body |= {"successfulRunCount": count, "failedRunCount": len(runs) - count}
    return Response(body)


def retrieve_batch_for_sdk(context: RequestContext) -> Response:
    """Return a batch in the form that the SDK expects."""
    body = _render_batch(context, _get_batch(context))
    is_completed = body["status"] == "COMPLETED"
    completed = {"completedAt": body["updatedAt"]} if is_completed else {}
    return Response({**body, "processing": {**completed, "errors": []}})


def list_batch_results(context: RequestContext) -> Response:
    """Return the results of the runs that have ended."""
    batch = _get_batch(context)
    results = (build_result(context, run) for run in _list_runs(context, batch))
    items = [result for result in results if result]
    return Response({"id": batch["id"], "items": items})


def _list_runs(context: RequestContext, batch: JsonObject) -> list[JsonObject]:
    collection = context.collection("runs")
    runs = (collection.get(run_id, context.now) for run_id in batch.get("runs", ()))
    return [run for run in runs if run]


def _render_batch(context: RequestContext, batch: JsonObject) -> JsonObject:
    runs = _list_runs(context, batch)
    is_final = context.world.state(context.api).definitions.is_final
    is_completed = "runs" in batch and all(map(is_final, runs))
    status = "PROCESSING" if "runs" in batch else "PENDING"
    # A batch of a fixture may lack its times; these follow from its runs.
    times = [run["createdAt"] for run in runs] or [format_rfc3339(context.world.history_end)]
    created: str = batch.get("createdAt", min(times))
    ended = [run.get("finishedAt", created) for run in runs] if is_completed else []
    body = {
        "id": batch["id"],
        "status": "COMPLETED" if is_completed else status,
        "createdAt": created,
        "updatedAt": max([batch.get("updatedAt", created), *ended]),
        "runCount": batch["runCount"],
        "runs": batch.get("runs", []),
    }
    key = batch.get("idempotencyKey")
    return {**body, "idempotencyKey": key} if key else body
