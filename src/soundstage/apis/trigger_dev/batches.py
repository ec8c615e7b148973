"""Batches: many runs started at once, by one request or by two."""

from soundstage.apis.api import Answer, Call
from soundstage.apis.trigger_dev.idempotency import Key, known, remember
from soundstage.apis.trigger_dev.refusals import Declined, own
from soundstage.apis.trigger_dev.result import result_of
from soundstage.apis.trigger_dev.trigger import Order, order_of, placed
from soundstage.apis.trigger_dev.vocabulary import batch_id
from soundstage.types import Document
from soundstage.world.clock import rfc3339
from soundstage.world.log import Put

COMPLETED = "COMPLETED"


def trigger_tasks(call: Call) -> Answer:
    """A batch of runs, each of its own task."""
    id_ = call.fresh(batch_id)
    items = call.body["items"]
    return _triggered(call, id_, [order_of(call, i["task"], i, id_) for i in items])


def trigger_task_often(call: Call) -> Answer:
    """A batch of runs of one task."""
    id_, task = call.fresh(batch_id), call.parameters["taskIdentifier"]
    orders = [order_of(call, task, item, id_) for item in call.body["items"]]
    return _triggered(call, id_, orders)


def _triggered(call: Call, id_: str, orders: list[Order]) -> Answer:
    runs = [placed(call, order)[0] for order in orders]
    _keep(call, id_, {"runCount": len(runs), "runs": runs})
    return Answer({"batchId": id_, "runs": runs})


def create_batch(call: Call) -> Answer:
    """A batch that is to be filled; or the one that an idempotency key led to."""
    given = call.body
    name = given.get("idempotencyKey")
    key = Key.of("batch", call.credential["environment"], name) if name else None
    made = known(call, key) if key else None
    if batch := call.collection("batches").get(made or "", call.now):
        count = batch["runCount"]
        return Answer({"id": batch["id"], "runCount": count, "isCached": True})
    id_ = call.fresh(batch_id)
    inherited = {
        n: given[n] for n in ("parentRunId", "resumeParentOnCompletion") if n in given
    }
    batch = {"runCount": given["runCount"], "items": {}, "options": inherited}
    if key:
        batch["idempotencyKey"] = name
        remember(call, key, id_)
    _keep(call, id_, batch)
    answer = {"id": id_, "runCount": given["runCount"], "isCached": False}
    return Answer({**answer, "idempotencyKey": name} if name else answer, 202)


def fill_batch(call: Call) -> Answer:
    """Items of a batch; its runs start when the last one is there."""
    batch = own(call, "batches", call.parameters["batchId"])
    id_, count = batch["id"], batch["runCount"]
    if "runs" in batch:
        text = f"Batch {id_} is already sealed and cannot accept more items"
        raise Declined(422, text)
    items = dict(batch["items"])
    for item in call.body:
        if item["index"] >= count:
            text = f"Item index {item['index']} exceeds batch runCount {count}"
            raise Declined(422, text)
        items.setdefault(str(item["index"]), item)
    orders = [_order(call, batch, items[key]) for key in sorted(items, key=int)]
    accepted = len(items) - len(batch["items"])
    answer: Document = {
        "id": id_,
        "itemsAccepted": accepted,
        "itemsDeduplicated": len(call.body) - accepted,
        "sealed": len(items) == count,
    }
    if answer["sealed"]:
        runs = [placed(call, order)[0] for order in orders]
        _keep(call, id_, {**batch, "items": {}, "runs": runs})
    else:
        _keep(call, id_, {**batch, "items": items})
        answer |= {"enqueuedCount": len(items), "expectedCount": count}
    return Answer(answer)


def _order(call: Call, batch: Document, item: Document) -> Order:
    options = {**batch["options"], **(item.get("options") or {})}
    return order_of(call, item["task"], {**item, "options": options}, batch["id"])


def _keep(call: Call, id_: str, batch: Document) -> None:
    now = rfc3339(call.now)
    own_facts = {"environment": call.credential["environment"], "updatedAt": now}
    document = {"createdAt": now, **batch, **own_facts}
    call.world.apply(Put(call.api, "batches", id_, document))


def retrieve_batch(call: Call) -> Answer:
    """How far a batch is; how many succeeded is told when all are over."""
    batch = own(call, "batches", call.parameters["batchId"])
    shown, runs = _shown(call, batch), _runs(call, batch)
    if shown["status"] == COMPLETED:
        good = sum(run["status"] == "COMPLETED" for run in runs)
        shown |= {"successfulRunCount": good, "failedRunCount": len(runs) - good}
    return Answer(shown)


def retrieve_batch_for_sdk(call: Call) -> Answer:
    """The same, in the SDK's own form."""
    shown = _shown(call, own(call, "batches", call.parameters["batchId"]))
    ended = shown["status"] == COMPLETED
    at = {"completedAt": shown["updatedAt"]} if ended else {}
    return Answer({**shown, "processing": {**at, "errors": []}})


def list_batch_results(call: Call) -> Answer:
    """The results of those runs that have finished."""
    batch = own(call, "batches", call.parameters["batchId"])
    results = (result_of(call, run) for run in _runs(call, batch))
    items = [result for result in results if result]
    return Answer({"id": batch["id"], "items": items})


def _runs(call: Call, batch: Document) -> list[Document]:
    runs = call.collection("runs")
    found = (runs.get(run, call.now) for run in batch.get("runs", ()))
    return [run for run in found if run]


def _shown(call: Call, batch: Document) -> Document:
    """A batch; what a fixture leaves unsaid of one follows from its runs."""
    runs = _runs(call, batch)
    is_final = call.world.state(call.api).script.is_final
    done = "runs" in batch and all(map(is_final, runs))
    status = COMPLETED if done else "PROCESSING" if "runs" in batch else "PENDING"
    moments = [run["createdAt"] for run in runs] or [rfc3339(call.world.origin)]
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
