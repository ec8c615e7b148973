"""Datasets: create, read, list, clear and delete them."""

from soundstage.apis.api import Forbidden, RequestContext, Response
from soundstage.apis.trieve import jobs
from soundstage.apis.trieve.access import (
    find_dataset_by_tracking_id,
    require_own_dataset,
    require_own_organization,
    resolve_dataset,
)
from soundstage.apis.trieve.errors import RejectedRequest
from soundstage.apis.trieve.model import format_time
from soundstage.apis.trieve.store import Dataset
from soundstage.types import JsonObject
from soundstage.world.commands import Put
from soundstage.world.ids import uuid
from soundstage.world.query import sort_documents


def create_dataset(context: RequestContext) -> Response:
    """Create a dataset; its tracking id is unique within the organization.

    O(datasets of the organization).
    """
    organization_id, body = require_own_organization(context), context.body
    tracking_id = body.get("tracking_id")
    datasets = context.collection("datasets")
    others = datasets.children(organization_id, context.now)
    if tracking_id and any(o.get("tracking_id") == tracking_id for o in others):
        raise RejectedRequest(
            f"Key (organization_id, tracking_id)=({organization_id}, {tracking_id}) already exists."
        )
    now = format_time(context.now)
    dataset = {
        "id": context.new_id(uuid),
        "name": body["dataset_name"],
        "created_at": now,
        "updated_at": now,
        "organization_id": organization_id,
        "server_configuration": body.get("server_configuration") or {},
        "tracking_id": tracking_id,
        "deleted": 0,
    }
    context.world.apply(Put(context.api, "datasets", dataset["id"], dataset))
    return Response(dataset)


def get_dataset(context: RequestContext) -> Response:
    """Return the dataset of the path; the dataset of the header must exist too."""
    # Checked first, as every operation of the real server checks its header.
    resolve_dataset(context)
    return Response(_find_dataset_of_path(context).document)


def _find_dataset_of_path(context: RequestContext) -> Dataset:
    dataset_id = context.parameters["dataset_id"].lower()
    return require_own_dataset(context, context.get("datasets", dataset_id))


def get_dataset_by_tracking_id(context: RequestContext) -> Response:
    """Return the dataset with a tracking id, of the organization in the header."""
    organization_id = require_own_organization(context)
    tracking_id = context.parameters["tracking_id"]
    return Response(find_dataset_by_tracking_id(context, organization_id, tracking_id))


def delete_dataset(context: RequestContext) -> Response:
    """Delete the dataset that both header and path name."""
    return _delete_dataset(_require_matching_dataset(context))


def delete_dataset_by_tracking_id(context: RequestContext) -> Response:
    """Delete a dataset of the organization that owns the header's dataset."""
    organization_id = resolve_dataset(context).document["organization_id"]
    tracking_id = context.parameters["tracking_id"]
    dataset = find_dataset_by_tracking_id(context, organization_id, tracking_id)
    return _delete_dataset(Dataset(context, dataset))


def _delete_dataset(dataset: Dataset) -> Response:
    """Delete a dataset immediately, unless the job fails."""
    # The records in it need no command: no request finds them without the dataset.
    run = jobs.start(dataset, "dataset_delete")
    if jobs.find_event_id(run, "dataset_delete_failed") is None:
        dataset.delete("datasets", dataset.id)
    return Response(None, 204)


def clear_dataset(context: RequestContext) -> Response:
    """Start the job that deletes chunks, files and groups. O(records)."""
    dataset = _require_matching_dataset(context)
    ids = {
        name: [record["id"] for record in dataset.iter_visible(name)]
        for name in ("chunks", "files", "groups")
    }
    run = jobs.start(dataset, "bulk_delete", deleted=len(ids["chunks"]))
    if event_id := jobs.find_event_id(run, "bulk_chunks_deleted"):
        for name, record_ids in ids.items():
            for record_id in record_ids:
                dataset.schedule_change(name, record_id, event_id, None)
    return Response(None, 204)


def _require_matching_dataset(context: RequestContext) -> Dataset:
    dataset = resolve_dataset(context)
    if _find_dataset_of_path(context).id != dataset.id:
        raise RejectedRequest("Dataset header does not match provided dataset ID")
    return dataset


def list_datasets(context: RequestContext) -> Response:
    """Return the datasets of an organization, the newest first, with chunk counts.

    O(chunks of the datasets on the page).
    """
    organization_id = require_own_organization(context)
    if context.parameters["organization_id"].lower() != organization_id:
        raise Forbidden
    limit, offset = context.parameters.get("limit"), context.parameters.get("offset")
    if (limit is None) != (offset is None):
        raise RejectedRequest("Pagination requires both offset and limit.")
    datasets = sort_documents(
        context.collection("datasets").children(organization_id, context.now),
        lambda dataset: dataset["created_at"],
        descending=True,
    )
    page = datasets if limit is None else datasets[offset : offset + limit]
    return Response([_render_with_usage(Dataset(context, each)) for each in page])


def _render_with_usage(dataset: Dataset) -> JsonObject:
    names = ("id", "name", "created_at", "updated_at", "organization_id", "tracking_id")
    chunks = sum(1 for _ in dataset.iter_visible("chunks"))
    usage = {"id": dataset.id, "dataset_id": dataset.id, "chunk_count": chunks}
    return {"dataset": {name: dataset.document.get(name) for name in names}, "dataset_usage": usage}
