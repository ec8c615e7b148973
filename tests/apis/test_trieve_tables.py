"""Trieve: the presigned URLs of tables, their uploads, and the chunks of their rows."""

import pytest
from table.trieve import HELP

from soundstage.world.clock import HOUR, SECOND


def create_url(trieve, name="a.csv", **more):
    body = trieve.post("/file/csv_or_jsonl", {"file_name": name, **more})
    return body["file_metadata"]["id"], body["presigned_put_url"]


def upload(trieve, url, content, status=200):
    response = trieve.http.put(url, content=content)
    assert response.status_code == status, response.text


FAILED = "csv_jsonl_processing_failed"
DONE = "csv_jsonl_processing_completed"


def test_the_url_of_a_table_expires_after_8600_seconds(trieve):
    file_id, url = create_url(trieve)
    trieve.advance(8_600 * SECOND - 1)
    assert trieve.events() == []
    trieve.advance(1)
    assert trieve.events(FAILED) == [{"error": "The file was never uploaded", "file_id": file_id}]
    upload(trieve, url, b"a\n1\n", 403)
    trieve.get(f"/file/{file_id}", 404)


def test_a_table_may_be_uploaded_until_its_url_expires(trieve):
    file_id, url = create_url(trieve)
    trieve.advance(8_600 * SECOND - 1)
    upload(trieve, url, b"a,b\n1,2\n3,4\n")
    upload(trieve, url, b"a,b\n")
    assert trieve.get(f"/file/{file_id}")["size"] == 12
    trieve.advance(HOUR)
    assert trieve.events() == [{"chunks_created": 2, "file_id": file_id}]
    upload(trieve, url, b"again")  # which changes nothing
    trieve.advance(HOUR)
    assert len(trieve.events()) == 1


@pytest.mark.parametrize("content", [b"", b"a,b\n", b"\n\n"])
def test_a_table_without_rows_is_read_too(trieve, content):
    file_id, url = create_url(trieve)
    upload(trieve, url, content)
    trieve.advance(HOUR)
    assert trieve.events() == [{"chunks_created": 0, "file_id": file_id}]


def test_there_is_a_checkpoint_every_thousand_rows(trieve):
    mapping = {"csv_jsonl_field": "n", "chunk_req_payload_field": "tracking_id"}
    file_id, url = create_url(trieve, mappings=[mapping])
    rows = "".join(f"{n}\n" for n in range(1, 2_003))
    upload(trieve, url, f"n\n{rows}".encode())
    counts = []
    while not trieve.events(DONE):
        for number in (1, 1_000, 1_001, 2_000, 2_001, 2_002):
            exists = bool(counts) and number <= counts[-1]
            trieve.get(f"/chunk/tracking_id/{number}", 200 if exists else 404)
        trieve.advance(5 * SECOND)
        events = trieve.events("csv_jsonl_processing_checkpoint")
        counts = [data["chunks_created"] for data in events]
    assert counts == [1_000, 2_000]
    assert trieve.last_event(DONE) == {"chunks_created": 2_002, "file_id": file_id}
    trieve.get("/chunk/tracking_id/2002")


def test_mappings_set_the_fields_of_a_rows_chunk(trieve):
    fields = {
        "sku": "tracking_id", "url": "link", "cost": "num_value", "kind": "tag_set",
        "north": "lat", "east": "lon", "at": "time_stamp", "pic": "image_urls",
        "size": "weight", "shelf": "group_tracking_ids", "none": "link",
    }  # fmt: skip
    mappings = [
        {"csv_jsonl_field": column, "chunk_req_payload_field": field}
        for column, field in fields.items()
    ]
    _, url = create_url(trieve, mappings=mappings, tag_set=["all"], metadata={"from": "csv"})
    head = "sku,url,cost,kind,north,east,at,pic,size,shelf"
    row = 's1,u,1.5,"x, y",10,20.5,2021-01-01,p,2,top'
    upload(trieve, url, f"\ufeff{head}\n{row}\n".encode())
    trieve.advance(HOUR)
    chunk = trieve.get("/chunk/tracking_id/s1")
    expected = {
        "link": "u", "num_value": 1.5, "tag_set": ["all", "x", "y"], "weight": 2.0,
        "location": {"lat": 10.0, "lon": 20.5}, "time_stamp": "2021-01-01T00:00:00",
        "image_urls": ["p"],
    }  # fmt: skip
    assert {name: chunk[name] for name in expected} == expected
    assert chunk["metadata"]["from"] == "csv"
    assert chunk["metadata"]["kind"] == "x, y"
    trieve.put("/chunk_group", {"tracking_id": "top"})


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("a.jsonl", b'{"a":1}\n{', "Line 2 is not JSON"),
        ("a.jsonl", b"[1]", "Line 1 is not a JSON object, or is too deep"),
        ("a.JSONL", b'{"a":%s%s}' % (b"[" * 200, b"]" * 200), "Line 1 is not a JSON"),
        ("a.csv", b"a,b\n1,2\n1", "Row 2 has too few columns"),
        ("a.csv", b"a,b\n1,2,3", "Row 1 has too many columns"),
        ("a.csv", b'a\n"%s"' % (b"x" * 200_000), "The file is not CSV"),
        ("a.csv", b"n\nx", "'x' is not a number for num_value"),
        ("a.csv", b"n\ninf", "'inf' is not a number for num_value"),
        ("a.csv", b"t\nyesterday", "Invalid timestamp format"),
    ],
)
def test_an_invalid_table_fails_with_the_row_in_its_error(trieve, name, content, error):
    mappings = [
        {"csv_jsonl_field": "n", "chunk_req_payload_field": "num_value"},
        {"csv_jsonl_field": "t", "chunk_req_payload_field": "time_stamp"},
    ]
    file_id, url = create_url(trieve, name, mappings=mappings)
    upload(trieve, url, content)
    trieve.advance()
    (failed,) = trieve.events(FAILED)
    assert failed["file_id"] == file_id
    assert failed["error"].startswith(error)
    upload(trieve, url, content)


@pytest.mark.parametrize("upsert", [True, False, None])
def test_a_row_with_a_taken_tracking_id_is_upserted_by_default(trieve, upsert):
    old = trieve.create_chunk(tracking_id="a", link="old")
    mappings = [
        {"csv_jsonl_field": name, "chunk_req_payload_field": field}
        for name, field in (("id", "tracking_id"), ("url", "link"))
    ]
    _, url = create_url(trieve, "a.jsonl", mappings=mappings, upsert_by_tracking_id=upsert)
    upload(trieve, url, b'{"id":"a","url":"new"}\n\n{"id":"b","url":null}\n')
    trieve.advance(HOUR)
    new = trieve.get("/chunk/tracking_id/a")
    assert new["id"] == old["id"]
    assert new["link"] == ("old" if upsert is False else "new")
    trieve.get("/chunk/tracking_id/b")


def test_a_presigned_url_leads_to_its_own_world(trieve):
    path = "/trieve/api/file/csv_or_jsonl"
    for where, headers in ((f"/~mine{path}", {}), (path, {"Soundstage-World": "mine"})):
        url = trieve.http.post(
            where,
            headers={**trieve.headers, "TR-Dataset": HELP} | headers,
            json={"file_name": "a.csv"},
        ).json()["presigned_put_url"]
        assert url.startswith(f"http://127.0.0.1:4010/~mine{path}/")
        assert trieve.http.put(url, content=b"a\n1\n").status_code == 200
    assert create_url(trieve)[1].startswith(f"http://127.0.0.1:4010{path}/")
