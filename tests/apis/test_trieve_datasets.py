"""Trieve: datasets, the roles that may use them, and the names that identify them."""

import json
from pathlib import Path

import pytest
from table.trieve import (
    ADMIN,
    CHUNK,
    DATASET,
    HELP,
    OTHER,
    OTHER_DATASET,
    OTHERS_KEY,
    READONLY,
    TRIEVE,
)

from soundstage.apis.trieve import HANDLERS_BY_ROLE
from soundstage.world.commands import Interrupt

MINE = {"TR-Organization": DATASET}


def test_a_new_dataset_is_empty_and_found_in_every_way(trieve):
    created = trieve.post("/dataset", {"dataset_name": "x", "tracking_id": "t"}, headers=MINE)
    named = {"TR-Dataset": "t", **MINE}
    assert trieve.get(f"/dataset/{created['id']}", headers=named) == created
    assert trieve.get("/dataset/tracking_id/t", headers=MINE) == created
    assert trieve.events(headers=named) == []
    usage = trieve.get(f"/dataset/organization/{DATASET}", headers=MINE)[0]
    assert usage["dataset"]["id"] in {created["id"], trieve.dataset}
    assert usage["dataset_usage"]["chunk_count"] == 0


def test_a_tracking_id_is_taken_in_one_organization_only(trieve):
    body = {"dataset_name": "x", "tracking_id": "t"}
    trieve.post("/dataset", body, headers=MINE)
    theirs = {"TR-Organization": OTHER, **OTHERS_KEY}
    trieve.post("/dataset", body, headers=theirs)
    message = trieve.post("/dataset", body, 400, headers=MINE)
    assert message == f"Key (organization_id, tracking_id)=({DATASET}, t) already exists."


def test_the_tracking_id_of_a_deleted_dataset_is_free_again(trieve):
    body = {"dataset_name": "x", "tracking_id": "t"}
    old = trieve.post("/dataset", body, headers=MINE)
    trieve.delete("/dataset/tracking_id/t")
    trieve.get(f"/dataset/{old['id']}", 404)
    assert trieve.post("/dataset", body, headers=MINE)["id"] != old["id"]


def test_two_datasets_may_have_no_tracking_id(trieve):
    for tracking_id in (None, None, "", ""):
        body = {"dataset_name": "x", "tracking_id": tracking_id}
        trieve.post("/dataset", body, headers=MINE)


@pytest.mark.parametrize(
    ("headers", "status", "message"),
    [
        ({"TR-Dataset": "help-center"}, 400,
         "Using Dataset Tracking IDs requires providing the TR-Organization header"),
        ({"TR-Dataset": "help-center", "TR-Organization": "x"}, 400,
         "Could not convert Organization to UUID"),
        ({"TR-Dataset": "recipes", **MINE}, 404, "Not Found: Could not find dataset"),
        ({"TR-Dataset": "recipes", "TR-Organization": OTHER}, 403, "Forbidden"),
        ({"TR-Dataset": OTHER_DATASET, "TR-Organization": DATASET}, 403, "Forbidden"),
        ({"Authorization": "tr-x"}, 401, "Unauthorized"),
    ],
)  # fmt: skip
def test_a_rejected_dataset_has_the_message_of_the_real_server(trieve, headers, status, message):
    assert trieve.post("/dataset/events", {}, status, headers=headers) == message


def test_datasets_are_listed_newest_first_and_in_pages(trieve):
    path = f"/dataset/organization/{DATASET}"
    everything = trieve.get(path, headers=MINE)
    times = [each["dataset"]["created_at"] for each in everything]
    assert times == sorted(times, reverse=True)
    pages = [
        trieve.get(f"{path}?limit=2&offset={offset}", headers=MINE) for offset in range(0, 6, 2)
    ]
    assert sum(pages, []) == everything  # noqa: RUF017 - a few pages
    assert trieve.get(f"{path}?limit=0&offset=0", headers=MINE) == []


def test_no_operation_finds_a_deleted_dataset(trieve):
    chunk = trieve.create_chunk(tracking_id="a")
    trieve.delete(f"/dataset/{trieve.dataset}")
    for method, path, body in (
        ("GET", f"/dataset/{trieve.dataset}", None),
        ("POST", "/dataset/events", {}),
        ("GET", f"/chunk/{chunk['id']}", None),
        ("POST", "/chunk", {}),
        ("DELETE", f"/dataset/{trieve.dataset}", None),
        ("PUT", f"/dataset/clear/{trieve.dataset}", None),
    ):
        message = trieve.send(method, path, body, 404)
        assert message == "Not Found: Could not find dataset"
    listed = trieve.get(f"/dataset/organization/{DATASET}", headers=MINE)
    assert trieve.dataset not in {each["dataset"]["id"] for each in listed}


def test_a_dataset_whose_deletion_fails_still_exists(trieve):
    trieve.plan("dataset_delete_failed", "dataset_delete")
    trieve.delete(f"/dataset/{trieve.dataset}")
    trieve.advance()
    assert trieve.get(f"/dataset/{trieve.dataset}")["id"] == trieve.dataset
    assert trieve.last_event("dataset_delete_failed") == {
        "error": "The search index did not answer"
    }


def test_header_and_path_must_name_the_same_dataset(trieve):
    message = "Dataset header does not match provided dataset ID"
    assert trieve.delete(f"/dataset/{HELP}", status=400) == message
    assert trieve.put(f"/dataset/clear/{HELP}", status=400) == message


def test_a_clearing_deletes_existing_records_and_no_later_ones(trieve):
    chunk = trieve.create_chunk(tracking_id="a")
    group = trieve.post("/chunk_group", {"tracking_id": "g"})
    file = trieve.post("/file", {"base64_file": "YQ==", "file_name": "a"})["file_metadata"]
    paths = [f"/chunk/{chunk['id']}", f"/chunk_group/{group['id']}",
             f"/file/{file['id']}"]  # fmt: skip
    trieve.put(f"/dataset/clear/{trieve.dataset}")
    assert all(trieve.get(path) for path in paths)
    late = trieve.post("/chunk_group", {"tracking_id": "late"})
    trieve.advance()
    for path in paths:
        trieve.get(path, 404)
    assert trieve.get(f"/chunk_group/{late['id']}") == {**late, "file_id": None}
    assert trieve.last_event("bulk_chunks_deleted") == {"message": "Deleted 1 chunks"}
    trieve.post("/chunk_group", {"tracking_id": "g"})  # which is free again


def test_a_record_that_changes_before_the_clearing_is_cleared_too(trieve):
    group = trieve.post("/chunk_group", {"name": "old"})
    trieve.put(f"/dataset/clear/{trieve.dataset}")
    trieve.put("/chunk_group", {"group_id": group["id"], "name": "new"})
    assert trieve.get(f"/chunk_group/{group['id']}")["name"] == "new"
    trieve.advance()
    trieve.get(f"/chunk_group/{group['id']}", 404)


def test_a_cancelled_job_has_no_effect(trieve):
    chunk = trieve.create_chunk(tracking_id="a")
    trieve.put(f"/dataset/clear/{trieve.dataset}")
    job = trieve.newest_job()
    trieve.world.apply(Interrupt("trieve", job.id, "cancelled"))
    trieve.advance()
    assert trieve.get(f"/chunk/{chunk['id']}")["id"] == chunk["id"]
    assert trieve.events("bulk_chunks_deleted") == []


@pytest.mark.parametrize("role", HANDLERS_BY_ROLE)
def test_every_operation_has_the_role_of_the_vendors_document(role):
    path = Path(__file__).parents[1] / "data" / "vendor" / "trieve.json"
    document = json.loads(path.read_text(encoding="utf-8"))
    asked = {
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if operation.get("security") == [{"ApiKey": [role]}]
    }
    assert asked == set(HANDLERS_BY_ROLE[role])


def test_a_role_includes_the_lower_ones(trieve):
    path = f"/chunk/{CHUNK}"
    for key in (READONLY, ADMIN, {}):
        trieve.get(path, headers={**TRIEVE, **key})
    trieve.put("/chunk", {"tracking_id": "none"}, 403, headers=READONLY)
    trieve.put("/chunk", {"tracking_id": "none"}, 404, headers=ADMIN)
    trieve.put(f"/dataset/clear/{trieve.dataset}", status=403, headers=ADMIN)
    trieve.put(f"/dataset/clear/{trieve.dataset}")
