"""Trieve: files and crawls, and their chunks."""

import base64

import pytest

from soundstage.world.clock import HOUR, MINUTE, SECOND
from soundstage.world.commands import Interrupt


def upload(trieve, content, **more):
    text = base64.b64encode(content).decode()
    body = {"base64_file": text, "file_name": "a.txt", **more}
    return trieve.post("/file", body)["file_metadata"]


def get_chunk_texts(trieve):
    """The texts of the chunks of the last upload."""
    trieve.advance()
    ids = trieve.last_event("chunks_uploaded")["chunk_ids"]
    return [trieve.get(f"/chunk/{chunk_id}")["chunk_html"] for chunk_id in ids]


def test_a_file_exists_at_once_and_its_chunks_from_their_event_on(trieve):
    file = upload(trieve, b"One. Two.", tag_set=["t"], link="l", metadata={"k": 1})
    found = trieve.get(f"/file/{file['id']}?ttl=60")
    assert found.pop("s3_url").endswith(f"/files/{file['id']}?X-Amz-Expires=60")
    assert {**found, "dataset_id": trieve.dataset} == file
    assert file["size"] == 9
    assert trieve.events() == []
    trieve.advance()
    (uploaded,) = trieve.events("file_uploaded")
    assert uploaded == {
        "file_id": file["id"], "file_name": "a.txt", "pages": None,
        "pdf2md_options": None,
    }  # fmt: skip
    (chunk_id,) = trieve.last_event("chunks_uploaded")["chunk_ids"]
    chunk = trieve.get(f"/chunk/{chunk_id}")
    values = [chunk[name] for name in ("chunk_html", "tag_set", "link", "metadata")]
    assert values == ["One. Two.", ["t"], "l", {"k": 1}]


@pytest.mark.parametrize(
    ("content", "options", "expected"),
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
def test_a_text_is_split_into_sentences_which_are_joined_to_chunks(
    trieve, content, options, expected
):
    upload(trieve, content, **options)
    assert get_chunk_texts(trieve) == expected


def test_a_binary_file_becomes_a_chunk_too(trieve):
    upload(trieve, b"\xff\xfe\x00")
    assert len(get_chunk_texts(trieve)) == 1


def test_a_files_chunks_are_in_a_group_of_its_own(trieve):
    file = upload(trieve, b"One.", group_tracking_id="g", description="d")
    trieve.put("/chunk_group", {"tracking_id": "g"}, 404)
    trieve.advance()
    chunk = trieve.get("/chunk/tracking_id/g%7C0")
    condition = {"field": "group_tracking_ids", "match_any": ["g"]}
    groups = trieve.world.collection("trieve", "groups")
    (group,) = groups.children(trieve.dataset, trieve.world.now())
    shown = trieve.get(f"/chunk_group/{group['id']}")
    assert (shown["file_id"], shown["name"], shown["description"]) == (
        file["id"], "Group for file a.txt", "d",
    )  # fmt: skip
    trieve.delete("/chunk", {"filter": {"must": [condition]}})
    trieve.advance()
    trieve.get(f"/chunk/{chunk['id']}", 404)


def test_the_group_of_a_file_may_exist_already(trieve):
    group = trieve.post("/chunk_group", {"tracking_id": "g", "name": "n"})
    file = upload(trieve, b"One.", group_tracking_id="g")
    assert trieve.get(f"/chunk_group/{group['id']}")["file_id"] is None
    trieve.advance()
    shown = trieve.get(f"/chunk_group/{group['id']}")
    assert (shown["file_id"], shown["name"]) == (file["id"], "n")


@pytest.mark.parametrize("with_chunks", [True, False])
def test_a_file_is_deleted_with_its_chunks_or_without(trieve, with_chunks):
    file = upload(trieve, b"One.", group_tracking_id="g")
    trieve.advance()
    query = "?delete_chunks=true" if with_chunks else ""
    trieve.delete(f"/file/{file['id']}{query}")
    trieve.get(f"/file/{file['id']}", 404)
    trieve.get("/chunk/tracking_id/g%7C0", 404 if with_chunks else 200)
    trieve.put("/chunk_group", {"tracking_id": "g"}, 404)


def test_a_file_that_cannot_be_read_has_no_chunks(trieve):
    trieve.plan("file_upload_failed", "file_upload")
    file = upload(trieve, b"One.", group_tracking_id="g")
    trieve.advance()
    assert trieve.last_event("file_upload_failed")["file_id"] == file["id"]
    trieve.put("/chunk_group", {"tracking_id": "g"}, 404)
    trieve.get("/chunk/tracking_id/g%7C0", 404)


def test_a_file_may_be_stored_without_chunks(trieve):
    upload(trieve, b"One.", create_chunks=False)
    trieve.advance()
    assert len(trieve.events("file_uploaded")) == 1
    assert trieve.events("chunks_uploaded") == []


# Crawls


def create_crawl(trieve, **options):
    return trieve.post("/crawl", {"crawl_options": options})


def get_newest_crawl(trieve):
    return trieve.get("/crawl?limit=1")[0]


def test_a_crawl_moves_on_as_its_events_do(trieve):
    created = create_crawl(trieve, site_url="https://example.com/", limit=2, tags=["t"])
    states = []
    while not states or states[-1][0] != "Completed":
        events = (len(trieve.events(name)) for name in
                  ("crawl_started", "chunks_uploaded", "crawl_completed"))  # fmt: skip
        states.append((get_newest_crawl(trieve)["status"], *events))
        trieve.advance(SECOND)
    assert list(dict.fromkeys(map(str, states))) == [
        "('Pending', 0, 0, 0)",
        "({'Processing': 0}, 1, 0, 0)",
        "({'Processing': 1}, 1, 1, 0)",
        "({'Processing': 2}, 1, 2, 0)",
        "('Completed', 1, 2, 1)",
    ]
    assert get_newest_crawl(trieve) == {**created, "status": "Completed"}
    options = {"site_url": "https://example.com/", "limit": 2, "tags": ["t"]}
    ids = [i for data in trieve.events("chunks_uploaded") for i in data["chunk_ids"]]
    assert trieve.last_event("crawl_completed") == {
        "scrape_id": created["scrape_id"], "crawl_options": options,
        "pages_crawled": 2, "chunks_created": len(ids),
    }  # fmt: skip
    chunks = [trieve.get(f"/chunk/{chunk_id}") for chunk_id in ids]
    assert {chunk["link"] for chunk in chunks} == {
        "https://example.com/page-1", "https://example.com/page-2",
    }  # fmt: skip
    assert all(chunk["tag_set"] == ["t"] for chunk in chunks)


def test_a_crawl_fails_as_it_was_planned(trieve):
    trieve.plan("crawl_failed", "crawl")
    created = create_crawl(trieve, site_url="https://example.com")
    trieve.advance(5 * MINUTE)
    assert get_newest_crawl(trieve)["status"] == "Failed"
    # The events of the real server's workers confuse the two ids.
    assert trieve.last_event("crawl_failed")["scrape_id"] == created["id"]
    assert trieve.last_event("crawl_started")["scrape_id"] == created["scrape_id"]


def test_a_crawl_may_leave_no_chunks(trieve):
    create_crawl(trieve, add_chunks_to_dataset=False, limit=1)
    trieve.advance(HOUR)
    (chunk_id, *_) = trieve.last_event("chunks_uploaded")["chunk_ids"]
    trieve.get(f"/chunk/{chunk_id}", 404)


def test_a_deleted_crawl_has_no_later_event(trieve):
    created = create_crawl(trieve, limit=5)
    while not trieve.events("chunks_uploaded"):
        trieve.advance(SECOND)
    before = trieve.events()
    trieve.delete(f"/crawl/{created['id']}")
    assert trieve.get("/crawl") == []
    trieve.advance(HOUR)
    assert trieve.events() == before
    trieve.delete(f"/crawl/{created['id']}", status=404)


@pytest.mark.parametrize("name", ["id", "scrape_id"])
def test_a_crawl_is_run_again_with_merged_options(trieve, name):
    created = create_crawl(trieve, site_url="https://example.com", limit=2, interval="weekly")
    trieve.advance(HOUR)
    body = {"crawl_id": created[name], "crawl_options": {"limit": 1, "interval": None}}
    again = trieve.put("/crawl", body, 200)
    assert again["id"] != created["id"]
    assert again["crawl_options"] == {**created["crawl_options"], "limit": 1}
    assert trieve.get("/crawl") == [again]
    trieve.advance(HOUR)
    assert [data["pages_crawled"] for data in trieve.events("crawl_completed")] == [2, 1]


def test_crawls_are_listed_newest_first_in_pages(trieve):
    created = []
    for _ in range(12):
        created.insert(0, create_crawl(trieve)["id"])
        trieve.advance(SECOND / 10)
    assert [c["id"] for c in trieve.get("/crawl")] == created[:10]
    pages = [trieve.get(f"/crawl?page={page}&limit=5") for page in (1, 2, 3, 4)]
    assert [c["id"] for page in pages for c in page] == created


def test_a_cancelled_job_stops_a_crawl_where_it_is(trieve):
    create_crawl(trieve, limit=5)
    trieve.advance(15 * SECOND)
    job = trieve.newest_job()
    trieve.world.apply(Interrupt("trieve", job.id, "cancelled"))
    before = get_newest_crawl(trieve)
    trieve.advance(HOUR)
    assert get_newest_crawl(trieve) == before
    assert trieve.events("crawl_completed") == []
