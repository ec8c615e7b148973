"""Trieve: chunks and the groups they are in, from the request to the event."""

import pytest
from table.rows import ZERO
from table.trieve import CHUNK, OTHER_CHUNK, TRIEVE

from soundstage.world.clock import SECOND
from soundstage.world.commands import Interrupt


def get_tracked(trieve, tracking_id, status=200):
    return trieve.get(f"/chunk/tracking_id/{tracking_id}", status)


def test_a_chunk_exists_from_its_event_on(trieve):
    chunk = trieve.post("/chunk", {"chunk_html": "a"})["chunk_metadata"]
    while not trieve.events("chunks_uploaded"):
        trieve.get(f"/chunk/{chunk['id']}", 404)
        trieve.advance(SECOND / 4)
    assert trieve.get(f"/chunk/{chunk['id']}") == chunk
    assert trieve.last_event("chunks_uploaded").keys() == {
        "bytes_ingested", "chunk_ids", "tokens_ingested",
    }  # fmt: skip
    assert trieve.last_event("chunks_uploaded")["chunk_ids"] == [chunk["id"]]


def test_a_failed_upload_leaves_nothing(trieve):
    trieve.plan("bulk_chunk_failure", "chunk_upload")
    chunk = trieve.create_chunk(tracking_id="a")
    assert trieve.last_event("bulk_chunk_upload_failed")["chunk_ids"] == [chunk["id"]]
    trieve.get(f"/chunk/{chunk['id']}", 404)
    assert trieve.create_chunk(tracking_id="a")["id"] != chunk["id"]
    get_tracked(trieve, "a")


def test_a_cancelled_upload_leaves_nothing_and_its_tracking_id_free(trieve):
    trieve.post("/chunk", {"tracking_id": "a", "weight": 1})
    trieve.world.apply(Interrupt("trieve", trieve.newest_job().id, "cancelled"))
    trieve.create_chunk(tracking_id="a", weight=2)
    assert get_tracked(trieve, "a")["weight"] == 2
    assert len(trieve.events("chunks_uploaded")) == 1


def test_the_queue_is_as_long_as_jobs_wait(trieve):
    positions = [trieve.post("/chunk", {})["pos_in_queue"] for _ in range(3)]
    assert positions == [1, 2, 3]
    trieve.advance()
    assert trieve.post("/chunk", [])["pos_in_queue"] == 1


def test_a_taken_tracking_id_is_ignored_even_while_its_chunk_is_awaited(trieve):
    first, *others = (
        trieve.post("/chunk", {"tracking_id": "a", "link": link})["chunk_metadata"]
        for link in "xyz"
    )
    trieve.advance()
    assert get_tracked(trieve, "a") == first
    for other in others:
        trieve.get(f"/chunk/{other['id']}", 404)
    uploaded = trieve.events("chunks_uploaded")
    assert sorted(len(data["chunk_ids"]) for data in uploaded) == [0, 0, 1]


def test_of_two_chunks_of_a_list_the_first_has_the_tracking_id(trieve):
    body = [{"tracking_id": "a", "link": "x"}, {"tracking_id": "a", "link": "y"}]
    trieve.post("/chunk", body)
    trieve.advance()
    assert get_tracked(trieve, "a")["link"] == "x"
    body = [{**each, "upsert_by_tracking_id": True} for each in body]
    trieve.post("/chunk", body)
    trieve.advance()
    assert get_tracked(trieve, "a")["link"] == "y"
    assert len(trieve.last_event("chunks_uploaded")["chunk_ids"]) == 1


def test_an_upsert_takes_the_place_of_the_old_chunk(trieve):
    old = trieve.create_chunk(tracking_id="a", chunk_html="old", tag_set=["x"])
    new = trieve.post("/chunk", {"tracking_id": "a", "link": "new", "upsert_by_tracking_id": True})[
        "chunk_metadata"
    ]
    assert new["id"] == old["id"]
    assert get_tracked(trieve, "a")["chunk_html"] == "old"
    trieve.advance()
    found = get_tracked(trieve, "a")
    assert (found["link"], found["chunk_html"], found["tag_set"]) == ("new", None, None)
    assert found["created_at"] == old["created_at"] < found["updated_at"]


def test_an_upsert_creates_a_missing_chunk(trieve):
    trieve.create_chunk(tracking_id="a", upsert_by_tracking_id=True)
    get_tracked(trieve, "a")


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        ("2021-01-01 00:00:00.000", "2021-01-01T00:00:00"),
        ("2021-01-01T12:30:00.250Z", "2021-01-01T12:30:00.250000"),
        ("2021-01-01T00:00:00+02:00", "2020-12-31T22:00:00"),
        ("2021-01-01", "2021-01-01T00:00:00"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00"),
    ],
)
def test_a_time_stamp_is_kept_in_utc_without_a_zone(trieve, text, stored):
    assert trieve.create_chunk(time_stamp=text)["time_stamp"] == stored


@pytest.mark.parametrize("text", ["", "x", "2021-13-01", "0001-01-01T00:00:00+14:00"])
def test_an_invalid_time_is_rejected(trieve, text):
    message = trieve.post("/chunk", {"time_stamp": text}, 400)
    assert message == "Invalid timestamp format"


def test_a_list_with_one_rejected_chunk_has_no_effect(trieve):
    before = len(trieve.world.log)
    trieve.post("/chunk", [{"tracking_id": "a"}, {"time_stamp": "x"}], 400)
    trieve.post("/chunk", [{"tracking_id": "a"}, {"group_ids": [ZERO]}], 404)
    assert len(trieve.world.log) == before


def test_an_update_takes_effect_at_its_event(trieve):
    old = trieve.create_chunk(tracking_id="a", chunk_html="old", link="l", weight=1)
    trieve.put("/chunk", {"chunk_id": old["id"].upper(), "chunk_html": "new", "link": None})
    assert trieve.get(f"/chunk/{old['id']}") == old
    trieve.advance()
    new = trieve.get(f"/chunk/{old['id']}")
    assert trieve.last_event("chunk_updated") == {"chunk_id": old["id"]}
    assert new == {**old, "chunk_html": "new", "updated_at": new["updated_at"]}
    assert new["updated_at"] > old["updated_at"]


def test_an_update_that_fails_changes_nothing(trieve):
    old = trieve.create_chunk(tracking_id="a")
    trieve.plan("chunk_update_failed", "chunk_update")
    trieve.put("/chunk/tracking_id/update", {"tracking_id": "a", "weight": 5})
    trieve.advance()
    assert get_tracked(trieve, "a") == old
    assert trieve.last_event("chunk_update_failed")["chunk_id"] == old["id"]


def test_updates_count_in_the_order_of_their_requests(trieve):
    chunk = trieve.create_chunk(weight=1)
    for weight in (2, 3, 4):
        trieve.put("/chunk", {"chunk_id": chunk["id"], "weight": weight})
    trieve.advance()
    assert trieve.get(f"/chunk/{chunk['id']}")["weight"] == 4
    assert len(trieve.events("chunk_updated")) == 3


def test_a_tracking_id_is_changed_given_up_and_never_taken_away(trieve):
    chunk = trieve.create_chunk(tracking_id="a")
    trieve.create_chunk(tracking_id="b")
    path, body = "/chunk", {"chunk_id": chunk["id"]}
    message = trieve.put(path, {**body, "tracking_id": "b"}, 400)
    assert message.endswith("already exists.")
    trieve.put(path, {**body, "tracking_id": "c"})
    trieve.advance()
    get_tracked(trieve, "a", 404)
    assert get_tracked(trieve, "c")["id"] == chunk["id"]
    trieve.put(path, {**body, "tracking_id": ""})
    trieve.advance()
    get_tracked(trieve, "c", 404)
    assert trieve.get(f"/chunk/{chunk['id']}")["tracking_id"] is None


def test_a_deleted_chunk_is_gone_at_once_and_stays_so(trieve):
    chunk = trieve.create_chunk(tracking_id="a")
    trieve.put("/chunk", {"chunk_id": chunk["id"], "weight": 5})
    trieve.delete(f"/chunk/{chunk['id']}")
    get_tracked(trieve, "a", 404)
    trieve.advance()
    trieve.get(f"/chunk/{chunk['id']}", 404)
    trieve.delete("/chunk/tracking_id/a", status=404)


def test_matching_chunks_are_deleted_at_the_event_of_the_job(trieve):
    one = trieve.create_chunk(tracking_id="a", tag_set=["x", "y"])
    trieve.create_chunk(tracking_id="b", tag_set=["y"])
    condition = {"field": "tag_set", "match_all": ["x", "y"]}
    trieve.delete("/chunk", {"filter": {"must": [condition]}})
    assert get_tracked(trieve, "a") == one
    trieve.advance()
    get_tracked(trieve, "a", 404)
    get_tracked(trieve, "b")
    assert trieve.last_event("bulk_chunks_deleted") == {"message": "Deleted 1 chunks"}
    trieve.create_chunk(tracking_id="a")
    assert get_tracked(trieve, "a")["id"] != one["id"]


@pytest.mark.parametrize("field", ["group_ids", "group_tracking_ids"])
def test_a_filter_finds_chunks_by_their_groups(trieve, field):
    group = trieve.post("/chunk_group", {"tracking_id": "g"})
    trieve.create_chunk(tracking_id="in", group_ids=[group["id"].upper()])
    trieve.create_chunk(tracking_id="out")
    value = group["id"] if field == "group_ids" else "g"
    trieve.delete("/chunk", {"filter": {"must": [{"field": field, "match_any": [value]}]}})
    trieve.advance()
    get_tracked(trieve, "in", 404)
    get_tracked(trieve, "out")


def test_datasets_do_not_see_each_others_chunks(trieve):
    for chunk_id in (CHUNK, OTHER_CHUNK):
        trieve.get(f"/chunk/{chunk_id}", 404)
        trieve.delete(f"/chunk/{chunk_id}", status=404)
        trieve.put("/chunk", {"chunk_id": chunk_id}, 404)
    mine = trieve.create_chunk(tracking_id="tracking_id")
    assert trieve.get("/chunk/tracking_id/tracking_id", headers=TRIEVE)["id"] == CHUNK
    assert get_tracked(trieve, "tracking_id") == mine


# Groups


def test_missing_groups_are_created_once_for_a_list(trieve):
    chunks = [{"group_tracking_ids": ["g", "h"]}, {"group_tracking_ids": ["g", ""]}]
    trieve.post("/chunk", chunks)
    groups = trieve.world.collection("trieve", "groups").children(
        trieve.dataset, trieve.world.now()
    )
    assert [group["tracking_id"] for group in groups] == ["g", "h"]


def test_a_group_is_upserted_by_its_tracking_id(trieve):
    old = trieve.post("/chunk_group", {"tracking_id": "g", "name": "old"})
    body = {"tracking_id": "g", "description": "new", "upsert_by_tracking_id": True}
    new = trieve.post("/chunk_group", body)
    assert (new["id"], new["name"], new["description"]) == (old["id"], "", "new")
    message = trieve.post("/chunk_group", {"tracking_id": "g"}, 400)
    assert message == f"Key (dataset_id, tracking_id)=({trieve.dataset}, g) already exists."


def test_an_update_of_a_group_takes_effect_immediately(trieve):
    group = trieve.post("/chunk_group", {"tracking_id": "g", "name": "old", "tag_set": []})
    trieve.put("/chunk_group", {"tracking_id": "g", "name": "new"})
    found = trieve.get(f"/chunk_group/{group['id']}")
    changed = {"name": "new", "updated_at": found["updated_at"], "file_id": None}
    assert found == {**group, **changed}
    other = trieve.post("/chunk_group", {"tracking_id": "h"})
    trieve.put("/chunk_group", {"group_id": other["id"], "tracking_id": "g"}, 400)
    assert trieve.events("group_chunks_updated") == []


def test_the_chunks_of_a_group_get_its_tags_once(trieve):
    group = trieve.post("/chunk_group", {"tag_set": ["a", "b"]})
    chunk = trieve.create_chunk(tag_set=["b", "c"], group_ids=[group["id"]])
    bare = trieve.create_chunk(group_ids=[group["id"]])
    outside = trieve.create_chunk()
    trieve.put("/chunk_group", {"group_id": group["id"], "update_chunks": True})
    assert trieve.get(f"/chunk/{chunk['id']}")["tag_set"] == ["b", "c"]
    trieve.advance()
    assert trieve.get(f"/chunk/{chunk['id']}")["tag_set"] == ["b", "c", "a"]
    assert trieve.get(f"/chunk/{bare['id']}")["tag_set"] == ["a", "b"]
    assert trieve.get(f"/chunk/{outside['id']}") == outside
    assert trieve.last_event("group_chunks_updated") == {"group_id": group["id"]}


def test_a_failed_group_update_leaves_the_tags_of_its_chunks(trieve):
    group = trieve.post("/chunk_group", {"tag_set": ["a"]})
    chunk = trieve.create_chunk(group_ids=[group["id"]])
    trieve.plan("group_update_failed", "group_update")
    trieve.put("/chunk_group", {"group_id": group["id"], "update_chunks": True})
    trieve.advance()
    assert trieve.get(f"/chunk/{chunk['id']}") == chunk
    assert trieve.last_event("group_chunks_action_failed") == {
        "error": "Group not found", "group_id": group["id"],
    }  # fmt: skip


@pytest.mark.parametrize("with_chunks", [True, False])
def test_a_group_is_deleted_with_its_chunks_or_without(trieve, with_chunks):
    group = trieve.post("/chunk_group", {})
    chunk = trieve.create_chunk(group_ids=[group["id"]])
    outside = trieve.create_chunk()
    query = "?delete_chunks=true" if with_chunks else ""
    trieve.delete(f"/chunk_group/{group['id']}{query}")
    trieve.get(f"/chunk_group/{group['id']}", 404)
    trieve.get(f"/chunk/{chunk['id']}", 404 if with_chunks else 200)
    trieve.get(f"/chunk/{outside['id']}")
    trieve.post(f"/chunk_group/chunk/{group['id']}", {"chunk_id": outside["id"]}, 404)


def test_a_chunk_is_added_to_a_group_and_removed_from_it(trieve):
    group, chunk = trieve.post("/chunk_group", {}), trieve.create_chunk(tracking_id="a")
    path = f"/chunk_group/chunk/{group['id']}"
    trieve.post(path, {"chunk_tracking_id": "a"}, 204)
    trieve.post(path, {"chunk_id": chunk["id"]}, 204)
    trieve.delete(path, {"chunk_id": chunk["id"].upper()})
    trieve.delete(f"{path}?chunk_id={chunk['id']}", status=404)
    trieve.delete(f"/chunk_group/{group['id']}?delete_chunks=true")
    trieve.get(f"/chunk/{chunk['id']}")
