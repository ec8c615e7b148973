"""Datasets: made, found, emptied and deleted."""

from soundstage.apis.api import Forbidden, RequestContext, Response
from soundstage.apis.trieve import jobs, store
from soundstage.apis.trieve.access import (
    find_dataset_by_tracking_id,
    require_own_dataset,
    require_own_organization,
    resolve_dataset,
)
from soundstage.apis.trieve.errors import RejectedRequest
from soundstage.apis.trieve.model import format_time
from soundstage.types import Document
from soundstage.world.commands import Delete, Put
from soundstage.world.ids import uuid
from soundstage.world.query import ordered


def create_dataset(context: RequestContext) -> Response:
    """A new dataset; its tracking id is unique in the organization.

    O(datasets of the organization).
    """
    organization_id, given = require_own_organization(context), context.body
    tracking_id = given.get("tracking_id")
    datasets = context.collection("datasets")
    others = datasets.children(organization_id, context.now)
    if tracking_id and any(o.get("tracking_id") == tracking_id for o in others):
        raise RejectedRequest(
            "Key (organization_id, tracking_id)="
            f"({organization_id}, {tracking_id}) already exists."
        )
    configuration = given.get("server_configuration") or {}
    moment = format_time(context.now)
    dataset = {
        "id": context.new_id(uuid),
        "name": given["dataset_name"],
        "created_at": moment,
        "updated_at": moment,
        "organization_id": organization_id,
        "server_configuration": configuration,
        "tracking_id": tracking_id,
        "deleted": 0,
    }
    context.world.apply(Put(context.api, "datasets", dataset["id"], dataset))
    return Response(dataset)


def get_dataset(context: RequestContext) -> Response:
    """The dataset of the path; the one of the header must be there too."""
    resolve_dataset(context)
    dataset_id = context.parameters["dataset_id"].lower()
    return Response(require_own_dataset(context, context.get("datasets", dataset_id)))


def get_dataset_by_tracking_id(context: RequestContext) -> Response:
    """The dataset of a tracking id, in the organization of the header."""
    organization_id = require_own_organization(context)
    tracking_id = context.parameters["tracking_id"]
    return Response(find_dataset_by_tracking_id(context, organization_id, tracking_id))


def delete_dataset(context: RequestContext) -> Response:
    """Delete the dataset that header and path both name."""
    return _delete_dataset(context, _require_matching_dataset(context))


def delete_dataset_by_tracking_id(context: RequestContext) -> Response:
    """Delete a dataset of the organization of the header's dataset."""
    organization_id = resolve_dataset(context)["organization_id"]
    tracking_id = context.parameters["tracking_id"]
    return _delete_dataset(
        context, find_dataset_by_tracking_id(context, organization_id, tracking_id)
    )


def _delete_dataset(context: RequestContext, dataset: Document) -> Response:
    """It is gone at once, and its contents later; unless the job is to fail."""
    run = jobs.start(context, dataset, "dataset_delete")
    if jobs.find_event_id(run, "dataset_delete_failed") is None:
        context.world.apply(Delete(context.api, "datasets", dataset["id"]))
    return Response(None, 204)


def clear_dataset(context: RequestContext) -> Response:
    """Chunks, files and groups go when the worker says so.

    O(records of the dataset).
    """
    dataset = _require_matching_dataset(context)
    gone = {
        name: [
            document["id"] for document in store.list_visible(context, name, dataset)
        ]
        for name in ("chunks", "files", "groups")
    }
    deleted = len(gone["chunks"])
    run = jobs.start(context, dataset, "bulk_delete", deleted=deleted)
    if event := jobs.find_event_id(run, "bulk_chunks_deleted"):
        for name, ids in gone.items():
            for record_id in ids:
                store.schedule_change(context, name, record_id, event, None)
    return Response(None, 204)


def _require_matching_dataset(context: RequestContext) -> Document:
    dataset = resolve_dataset(context)
    named = require_own_dataset(
        context, context.get("datasets", context.parameters["dataset_id"].lower())
    )
    if named["id"] != dataset["id"]:
        raise RejectedRequest("Dataset header does not match provided dataset ID")
    return dataset


def list_datasets(context: RequestContext) -> Response:
    """The datasets of an organization, the newest first, each with its chunks' number.

    O(chunks of the datasets that are listed).
    """
    if context.parameters["organization_id"].lower() != require_own_organization(
        context
    ):
        raise Forbidden
    limit, offset = context.parameters.get("limit"), context.parameters.get("offset")
    if (limit is None) != (offset is None):
        raise RejectedRequest("Pagination requires both offset and limit.")
    organization_id = context.parameters["organization_id"].lower()
    found = context.collection("datasets").children(organization_id, context.now)
    found = ordered(found, lambda dataset: dataset["created_at"], descending=True)
    listed = found if limit is None else found[offset : offset + limit]
    return Response([_render_with_usage(context, dataset) for dataset in listed])


def _render_with_usage(context: RequestContext, dataset: Document) -> Document:
    shown = ("id", "name", "created_at", "updated_at", "organization_id", "tracking_id")
    chunks = sum(1 for _ in store.list_visible(context, "chunks", dataset))
    usage = {"id": dataset["id"], "dataset_id": dataset["id"], "chunk_count": chunks}
    return {
        "dataset": {name: dataset.get(name) for name in shown},
        "dataset_usage": usage,
    }
