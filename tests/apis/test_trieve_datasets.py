"""Trieve: datasets, who may do what in them, and by which name."""

import json
from pathlib import Path

import pytest
from desk import desk_of
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


@pytest.fixture
def desk(services, world, judges):
    with desk_of(services, world, judges) as desk:
        yield desk


def test_a_new_dataset_is_empty_and_found_in_every_way(desk):
    made = desk.post("/dataset", {"dataset_name": "x", "tracking_id": "t"}, **MINE)
    named = {"TR-Dataset": "t", **MINE}
    assert desk.get(f"/dataset/{made['id']}", **named) == made
    assert desk.get("/dataset/tracking_id/t", **MINE) == made
    assert desk.events(headers=named) == []
    usage = desk.get(f"/dataset/organization/{DATASET}", **MINE)[0]
    assert usage["dataset"]["id"] in {made["id"], desk.dataset}
    assert usage["dataset_usage"]["chunk_count"] == 0


def test_a_tracking_id_is_taken_in_one_organization_only(desk):
    body = {"dataset_name": "x", "tracking_id": "t"}
    desk.post("/dataset", body, **MINE)
    theirs = {"TR-Organization": OTHER, **OTHERS_KEY}
    desk.post("/dataset", body, **theirs)
    said = desk.post("/dataset", body, 400, **MINE)
    assert said == f"Key (organization_id, tracking_id)=({DATASET}, t) already exists."


def test_the_tracking_id_of_a_deleted_dataset_is_free_again(desk):
    body = {"dataset_name": "x", "tracking_id": "t"}
    old = desk.post("/dataset", body, **MINE)
    desk.delete("/dataset/tracking_id/t")
    desk.get(f"/dataset/{old['id']}", 404)
    assert desk.post("/dataset", body, **MINE)["id"] != old["id"]


def test_two_datasets_may_have_no_tracking_id(desk):
    for tracking_id in (None, None, "", ""):
        body = {"dataset_name": "x", "tracking_id": tracking_id}
        desk.post("/dataset", body, **MINE)


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
def test_a_dataset_is_refused_in_the_real_servers_words(desk, headers, status, message):
    assert desk.post("/dataset/events", {}, status, **headers) == message


def test_datasets_are_listed_newest_first_and_in_pages(desk):
    path = f"/dataset/organization/{DATASET}"
    everything = desk.get(path, **MINE)
    made = [each["dataset"]["created_at"] for each in everything]
    assert made == sorted(made, reverse=True)
    pages = [
        desk.get(f"{path}?limit=2&offset={offset}", **MINE) for offset in range(0, 6, 2)
    ]
    assert sum(pages, []) == everything  # noqa: RUF017 - a few pages
    assert desk.get(f"{path}?limit=0&offset=0", **MINE) == []


def test_a_deleted_dataset_is_no_more_for_anything(desk):
    chunk = desk.chunk(tracking_id="a")
    desk.delete(f"/dataset/{desk.dataset}")
    for method, path, body in (
        ("GET", f"/dataset/{desk.dataset}", None),
        ("POST", "/dataset/events", {}),
        ("GET", f"/chunk/{chunk['id']}", None),
        ("POST", "/chunk", {}),
        ("DELETE", f"/dataset/{desk.dataset}", None),
        ("PUT", f"/dataset/clear/{desk.dataset}", None),
    ):
        said = desk.ask(method, path, body, 404)
        assert said == "Not Found: Could not find dataset"
    listed = desk.get(f"/dataset/organization/{DATASET}", **MINE)
    assert desk.dataset not in {each["dataset"]["id"] for each in listed}


def test_a_dataset_whose_deletion_fails_is_still_there(desk):
    desk.plan("dataset_delete_failed", "dataset_delete")
    desk.delete(f"/dataset/{desk.dataset}")
    desk.wait()
    assert desk.get(f"/dataset/{desk.dataset}")["id"] == desk.dataset
    assert desk.last("dataset_delete_failed") == {
        "error": "The search index did not answer"
    }


def test_header_and_path_must_name_the_same_dataset(desk):
    said = "Dataset header does not match provided dataset ID"
    assert desk.delete(f"/dataset/{HELP}", status=400) == said
    assert desk.put(f"/dataset/clear/{HELP}", status=400) == said


def test_a_clearing_takes_what_there_is_and_leaves_the_rest(desk):
    chunk = desk.chunk(tracking_id="a")
    group = desk.post("/chunk_group", {"tracking_id": "g"})
    file = desk.post("/file", {"base64_file": "YQ==", "file_name": "a"})[
        "file_metadata"
    ]
    paths = [f"/chunk/{chunk['id']}", f"/chunk_group/{group['id']}",
             f"/file/{file['id']}"]  # fmt: skip
    desk.put(f"/dataset/clear/{desk.dataset}")
    assert all(desk.get(path) for path in paths)
    late = desk.post("/chunk_group", {"tracking_id": "late"})
    desk.wait()
    for path in paths:
        desk.get(path, 404)
    assert desk.get(f"/chunk_group/{late['id']}") == {**late, "file_id": None}
    assert desk.last("bulk_chunks_deleted") == {"message": "Deleted 1 chunks"}
    desk.post("/chunk_group", {"tracking_id": "g"})  # which is free again


def test_what_is_changed_in_the_meantime_is_cleared_too(desk):
    group = desk.post("/chunk_group", {"name": "old"})
    desk.put(f"/dataset/clear/{desk.dataset}")
    desk.put("/chunk_group", {"group_id": group["id"], "name": "new"})
    assert desk.get(f"/chunk_group/{group['id']}")["name"] == "new"
    desk.wait()
    desk.get(f"/chunk_group/{group['id']}", 404)


def test_a_job_that_is_cancelled_brings_about_nothing(desk):
    chunk = desk.chunk(tracking_id="a")
    desk.put(f"/dataset/clear/{desk.dataset}")
    job = list(desk.world.collection("trieve", "jobs"))[-1]
    desk.world.apply(Interrupt("trieve", job.id, "cancelled"))
    desk.wait()
    assert desk.get(f"/chunk/{chunk['id']}")["id"] == chunk["id"]
    assert desk.events("bulk_chunks_deleted") == []


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


def test_a_role_may_what_lower_ones_may(desk):
    path = f"/chunk/{CHUNK}"
    for key in (READONLY, ADMIN, {}):
        desk.get(path, **{**TRIEVE, **key})
    desk.put("/chunk", {"tracking_id": "none"}, 403, **READONLY)
    desk.put("/chunk", {"tracking_id": "none"}, 404, **ADMIN)
    desk.put(f"/dataset/clear/{desk.dataset}", status=403, **ADMIN)
    desk.put(f"/dataset/clear/{desk.dataset}")
