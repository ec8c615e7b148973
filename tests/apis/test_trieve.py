"""Trieve: the events of a dataset."""

import json
import re

import pytest
from table.rows import ZERO
from table.trieve import DATASET, OTHER_DATASET, TRIEVE

from soundstage.apis.trieve import MODEL
from soundstage.world.record import Record
from support.client import in_process_client

URL = "/trieve/api/dataset/events"


@pytest.fixture
def list_events(client):
    def list_events(**body):
        return client.post(URL, headers=TRIEVE, json=body).json()

    return list_events


@pytest.fixture
def everything(list_events):
    """All events of the dataset, the newest first."""
    return list_events(page_size=10_000)["events"]


def test_the_defaults_are_the_first_page_of_ten(list_events, everything):
    assert list_events()["events"] == everything[:10]
    assert (
        list_events() == list_events(page=1, page_size=10) == list_events(page=None, page_size=None)
    )


def test_events_come_newest_first(everything):
    times = [_sortable(event["created_at"]) for event in everything]
    assert times == sorted(times, reverse=True)


def _sortable(text):
    day, clock = text.split(" ")[:2]
    return day, clock.rjust(10, "0")


def test_a_time_has_whole_seconds_an_unpadded_hour_and_a_long_offset(everything):
    pattern = re.compile(r"2025-12-\d\d (\d|1\d|2[0-3]):[0-5]\d:[0-5]\d\.0 \+00:00:00")
    assert all(pattern.fullmatch(event["created_at"]) for event in everything)
    assert any(" 9:" in event["created_at"] for event in everything)


def test_data_is_compact_json_text_with_sorted_keys(everything):
    for event in everything:
        data = json.loads(event["event_data"])
        text = json.dumps(data, sort_keys=True, separators=(",", ":"))
        assert event["event_data"] in {text, json.dumps(data, ensure_ascii=False)} | {
            json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        }


@pytest.mark.parametrize("size", [1, 10, 100, 161, 162, 163])
def test_pages_tile_the_list(list_events, everything, size):
    first = list_events(page_size=size)
    count = first["page_count"]
    assert count == -(-len(everything) // size)
    pages = [list_events(page=n, page_size=size)["events"] for n in range(1, count + 1)]
    assert sum(pages, []) == everything  # noqa: RUF017 - a few pages


def test_past_the_end_there_are_no_events_and_as_many_pages(list_events):
    assert list_events(page=99)["events"] == []
    assert list_events(page=99)["page_count"] == list_events()["page_count"]


def test_a_page_size_of_zero_has_the_page_count_of_the_real_server(list_events):
    assert (list_events(page_size=0)["events"], list_events(page_size=0)["page_count"]) == (
        [],
        2**31 - 1,
    )
    none = list_events(page_size=0, event_types=["chunk_action_failed"])
    assert (none["events"], none["page_count"]) == ([], 0)


def test_types_choose_events_and_not_the_list_of_types(list_events, everything):
    chosen = ["etl_failed", "file_uploaded", "chunk_action_failed"]
    response = list_events(event_types=chosen, page_size=10_000)
    assert response["events"] == [e for e in everything if e["event_type"] in chosen]
    assert response["event_types"] == list_events()["event_types"]
    assert response["page_count"] == 1


def test_the_list_of_types_is_distinct_and_in_order(list_events, everything):
    types = list_events()["event_types"]
    assert types == sorted({event["event_type"] for event in everything})
    assert len(types) > 20


def test_no_types_means_all(list_events):
    assert list_events(event_types=[]) == list_events(event_types=None) == list_events()


def test_a_failed_index_is_left_out_unless_a_request_has_its_other_name(services, world, judges):
    kind = MODEL.record_types["event"]
    document = {
        "id": ZERO, "dataset_id": DATASET, "organization_id": None,
        "created_at": "2026-01-01 0:00:00.0 +00:00:00",
        "event_type": "qdrant_index_failed", "event_data": "null",
    }  # fmt: skip
    record = Record(kind, ZERO, (world.clock.now(),), (document,))
    world.collection("trieve", "events").add(record)
    with in_process_client(services, world, judges) as client:
        plain = client.post(URL, headers=TRIEVE, json={}).json()
        body = {"event_types": ["qdrant_upload_failed"]}
        named = client.post(URL, headers=TRIEVE, json=body).json()
    assert ZERO not in {event["id"] for event in plain["events"]}
    assert "qdrant_index_failed" in plain["event_types"]
    assert named["events"] == [document]


def test_datasets_do_not_see_each_other(client, everything):
    ids = {event["id"] for event in everything}
    other = {"TR-Dataset": OTHER_DATASET, "Authorization": "tr-a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1"}
    theirs = client.post(URL, headers=other, json={"page_size": 10_000}).json()
    assert theirs["events"]
    assert not ids & {event["id"] for event in theirs["events"]}
    assert {event["dataset_id"] for event in theirs["events"]} == {OTHER_DATASET}


@pytest.mark.parametrize(
    ("content", "start"),
    [
        (b"{", "Json Deserialization Error: *Type* : Syntax error in JSON | "),
        (b'{"page":"1"}', "Json Deserialization Error: *Type* : Data error in JSON | "),
    ],
)
def test_an_invalid_body_has_the_message_of_the_real_server(client, content, start):
    headers = TRIEVE | {"content-type": "application/json"}
    response = client.post(URL, headers=headers, content=content)
    assert response.json()["message"].startswith(start)
