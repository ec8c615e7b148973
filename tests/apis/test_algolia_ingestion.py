"""Algolia Ingestion: runs and their events."""

import pytest
from table.algolia_ingestion import ALGOLIA, OTHER_ALGOLIA, RUN

RUNS = "/algolia-ingestion/1/runs"


@pytest.fixture
def events(client):
    """Returns a function that lists events of a run, by default without a window."""

    def ask(run=RUN, headers=ALGOLIA, *, all_time=True, **query):
        window = {"startDate": "2025-12-01T00:00:00Z"} if all_time else {}
        url = f"{RUNS}/{run}/events"
        return client.get(url, headers=headers, params={**window, **query}).json()

    return ask


@pytest.fixture
def everything(events):
    """All events of the documented run, the oldest first."""
    return events(order="asc", itemsPerPage=100)["events"]


def test_the_documented_run_has_events_of_all_types_and_statuses(everything):
    assert {event["type"] for event in everything} == {*("fetch", "record", "log", "transform")}
    assert {None, "retried", "failed"} < {event["status"] for event in everything}


def test_counters_of_a_run_agree_with_its_events(client, everything):
    run = client.get(f"{RUNS}/{RUN}", headers=ALGOLIA).json()
    ended = [
        event
        for event in everything
        if event["type"] == "record" and event["status"] in {"succeeded", "failed"}
    ]
    assert run["progress"]["receivedNbOfEvents"] == len(ended)
    assert run["startedAt"] < run["finishedAt"]


@pytest.mark.parametrize("size", [1, 7, 10, 32, 33, 34, 100])
def test_pages_tile_the_list(events, everything, size):
    seen, page, count = [], 0, 1
    while page < count:
        page += 1
        response = events(order="asc", itemsPerPage=size, page=page)
        seen += response["events"]
        count = response["pagination"]["nbPages"]
        assert response["pagination"] == {
            "nbPages": -(-len(everything) // size),
            "page": page,
            "nbItems": len(everything),
            "itemsPerPage": size,
        }
    assert seen == everything


def test_a_page_past_the_end_is_empty_and_its_totals_are_true(events, everything):
    response = events(page=99)
    assert response["events"] == []
    assert response["pagination"]["nbItems"] == len(everything)
    assert response["pagination"]["nbPages"] == 4


def test_an_empty_list_has_one_page(events):
    assert events(type="log", status="critical")["pagination"] == {
        "nbPages": 1,
        "page": 1,
        "nbItems": 0,
        "itemsPerPage": 10,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=failed,retried", {"failed", "retried"}),
        ("status=failed%2Cretried", {"failed", "retried"}),
        ("status=failed&status=retried", {"failed", "retried"}),
        ("status=failed&status=retried,created", {"failed", "retried", "created"}),
        ("status=null", {None}),
        ("status=,failed", {None, "failed"}),
        ("status=null,failed", {None, "failed"}),
    ],
)
def test_statuses_are_taken_as_every_client_sends_them(client, query, expected):
    url = f"{RUNS}/{RUN}/events?startDate=2025-12-01T00:00:00Z&itemsPerPage=100&{query}"
    found = client.get(url, headers=ALGOLIA).json()
    assert {event["status"] for event in found["events"]} == expected
    assert found["pagination"]["nbItems"] == len(found["events"])


def test_an_empty_filter_is_no_filter(events, everything):
    assert events(status="", type="")["pagination"]["nbItems"] == len(everything)


def test_filters_of_status_and_type_both_hold(events, everything):
    found = events(status="succeeded", type="record", itemsPerPage=100)["events"]
    assert found
    assert sorted(event["eventID"] for event in found) == sorted(
        event["eventID"]
        for event in everything
        if (event["status"], event["type"]) == ("succeeded", "record")
    )


@pytest.mark.parametrize("field", ["status", "type", "publishedAt"])
def test_a_sort_backwards_is_the_sort_read_backwards(events, everything, field):
    up = events(sort=field, order="asc", itemsPerPage=100)["events"]
    down = events(sort=field, order="desc", itemsPerPage=100)["events"]
    keys = [event[field] or "" for event in up]
    assert keys == sorted(keys)
    assert down == up[::-1]
    assert up == sorted(everything, key=lambda event: event[field] or "")


def test_the_newest_event_comes_first_by_default(events, everything):
    assert events()["events"] == everything[::-1][:10]


def test_the_default_window_is_the_last_three_hours(events, client):
    old = _find_run(client, "2025-12-31T20:10:13.887Z")
    recent = events(old, all_time=False)
    assert recent["window"]["startDate"] == "2025-12-31T21:00:00.000Z"
    assert recent["pagination"]["nbItems"] == 0
    assert events(old)["pagination"]["nbItems"] == 6


def _find_run(client, created):
    transport = client._transport
    runs = transport.world.collection("algolia-ingestion", "runs")
    return next(r.id for r in runs if r.versions[0]["createdAt"] == created)


@pytest.mark.parametrize("offset", ["Z", "%2B00:00", "-00:00"])
def test_both_ends_of_a_window_belong_to_it(client, everything, offset):
    start, end = everything[3]["publishedAt"], everything[9]["publishedAt"]
    query = f"startDate={start[:-1]}{offset}&endDate={end[:-1]}{offset}&order=asc"
    url = f"{RUNS}/{RUN}/events?{query}"
    response = client.get(url, headers=ALGOLIA).json()
    assert response["events"] == everything[3:10]
    assert response["window"] == {"startDate": start, "endDate": end}


def test_an_offset_moves_the_window(events):
    utc = events(startDate="2025-12-31T22:51:00Z")
    assert utc == events(startDate="2026-01-01T04:36:00+05:45")


def test_a_window_that_ends_before_it_starts_is_empty(events):
    response = events(startDate="2026-01-01T00:00:00Z", endDate="2025-12-31T00:00:00Z")
    assert response["events"] == []
    assert response["pagination"]["nbItems"] == 0


def test_another_applications_run_is_not_found(client, events):
    response = client.get(f"{RUNS}/{RUN}/events", headers=OTHER_ALGOLIA)
    unknown = client.get(f"{RUNS}/lorem/events", headers=OTHER_ALGOLIA)
    assert response.status_code == unknown.status_code == 404
    assert response.json()["message"] == f"runs has no {RUN!r}"
    assert unknown.json()["message"] == "runs has no 'lorem'"
