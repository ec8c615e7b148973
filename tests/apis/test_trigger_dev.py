"""Trigger.dev v3: the spans of a run's trace."""

import json
import re
from datetime import datetime

import pytest
from table.trigger_dev import RUNS, TRIGGER

from soundstage.world.commands import Interrupt, Start
from support.client import in_process_client

RUN = "run_1234"


def spans_of(client, run, headers):
    return client.get(f"{RUNS}/{run}/events", headers=headers).json()["events"]


def test_spans_come_in_the_order_in_which_they_started(client):
    starts = [int(span["startTime"]) for span in spans_of(client, RUN, TRIGGER)]
    assert starts == sorted(starts)


def test_a_start_is_text_in_nanoseconds_and_a_duration_a_number(client):
    for span in spans_of(client, RUN, TRIGGER):
        assert re.fullmatch(r"\d{19}", span["startTime"])
        assert isinstance(span["duration"], int)


def test_only_the_root_has_no_parent_and_every_parent_exists(client):
    root, *rest = spans_of(client, RUN, TRIGGER)
    assert root["parentId"] is None
    assert root["attemptNumber"] is None
    ids = {root["spanId"], *(span["spanId"] for span in rest)}
    assert {span["parentId"] for span in rest} <= ids
    assert len(ids) == len(rest) + 1


def test_a_run_under_way_has_partial_spans_without_a_duration(services, world, judges):
    run = world.apply(Start("trigger-dev", "hello-world", "success"))
    with in_process_client(services, world, judges) as client:
        assert [
            (span["message"], span["isPartial"], span["duration"])
            for span in spans_of(client, run.id, TRIGGER)
        ] == [("hello-world", True, 0)]
        world.clock.advance(3_600_000)
        done = spans_of(client, run.id, TRIGGER)
    assert not any(span["isPartial"] for span in done)
    assert done[0]["duration"] > 0


def test_a_cancelled_run_closes_what_was_open(services, world, judges):
    run = world.apply(Start("trigger-dev", "process-video", "long_running"))
    world.clock.advance(60_000)
    world.apply(Interrupt("trigger-dev", run.id, "cancelled"))
    with in_process_client(services, world, judges) as client:
        spans = spans_of(client, run.id, TRIGGER)
    assert not any(span["isPartial"] for span in spans)
    ended = {int(span["startTime"]) + span["duration"] for span in spans if span["isCancelled"]}
    assert ended == {int(spans[0]["startTime"]) + spans[0]["duration"]}


def test_the_root_span_has_an_event_of_a_failed_attempt(client):
    root, attempt, *_ = spans_of(client, RUN, TRIGGER)
    (failure,) = root["events"]
    assert failure["name"] == "attempt_failed"
    assert failure["properties"]["attemptNumber"] == attempt["attemptNumber"] == 1
    assert attempt["isError"]


@pytest.mark.parametrize("key", ["tr_prod_1234", "tr_stg_1234"])
def test_a_run_of_another_environment_is_not_found_and_may_be_retried(client, key):
    headers = {"Authorization": f"Bearer {key}"}
    response = client.get(f"{RUNS}/run_1234/events", headers=headers)
    assert response.status_code == 404
    assert response.json() == {"error": "Run not found"}
    assert response.headers["x-should-retry"] == "true"


def test_the_error_names_the_invalid_part_of_a_request(client):
    response = client.get(f"{RUNS}/run_1234/events?page=1", headers=TRIGGER)
    assert response.json() == {
        "error": "Query Error",
        "details": [
            {
                "code": "unknown",
                "path": ["page"],
                "message": "get_run_events_v1 has no query parameter 'page'",
            }
        ],
    }
    assert json.loads(response.headers["Soundstage-Violations"])[0]["in"] == "query"


def test_a_trace_is_the_tree_of_the_listed_spans(client):
    trace = client.get(f"{RUNS}/run_1234/trace", headers=TRIGGER).json()["trace"]
    found = {}

    def walk(node, parent):
        assert node.get("parentId") == parent
        found[node["id"]] = node["data"]
        for child in node["children"]:
            walk(child, node["id"])

    walk(trace["rootSpan"], None)
    spans = spans_of(client, RUN, TRIGGER)
    assert re.fullmatch("[0-9a-f]{32}", trace["traceId"])
    assert set(found) == {span["spanId"] for span in spans}
    for span in spans:
        data = found[span["spanId"]]
        start = datetime.fromisoformat(data["startTime"]).timestamp()
        assert round(start * 1_000) == int(span["startTime"]) // 1_000_000
        same = ("message", "duration", "isError", "isPartial", "level", "events")
        assert [data[name] for name in same] == [span[name] for name in same]
        assert data.get("attemptNumber") == span["attemptNumber"]
