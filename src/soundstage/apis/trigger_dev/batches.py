"""Batches: many runs started at once, by one request or by two."""

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.errors import RejectedRequest, get_own_record
from soundstage.apis.trigger_dev.idempotency import (
    IdempotencyKey,
    find_record_id,
    store_key,
)
from soundstage.apis.trigger_dev.model import BATCH_ID
from soundstage.apis.trigger_dev.results import build_result
from soundstage.apis.trigger_dev.trigger import TriggerRequest, build_request, start_run
from soundstage.types import Document
from soundstage.world.clock import rfc3339
from soundstage.world.commands import Put

COMPLETED = "COMPLETED"


def trigger_tasks(context: RequestContext) -> Response:
    """A batch of runs, each of its own task."""
    id_ = context.new_id(BATCH_ID)
    items = context.body["items"]
    return _start_batch(
        context, id_, [build_request(context, i["task"], i, id_) for i in items]
    )


def trigger_task_batch(context: RequestContext) -> Response:
    """A batch of runs of one task."""
    id_, task = context.new_id(BATCH_ID), context.parameters["taskIdentifier"]
    orders = [build_request(context, task, item, id_) for item in context.body["items"]]
    return _start_batch(context, id_, orders)


def _start_batch(
    context: RequestContext, id_: str, requests: list[TriggerRequest]
) -> Response:
    runs = [start_run(context, order)[0] for order in requests]
    _store_batch(context, id_, {"runCount": len(runs), "runs": runs})
    return Response({"batchId": id_, "runs": runs})


def create_batch(context: RequestContext) -> Response:
    """A batch that is to be filled; or the one that an idempotency key led to."""
    given = context.body
    name = given.get("idempotencyKey")
    key = (
        IdempotencyKey.create("batch", context.credential["environment"], name)
        if name
        else None
    )
    made = find_record_id(context, key) if key else None
    if batch := context.collection("batches").get(made or "", context.now):
        count = batch["runCount"]
        return Response({"id": batch["id"], "runCount": count, "isCached": True})
    id_ = context.new_id(BATCH_ID)
    inherited = {
        n: given[n] for n in ("parentRunId", "resumeParentOnCompletion") if n in given
    }
    batch = {"runCount": given["runCount"], "items": {}, "options": inherited}
    if key:
        batch["idempotencyKey"] = name
        store_key(context, key, id_)
    _store_batch(context, id_, batch)
    answer = {"id": id_, "runCount": given["runCount"], "isCached": False}
    return Response({**answer, "idempotencyKey": name} if name else answer, 202)


def add_batch_items(context: RequestContext) -> Response:
    """Items of a batch; its runs start when the last one is there."""
    batch = get_own_record(context, "batches", context.parameters["batchId"])
    id_, count = batch["id"], batch["runCount"]
    if "runs" in batch:
        text = f"Batch {id_} is already sealed and cannot accept more items"
        raise RejectedRequest(422, text)
    items = dict(batch["items"])
    for item in context.body:
        if item["index"] >= count:
            text = f"Item index {item['index']} exceeds batch runCount {count}"
            raise RejectedRequest(422, text)
        items.setdefault(str(item["index"]), item)
    orders = [
        _build_request(context, batch, items[key]) for key in sorted(items, key=int)
    ]
    accepted = len(items) - len(batch["items"])
    answer: Document = {
        "id": id_,
        "itemsAccepted": accepted,
        "itemsDeduplicated": len(context.body) - accepted,
        "sealed": len(items) == count,
    }
    if answer["sealed"]:
        runs = [start_run(context, order)[0] for order in orders]
        _store_batch(context, id_, {**batch, "items": {}, "runs": runs})
    else:
        _store_batch(context, id_, {**batch, "items": items})
        answer |= {"enqueuedCount": len(items), "expectedCount": count}
    return Response(answer)


def _build_request(
    context: RequestContext, batch: Document, item: Document
) -> TriggerRequest:
    options = {**batch["options"], **(item.get("options") or {})}
    return build_request(
        context, item["task"], {**item, "options": options}, batch["id"]
    )


def _store_batch(context: RequestContext, id_: str, batch: Document) -> None:
    now = rfc3339(context.now)
    own_facts = {"environment": context.credential["environment"], "updatedAt": now}
    document = {"createdAt": now, **batch, **own_facts}
    context.world.apply(Put(context.api, "batches", id_, document))


def retrieve_batch(context: RequestContext) -> Response:
    """How far a batch is; how many succeeded is told when all are over."""
    batch = get_own_record(context, "batches", context.parameters["batchId"])
    shown, runs = _render_batch(context, batch), _list_runs(context, batch)
    if shown["status"] == COMPLETED:
        good = sum(run["status"] == "COMPLETED" for run in runs)
        shown |= {"successfulRunCount": good, "failedRunCount": len(runs) - good}
    return Response(shown)


def retrieve_batch_for_sdk(context: RequestContext) -> Response:
    """The same, in the SDK's own form."""
    shown = _render_batch(
        context, get_own_record(context, "batches", context.parameters["batchId"])
    )
    ended = shown["status"] == COMPLETED
    at = {"completedAt": shown["updatedAt"]} if ended else {}
    return Response({**shown, "processing": {**at, "errors": []}})


def list_batch_results(context: RequestContext) -> Response:
    """The results of those runs that have finished."""
    batch = get_own_record(context, "batches", context.parameters["batchId"])
    results = (build_result(context, run) for run in _list_runs(context, batch))
    items = [result for result in results if result]
    return Response({"id": batch["id"], "items": items})


def _list_runs(context: RequestContext, batch: Document) -> list[Document]:
    runs = context.collection("runs")
    found = (runs.get(run, context.now) for run in batch.get("runs", ()))
    return [run for run in found if run]


def _render_batch(context: RequestContext, batch: Document) -> Document:
    """A batch; what a fixture leaves unsaid of one follows from its runs."""
    runs = _list_runs(context, batch)
    is_final = context.world.state(context.api).script.is_final
    done = "runs" in batch and all(map(is_final, runs))
    status = COMPLETED if done else "PROCESSING" if "runs" in batch else "PENDING"
    moments = [run["createdAt"] for run in runs] or [rfc3339(context.world.origin)]
    made: str = batch.get("createdAt", min(moments))
    ended: list[str] = [run.get("finishedAt", made) for run in runs] if done else []
    shown = {
        "id": batch["id"],
        "status": status,
        "createdAt": made,
        "updatedAt": max([batch.get("updatedAt", made), *ended]),
        "runCount": batch["runCount"],
        "runs": batch.get("runs", []),
    }
    key = batch.get("idempotencyKey")
    return {**shown, "idempotencyKey": key} if key else shown
