"""Trieve: files and crawls, and the chunks that come of them."""

import base64

import pytest
from desk import HOUR, MINUTE, SECOND, desk_of

from soundstage.world.commands import Interrupt


@pytest.fixture
def desk(services, world, judges):
    with desk_of(services, world, judges) as desk:
        yield desk


def upload(desk, content, **more):
    text = base64.b64encode(content).decode()
    body = {"base64_file": text, "file_name": "a.txt", **more}
    return desk.post("/file", body)["file_metadata"]


def pieces(desk):
    """The texts of the chunks that the last upload became."""
    desk.wait()
    ids = desk.last("chunks_uploaded")["chunk_ids"]
    return [desk.get(f"/chunk/{chunk_id}")["chunk_html"] for chunk_id in ids]


def test_a_file_is_there_at_once_and_its_chunks_when_their_event_says_so(desk):
    file = upload(desk, b"One. Two.", tag_set=["t"], link="l", metadata={"k": 1})
    found = desk.get(f"/file/{file['id']}?ttl=60")
    assert found.pop("s3_url").endswith(f"/files/{file['id']}?X-Amz-Expires=60")
    assert {**found, "dataset_id": desk.dataset} == file
    assert file["size"] == 9
    assert desk.events() == []
    desk.wait()
    (uploaded,) = desk.events("file_uploaded")
    assert uploaded == {
        "file_id": file["id"], "file_name": "a.txt", "pages": None,
        "pdf2md_options": None,
    }  # fmt: skip
    (chunk_id,) = desk.last("chunks_uploaded")["chunk_ids"]
    chunk = desk.get(f"/chunk/{chunk_id}")
    said = [chunk[name] for name in ("chunk_html", "tag_set", "link", "metadata")]
    assert said == ["One. Two.", ["t"], "l", {"k": 1}]


@pytest.mark.parametrize(
    ("content", "options", "wanted"),
    [
        (b"A. " * 45, {}, ["A. " * 19 + "A."] * 2 + ["A. " * 4 + "A."]),
        (b"A. B! C? D\nE", {"target_splits_per_chunk": 2}, ["A. B!", "C? D", "E"]),
        (b"A. B! C? D\nE", {"split_avg": True}, ["A. B! C? D E"]),
        (b"a,b.c", {"split_delimiters": [","], "target_splits_per_chunk": 1},
         ["a,", "b.c"]),
        (b"a b", {"split_delimiters": [""]}, ["a b"]),
        (b" \n ", {}, []),
        (b"", {}, []),
    ],
)  # fmt: skip
def test_a_text_is_cut_into_sentences_and_these_put_together(
    desk, content, options, wanted
):
    upload(desk, content, **options)
    assert pieces(desk) == wanted


def test_a_file_that_is_no_text_becomes_a_chunk_too(desk):
    upload(desk, b"\xff\xfe\x00")
    assert len(pieces(desk)) == 1


def test_a_files_chunks_are_in_a_group_of_its_own(desk):
    file = upload(desk, b"One.", group_tracking_id="g", description="d")
    desk.put("/chunk_group", {"tracking_id": "g"}, 404)
    desk.wait()
    chunk = desk.get("/chunk/tracking_id/g%7C0")
    condition = {"field": "group_tracking_ids", "match_any": ["g"]}
    groups = desk.world.collection("trieve", "groups")
    (group,) = groups.children(desk.dataset, desk.world.now())
    shown = desk.get(f"/chunk_group/{group['id']}")
    assert (shown["file_id"], shown["name"], shown["description"]) == (
        file["id"], "Group for file a.txt", "d",
    )  # fmt: skip
    desk.delete("/chunk", {"filter": {"must": [condition]}})
    desk.wait()
    desk.get(f"/chunk/{chunk['id']}", 404)


def test_a_files_group_may_be_there_already(desk):
    group = desk.post("/chunk_group", {"tracking_id": "g", "name": "n"})
    file = upload(desk, b"One.", group_tracking_id="g")
    assert desk.get(f"/chunk_group/{group['id']}")["file_id"] is None
    desk.wait()
    shown = desk.get(f"/chunk_group/{group['id']}")
    assert (shown["file_id"], shown["name"]) == (file["id"], "n")


@pytest.mark.parametrize("with_chunks", [True, False])
def test_a_file_is_deleted_with_its_chunks_or_without(desk, with_chunks):
    file = upload(desk, b"One.", group_tracking_id="g")
    desk.wait()
    query = "?delete_chunks=true" if with_chunks else ""
    desk.delete(f"/file/{file['id']}{query}")
    desk.get(f"/file/{file['id']}", 404)
    desk.get("/chunk/tracking_id/g%7C0", 404 if with_chunks else 200)
    desk.put("/chunk_group", {"tracking_id": "g"}, 404)


def test_a_file_that_cannot_be_read_has_no_chunks(desk):
    desk.plan("file_upload_failed", "file_upload")
    file = upload(desk, b"One.", group_tracking_id="g")
    desk.wait()
    assert desk.last("file_upload_failed")["file_id"] == file["id"]
    desk.put("/chunk_group", {"tracking_id": "g"}, 404)
    desk.get("/chunk/tracking_id/g%7C0", 404)


def test_a_file_that_is_not_to_be_cut_is_only_kept(desk):
    upload(desk, b"One.", create_chunks=False)
    desk.wait()
    assert len(desk.events("file_uploaded")) == 1
    assert desk.events("chunks_uploaded") == []


# Crawls


def crawl(desk, **options):
    return desk.post("/crawl", {"crawl_options": options})


def newest(desk):
    return desk.get("/crawl?limit=1")[0]


def test_a_crawl_moves_on_as_its_events_do(desk):
    made = crawl(desk, site_url="https://example.com/", limit=2, tags=["t"])
    told = []
    while not told or told[-1][0] != "Completed":
        events = (len(desk.events(name)) for name in
                  ("crawl_started", "chunks_uploaded", "crawl_completed"))  # fmt: skip
        told.append((newest(desk)["status"], *events))
        desk.wait(SECOND)
    assert list(dict.fromkeys(map(str, told))) == [
        "('Pending', 0, 0, 0)",
        "({'Processing': 0}, 1, 0, 0)",
        "({'Processing': 1}, 1, 1, 0)",
        "({'Processing': 2}, 1, 2, 0)",
        "('Completed', 1, 2, 1)",
    ]
    assert newest(desk) == {**made, "status": "Completed"}
    options = {"site_url": "https://example.com/", "limit": 2, "tags": ["t"]}
    ids = [i for data in desk.events("chunks_uploaded") for i in data["chunk_ids"]]
    assert desk.last("crawl_completed") == {
        "scrape_id": made["scrape_id"], "crawl_options": options,
        "pages_crawled": 2, "chunks_created": len(ids),
    }  # fmt: skip
    chunks = [desk.get(f"/chunk/{chunk_id}") for chunk_id in ids]
    assert {chunk["link"] for chunk in chunks} == {
        "https://example.com/page-1", "https://example.com/page-2",
    }  # fmt: skip
    assert all(chunk["tag_set"] == ["t"] for chunk in chunks)


def test_a_crawl_fails_as_it_was_planned(desk):
    desk.plan("crawl_failed", "crawl")
    made = crawl(desk, site_url="https://example.com")
    desk.wait(5 * MINUTE)
    assert newest(desk)["status"] == "Failed"
    # The real server's workers do not agree which id is whose.
    assert desk.last("crawl_failed")["scrape_id"] == made["id"]
    assert desk.last("crawl_started")["scrape_id"] == made["scrape_id"]


def test_a_crawl_may_leave_no_chunks(desk):
    crawl(desk, add_chunks_to_dataset=False, limit=1)
    desk.wait(HOUR)
    (chunk_id, *_) = desk.last("chunks_uploaded")["chunk_ids"]
    desk.get(f"/chunk/{chunk_id}", 404)


def test_a_deleted_crawl_has_no_later_event(desk):
    made = crawl(desk, limit=5)
    while not desk.events("chunks_uploaded"):
        desk.wait(SECOND)
    before = desk.events()
    desk.delete(f"/crawl/{made['id']}")
    assert desk.get("/crawl") == []
    desk.wait(HOUR)
    assert desk.events() == before
    desk.delete(f"/crawl/{made['id']}", status=404)


@pytest.mark.parametrize("name", ["id", "scrape_id"])
def test_a_crawl_is_run_again_with_merged_options(desk, name):
    made = crawl(desk, site_url="https://example.com", limit=2, interval="weekly")
    desk.wait(HOUR)
    body = {"crawl_id": made[name], "crawl_options": {"limit": 1, "interval": None}}
    again = desk.put("/crawl", body, 200)
    assert again["id"] != made["id"]
    assert again["crawl_options"] == {**made["crawl_options"], "limit": 1}
    assert desk.get("/crawl") == [again]
    desk.wait(HOUR)
    assert [data["pages_crawled"] for data in desk.events("crawl_completed")] == [2, 1]


def test_crawls_are_listed_newest_first_in_pages(desk):
    made = []
    for _ in range(12):
        made.insert(0, crawl(desk)["id"])
        desk.wait(SECOND / 10)
    assert [c["id"] for c in desk.get("/crawl")] == made[:10]
    pages = [desk.get(f"/crawl?page={page}&limit=5") for page in (1, 2, 3, 4)]
    assert [c["id"] for page in pages for c in page] == made


def test_a_cancelled_job_stops_a_crawl_where_it_is(desk):
    crawl(desk, limit=5)
    desk.wait(15 * SECOND)
    job = list(desk.world.collection("trieve", "jobs"))[-1]
    desk.world.apply(Interrupt("trieve", job.id, "cancelled"))
    before = newest(desk)
    desk.wait(HOUR)
    assert newest(desk) == before
    assert desk.events("crawl_completed") == []
