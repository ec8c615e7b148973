"""Datasets: made, found, emptied and deleted."""

from soundstage.apis.api import Answer, Call, Forbidden
from soundstage.apis.trieve import jobs, store
from soundstage.apis.trieve.access import (
    dataset_of,
    dataset_tracked,
    own_organization,
    owned,
)
from soundstage.apis.trieve.refusal import BadRequest
from soundstage.apis.trieve.vocabulary import plain_time
from soundstage.types import Document
from soundstage.world.ids import uuid
from soundstage.world.log import Delete, Put
from soundstage.world.page import ordered


def create_dataset(call: Call) -> Answer:
    """A new dataset; its tracking id is unique in the organization.

    O(datasets of the organization).
    """
    organization_id, given = own_organization(call), call.body
    tracking_id = given.get("tracking_id")
    datasets = call.collection("datasets")
    others = datasets.children(organization_id, call.now)
    if tracking_id and any(o.get("tracking_id") == tracking_id for o in others):
        raise BadRequest(
            "Key (organization_id, tracking_id)="
            f"({organization_id}, {tracking_id}) already exists."
        )
    configuration = given.get("server_configuration") or {}
    moment = plain_time(call.now)
    dataset = {
        "id": call.fresh(uuid),
        "name": given["dataset_name"],
        "created_at": moment,
        "updated_at": moment,
        "organization_id": organization_id,
        "server_configuration": configuration,
        "tracking_id": tracking_id,
        "deleted": 0,
    }
    call.world.apply(Put(call.api, "datasets", dataset["id"], dataset))
    return Answer(dataset)


def get_dataset(call: Call) -> Answer:
    """The dataset of the path; the one of the header must be there too."""
    dataset_of(call)
    dataset_id = call.parameters["dataset_id"].lower()
    return Answer(owned(call, call.get("datasets", dataset_id)))


def get_dataset_by_tracking_id(call: Call) -> Answer:
    """The dataset of a tracking id, in the organization of the header."""
    organization_id = own_organization(call)
    tracking_id = call.parameters["tracking_id"]
    return Answer(dataset_tracked(call, organization_id, tracking_id))


def delete_dataset(call: Call) -> Answer:
    """Delete the dataset that header and path both name."""
    return _deleted(call, _of_header_and_path(call))


def delete_dataset_by_tracking_id(call: Call) -> Answer:
    """Delete a dataset of the organization of the header's dataset."""
    organization_id = dataset_of(call)["organization_id"]
    tracking_id = call.parameters["tracking_id"]
    return _deleted(call, dataset_tracked(call, organization_id, tracking_id))


def _deleted(call: Call, dataset: Document) -> Answer:
    """It is gone at once, and its contents later; unless the job is to fail."""
    run = jobs.start(call, dataset, "dataset_delete")
    if jobs.teller(run, "dataset_delete_failed") is None:
        call.world.apply(Delete(call.api, "datasets", dataset["id"]))
    return Answer(None, 204)


def clear_dataset(call: Call) -> Answer:
    """Chunks, files and groups go when the worker says so.

    O(records of the dataset).
    """
    dataset = _of_header_and_path(call)
    gone = {
        name: [document["id"] for document in store.there(call, name, dataset)]
        for name in ("chunks", "files", "groups")
    }
    deleted = len(gone["chunks"])
    run = jobs.start(call, dataset, "bulk_delete", deleted=deleted)
    if event := jobs.teller(run, "bulk_chunks_deleted"):
        for name, ids in gone.items():
            for record_id in ids:
                store.change(call, name, record_id, event, None)
    return Answer(None, 204)


def _of_header_and_path(call: Call) -> Document:
    dataset = dataset_of(call)
    named = owned(call, call.get("datasets", call.parameters["dataset_id"].lower()))
    if named["id"] != dataset["id"]:
        raise BadRequest("Dataset header does not match provided dataset ID")
    return dataset


def list_datasets(call: Call) -> Answer:
    """The datasets of an organization, the newest first, each with its chunks' number.

    O(chunks of the datasets that are listed).
    """
    if call.parameters["organization_id"].lower() != own_organization(call):
        raise Forbidden
    limit, offset = call.parameters.get("limit"), call.parameters.get("offset")
    if (limit is None) != (offset is None):
        raise BadRequest("Pagination requires both offset and limit.")
    organization_id = call.parameters["organization_id"].lower()
    found = call.collection("datasets").children(organization_id, call.now)
    found = ordered(found, lambda dataset: dataset["created_at"], descending=True)
    listed = found if limit is None else found[offset : offset + limit]
    return Answer([_with_usage(call, dataset) for dataset in listed])


def _with_usage(call: Call, dataset: Document) -> Document:
    shown = ("id", "name", "created_at", "updated_at", "organization_id", "tracking_id")
    chunks = sum(1 for _ in store.there(call, "chunks", dataset))
    usage = {"id": dataset["id"], "dataset_id": dataset["id"], "chunk_count": chunks}
    return {
        "dataset": {name: dataset.get(name) for name in shown},
        "dataset_usage": usage,
    }
