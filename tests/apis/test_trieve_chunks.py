"""Trieve: chunks and the groups they are in, from the request to the event."""

import pytest
from desk import SECOND, desk_of
from table.rows import ZERO
from table.trieve import CHUNK, OTHER_CHUNK, TRIEVE

from soundstage.world.commands import Interrupt


@pytest.fixture
def desk(services, world, judges):
    with desk_of(services, world, judges) as desk:
        yield desk


def tracked(desk, tracking_id, status=200):
    return desk.get(f"/chunk/tracking_id/{tracking_id}", status)


def newest_job(desk):
    return list(desk.world.collection("trieve", "jobs"))[-1]


def test_a_chunk_is_there_from_the_moment_of_its_event(desk):
    chunk = desk.post("/chunk", {"chunk_html": "a"})["chunk_metadata"]
    while not desk.events("chunks_uploaded"):
        desk.get(f"/chunk/{chunk['id']}", 404)
        desk.wait(SECOND / 4)
    assert desk.get(f"/chunk/{chunk['id']}") == chunk
    assert desk.last("chunks_uploaded").keys() == {
        "bytes_ingested", "chunk_ids", "tokens_ingested",
    }  # fmt: skip
    assert desk.last("chunks_uploaded")["chunk_ids"] == [chunk["id"]]


def test_a_failed_upload_leaves_nothing(desk):
    desk.plan("bulk_chunk_failure", "chunk_upload")
    chunk = desk.chunk(tracking_id="a")
    assert desk.last("bulk_chunk_upload_failed")["chunk_ids"] == [chunk["id"]]
    desk.get(f"/chunk/{chunk['id']}", 404)
    assert desk.chunk(tracking_id="a")["id"] != chunk["id"]
    tracked(desk, "a")


def test_a_cancelled_upload_leaves_nothing_and_its_tracking_id_free(desk):
    desk.post("/chunk", {"tracking_id": "a", "weight": 1})
    desk.world.apply(Interrupt("trieve", newest_job(desk).id, "cancelled"))
    desk.chunk(tracking_id="a", weight=2)
    assert tracked(desk, "a")["weight"] == 2
    assert len(desk.events("chunks_uploaded")) == 1


def test_the_queue_is_as_long_as_jobs_wait(desk):
    positions = [desk.post("/chunk", {})["pos_in_queue"] for _ in range(3)]
    assert positions == [1, 2, 3]
    desk.wait()
    assert desk.post("/chunk", [])["pos_in_queue"] == 1


def test_a_taken_tracking_id_is_ignored_even_while_its_chunk_is_awaited(desk):
    first, *others = (
        desk.post("/chunk", {"tracking_id": "a", "link": link})["chunk_metadata"]
        for link in "xyz"
    )
    desk.wait()
    assert tracked(desk, "a") == first
    for other in others:
        desk.get(f"/chunk/{other['id']}", 404)
    uploaded = desk.events("chunks_uploaded")
    assert sorted(len(data["chunk_ids"]) for data in uploaded) == [0, 0, 1]


def test_of_two_chunks_of_a_list_the_first_has_the_tracking_id(desk):
    body = [{"tracking_id": "a", "link": "x"}, {"tracking_id": "a", "link": "y"}]
    desk.post("/chunk", body)
    desk.wait()
    assert tracked(desk, "a")["link"] == "x"
    body = [{**each, "upsert_by_tracking_id": True} for each in body]
    desk.post("/chunk", body)
    desk.wait()
    assert tracked(desk, "a")["link"] == "y"
    assert len(desk.last("chunks_uploaded")["chunk_ids"]) == 1


def test_an_upsert_takes_the_place_of_the_old_chunk(desk):
    old = desk.chunk(tracking_id="a", chunk_html="old", tag_set=["x"])
    new = desk.post(
        "/chunk", {"tracking_id": "a", "link": "new", "upsert_by_tracking_id": True}
    )["chunk_metadata"]
    assert new["id"] == old["id"]
    assert tracked(desk, "a")["chunk_html"] == "old"
    desk.wait()
    found = tracked(desk, "a")
    assert (found["link"], found["chunk_html"], found["tag_set"]) == ("new", None, None)
    assert found["created_at"] == old["created_at"] < found["updated_at"]


def test_an_upsert_of_what_is_not_there_makes_it(desk):
    desk.chunk(tracking_id="a", upsert_by_tracking_id=True)
    tracked(desk, "a")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2021-01-01 00:00:00.000", "2021-01-01T00:00:00"),
        ("2021-01-01T12:30:00.250Z", "2021-01-01T12:30:00.250000"),
        ("2021-01-01T00:00:00+02:00", "2020-12-31T22:00:00"),
        ("2021-01-01", "2021-01-01T00:00:00"),
        ("0001-01-01T00:00:00", "0001-01-01T00:00:00"),
    ],
)
def test_a_time_stamp_is_kept_in_utc_without_a_zone(desk, text, kept):
    assert desk.chunk(time_stamp=text)["time_stamp"] == kept


@pytest.mark.parametrize("text", ["", "x", "2021-13-01", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_moment_is_refused(desk, text):
    said = desk.post("/chunk", {"time_stamp": text}, 400)
    assert said == "Invalid timestamp format"


def test_nothing_comes_of_a_list_of_which_one_chunk_is_refused(desk):
    before = len(desk.world.log)
    desk.post("/chunk", [{"tracking_id": "a"}, {"time_stamp": "x"}], 400)
    desk.post("/chunk", [{"tracking_id": "a"}, {"group_ids": [ZERO]}], 404)
    assert len(desk.world.log) == before


def test_an_update_changes_what_it_says_when_its_event_does(desk):
    old = desk.chunk(tracking_id="a", chunk_html="old", link="l", weight=1)
    desk.put(
        "/chunk", {"chunk_id": old["id"].upper(), "chunk_html": "new", "link": None}
    )
    assert desk.get(f"/chunk/{old['id']}") == old
    desk.wait()
    new = desk.get(f"/chunk/{old['id']}")
    assert desk.last("chunk_updated") == {"chunk_id": old["id"]}
    assert new == {**old, "chunk_html": "new", "updated_at": new["updated_at"]}
    assert new["updated_at"] > old["updated_at"]


def test_an_update_that_fails_changes_nothing(desk):
    old = desk.chunk(tracking_id="a")
    desk.plan("chunk_update_failed", "chunk_update")
    desk.put("/chunk/tracking_id/update", {"tracking_id": "a", "weight": 5})
    desk.wait()
    assert tracked(desk, "a") == old
    assert desk.last("chunk_update_failed")["chunk_id"] == old["id"]


def test_updates_count_in_the_order_of_their_requests(desk):
    chunk = desk.chunk(weight=1)
    for weight in (2, 3, 4):
        desk.put("/chunk", {"chunk_id": chunk["id"], "weight": weight})
    desk.wait()
    assert desk.get(f"/chunk/{chunk['id']}")["weight"] == 4
    assert len(desk.events("chunk_updated")) == 3


def test_a_tracking_id_is_changed_given_up_and_never_taken_away(desk):
    chunk = desk.chunk(tracking_id="a")
    desk.chunk(tracking_id="b")
    path, body = "/chunk", {"chunk_id": chunk["id"]}
    said = desk.put(path, {**body, "tracking_id": "b"}, 400)
    assert said.endswith("already exists.")
    desk.put(path, {**body, "tracking_id": "c"})
    desk.wait()
    tracked(desk, "a", 404)
    assert tracked(desk, "c")["id"] == chunk["id"]
    desk.put(path, {**body, "tracking_id": ""})
    desk.wait()
    tracked(desk, "c", 404)
    assert desk.get(f"/chunk/{chunk['id']}")["tracking_id"] is None


def test_a_deleted_chunk_is_gone_at_once_and_stays_so(desk):
    chunk = desk.chunk(tracking_id="a")
    desk.put("/chunk", {"chunk_id": chunk["id"], "weight": 5})
    desk.delete(f"/chunk/{chunk['id']}")
    tracked(desk, "a", 404)
    desk.wait()
    desk.get(f"/chunk/{chunk['id']}", 404)
    desk.delete("/chunk/tracking_id/a", status=404)


def test_a_filter_deletes_what_it_finds_when_its_event_says_so(desk):
    one = desk.chunk(tracking_id="a", tag_set=["x", "y"])
    desk.chunk(tracking_id="b", tag_set=["y"])
    condition = {"field": "tag_set", "match_all": ["x", "y"]}
    desk.delete("/chunk", {"filter": {"must": [condition]}})
    assert tracked(desk, "a") == one
    desk.wait()
    tracked(desk, "a", 404)
    tracked(desk, "b")
    assert desk.last("bulk_chunks_deleted") == {"message": "Deleted 1 chunks"}
    desk.chunk(tracking_id="a")
    assert tracked(desk, "a")["id"] != one["id"]


@pytest.mark.parametrize("field", ["group_ids", "group_tracking_ids"])
def test_a_filter_finds_chunks_by_their_groups(desk, field):
    group = desk.post("/chunk_group", {"tracking_id": "g"})
    desk.chunk(tracking_id="in", group_ids=[group["id"].upper()])
    desk.chunk(tracking_id="out")
    value = group["id"] if field == "group_ids" else "g"
    desk.delete(
        "/chunk", {"filter": {"must": [{"field": field, "match_any": [value]}]}}
    )
    desk.wait()
    tracked(desk, "in", 404)
    tracked(desk, "out")


def test_datasets_do_not_see_each_others_chunks(desk):
    for chunk_id in (CHUNK, OTHER_CHUNK):
        desk.get(f"/chunk/{chunk_id}", 404)
        desk.delete(f"/chunk/{chunk_id}", status=404)
        desk.put("/chunk", {"chunk_id": chunk_id}, 404)
    mine = desk.chunk(tracking_id="tracking_id")
    assert desk.get("/chunk/tracking_id/tracking_id", **TRIEVE)["id"] == CHUNK
    assert tracked(desk, "tracking_id") == mine


# Groups


def test_groups_are_made_as_they_are_needed_once_for_a_list(desk):
    chunks = [{"group_tracking_ids": ["g", "h"]}, {"group_tracking_ids": ["g", ""]}]
    desk.post("/chunk", chunks)
    groups = desk.world.collection("trieve", "groups").children(
        desk.dataset, desk.world.now()
    )
    assert [group["tracking_id"] for group in groups] == ["g", "h"]


def test_a_group_is_upserted_by_its_tracking_id(desk):
    old = desk.post("/chunk_group", {"tracking_id": "g", "name": "old"})
    body = {"tracking_id": "g", "description": "new", "upsert_by_tracking_id": True}
    new = desk.post("/chunk_group", body)
    assert (new["id"], new["name"], new["description"]) == (old["id"], "", "new")
    said = desk.post("/chunk_group", {"tracking_id": "g"}, 400)
    assert said == f"Key (dataset_id, tracking_id)=({desk.dataset}, g) already exists."


def test_an_update_of_a_group_is_there_at_once(desk):
    group = desk.post(
        "/chunk_group", {"tracking_id": "g", "name": "old", "tag_set": []}
    )
    desk.put("/chunk_group", {"tracking_id": "g", "name": "new"})
    found = desk.get(f"/chunk_group/{group['id']}")
    changed = {"name": "new", "updated_at": found["updated_at"], "file_id": None}
    assert found == {**group, **changed}
    other = desk.post("/chunk_group", {"tracking_id": "h"})
    desk.put("/chunk_group", {"group_id": other["id"], "tracking_id": "g"}, 400)
    assert desk.events("group_chunks_updated") == []


def test_the_chunks_of_a_group_get_its_tags_once(desk):
    group = desk.post("/chunk_group", {"tag_set": ["a", "b"]})
    chunk = desk.chunk(tag_set=["b", "c"], group_ids=[group["id"]])
    bare = desk.chunk(group_ids=[group["id"]])
    outside = desk.chunk()
    desk.put("/chunk_group", {"group_id": group["id"], "update_chunks": True})
    assert desk.get(f"/chunk/{chunk['id']}")["tag_set"] == ["b", "c"]
    desk.wait()
    assert desk.get(f"/chunk/{chunk['id']}")["tag_set"] == ["b", "c", "a"]
    assert desk.get(f"/chunk/{bare['id']}")["tag_set"] == ["a", "b"]
    assert desk.get(f"/chunk/{outside['id']}") == outside
    assert desk.last("group_chunks_updated") == {"group_id": group["id"]}


def test_tags_that_cannot_be_handed_on_are_not(desk):
    group = desk.post("/chunk_group", {"tag_set": ["a"]})
    chunk = desk.chunk(group_ids=[group["id"]])
    desk.plan("group_update_failed", "group_update")
    desk.put("/chunk_group", {"group_id": group["id"], "update_chunks": True})
    desk.wait()
    assert desk.get(f"/chunk/{chunk['id']}") == chunk
    assert desk.last("group_chunks_action_failed") == {
        "error": "Group not found", "group_id": group["id"],
    }  # fmt: skip


@pytest.mark.parametrize("with_chunks", [True, False])
def test_a_group_is_deleted_with_its_chunks_or_without(desk, with_chunks):
    group = desk.post("/chunk_group", {})
    chunk = desk.chunk(group_ids=[group["id"]])
    outside = desk.chunk()
    query = "?delete_chunks=true" if with_chunks else ""
    desk.delete(f"/chunk_group/{group['id']}{query}")
    desk.get(f"/chunk_group/{group['id']}", 404)
    desk.get(f"/chunk/{chunk['id']}", 404 if with_chunks else 200)
    desk.get(f"/chunk/{outside['id']}")
    desk.post(f"/chunk_group/chunk/{group['id']}", {"chunk_id": outside["id"]}, 404)


def test_a_chunk_is_put_into_a_group_and_taken_out_of_it(desk):
    group, chunk = desk.post("/chunk_group", {}), desk.chunk(tracking_id="a")
    path = f"/chunk_group/chunk/{group['id']}"
    desk.post(path, {"chunk_tracking_id": "a"}, 204)
    desk.post(path, {"chunk_id": chunk["id"]}, 204)
    desk.delete(path, {"chunk_id": chunk["id"].upper()})
    desk.delete(f"{path}?chunk_id={chunk['id']}", status=404)
    desk.delete(f"/chunk_group/{group['id']}?delete_chunks=true")
    desk.get(f"/chunk/{chunk['id']}")
