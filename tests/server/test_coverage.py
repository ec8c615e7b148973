"""Coverage of the contracts of a server, as the control API returns it."""

import json
import time

import pytest

from soundstage.exchange.coverage import MAX_PENDING, Coverage
from soundstage.server.recording import MAX_RECORDED_BODY_BYTES
from support.in_process import ALGOLIA, RUN, TRIEVE, new_worlds_client, services

EVENTS = f"/1/runs/{RUN}/events"


@pytest.fixture
def control_client():
    with new_worlds_client() as client:
        yield client


def covered(client, operation, query="", prefix=""):
    response = client.get(f"{prefix}/_soundstage/coverage{query}")
    found = response.json()["operations"]
    return next(one for one in found if one["operation"] == operation)


def values(client, operation, side="seen", **where):
    found = covered(client, operation, **where)["values"][side]
    return {f"{one['at']}={json.dumps(one['value'])}" for one in found}


def test_an_operation_has_its_method_and_path(control_client):
    found = covered(control_client, "listEvents")
    assert (found["method"], found["path"]) == ("GET", "/1/runs/{runID}/events")


def test_values_in_requests_and_responses_are_distinguished(control_client):
    control_client.get(f"{EVENTS}?status=failed,null&order=asc", headers=ALGOLIA)
    seen = values(control_client, "listEvents")
    assert seen >= {
        'query.status[]="failed"',
        "query.status[]=null",
        'query.order="asc"',
        'answer.200.events[].status="failed"',
    }
    unseen = values(control_client, "listEvents", "unseen")
    assert unseen >= {'query.status[]="created"', 'answer.200.events[].status="created"'}
    assert not seen & unseen


def test_a_default_that_was_not_sent_is_not_covered(control_client):
    control_client.get(EVENTS, headers=ALGOLIA)
    assert 'query.order="desc"' in values(control_client, "listEvents", "unseen")


def test_a_value_counts_only_if_the_request_kept_the_contract(control_client):
    control_client.get(f"{EVENTS}?order=asc&page=0", headers=ALGOLIA)
    found = covered(control_client, "listEvents")
    assert "query.order" in found["parameters"]["seen"]
    assert 'query.order="asc"' in values(control_client, "listEvents", "unseen")


def test_values_of_bodies_are_covered(control_client):
    body = {"event_types": ["crawl_failed"]}
    control_client.post("/api/dataset/events", headers=TRIEVE, json=body)
    assert 'body.event_types[]="crawl_failed"' in values(control_client, "get_events")
    for wrong in ({"event_types": ["etl_failed"], "page": "x"}, {"event_types": ["x"]}):
        control_client.post("/api/dataset/events", headers=TRIEVE, json=wrong)
    unseen = values(control_client, "get_events", "unseen")
    assert 'body.event_types[]="etl_failed"' in unseen


def test_values_of_texts_are_covered(control_client):
    path = "/api/tasks/example/runs"
    control_client.get(path, headers={"authorization": "Bearer wrong"})
    seen = values(control_client, "getTaskRuns")
    assert 'answer.401="token is unauthorized"' in seen


def test_values_in_truncated_bodies_are_covered(control_client):
    body = {"event_types": ["crawl_failed"], "x": "x" * MAX_RECORDED_BODY_BYTES}
    control_client.post("/api/dataset/events", headers=TRIEVE, json=body)
    assert 'body.event_types[]="crawl_failed"' in values(control_client, "get_events")
    for _ in range(100):
        control_client.post("/_soundstage/runs", json={"api": "runwisp"})
    response = control_client.get("/api/tasks/example/runs?limit=1000")
    assert len(response.content) > MAX_RECORDED_BODY_BYTES
    assert 'answer.200.runs[].status="ended"' in values(control_client, "getTaskRuns")


def test_pending_and_counted_exchanges_are_covered(control_client):
    control_client.get(f"{EVENTS}?order=asc", headers=ALGOLIA)
    for number in range(1, MAX_PENDING + 20):
        control_client.get(f"{EVENTS}?page={number}", headers=ALGOLIA)
    control_client.get(f"{EVENTS}?order=desc", headers=ALGOLIA)
    assert covered(control_client, "listEvents")["calls"] == MAX_PENDING + 21
    seen = values(control_client, "listEvents")
    assert {'query.order="asc"', 'query.order="desc"'} <= seen


ALL = "?worlds=all"


def test_all_worlds_are_summarized_together(control_client):
    control_client.get(f"{EVENTS}?order=asc", headers=ALGOLIA)
    control_client.get(f"/~a{EVENTS}?order=desc", headers=ALGOLIA)
    control_client.get(f"/~a/1/runs/{RUN}", headers=ALGOLIA)
    here, there = (covered(control_client, "getRun"), covered(control_client, "getRun", ALL))
    assert (here["calls"], there["calls"]) == (0, 1)
    assert covered(control_client, "listEvents", ALL)["calls"] == 2
    both = {'query.order="asc"', 'query.order="desc"'}
    assert both <= values(control_client, "listEvents", query=ALL)
    assert not both <= values(control_client, "listEvents")


@pytest.mark.parametrize("way", ["delete", "reset", "clear"])
def test_what_a_world_has_covered_outlives_it(control_client, way):
    control_client.get(f"/~a{EVENTS}?order=asc", headers=ALGOLIA)
    match way:
        case "delete":
            control_client.delete("/_soundstage/worlds/a")
        case "reset":
            control_client.post("/_soundstage/worlds/a/reset")
        case "clear":
            control_client.delete("/~a/_soundstage/journal")
    if way != "delete":
        assert covered(control_client, "listEvents", prefix="/~a")["calls"] == 0
    for _ in range(2):  # reading changes nothing
        assert covered(control_client, "listEvents", ALL)["calls"] == 1
    assert 'query.order="asc"' in values(control_client, "listEvents", query=ALL)


def test_coverage_adds_up_when_it_is_read_in_between(control_client):
    control_client.get(f"{EVENTS}?order=asc", headers=ALGOLIA)
    covered(control_client, "listEvents", ALL)
    control_client.get(f"{EVENTS}?order=desc", headers=ALGOLIA)
    control_client.delete("/_soundstage/journal")
    control_client.get(f"{EVENTS}?sort=type", headers=ALGOLIA)
    found = covered(control_client, "listEvents", ALL)
    assert found["calls"] == 3
    assert found["statuses"]["seen"] == ["200"]
    assert {"query.order", "query.sort"} <= {*found["parameters"]["seen"]}


def test_a_poll_counts_each_response(control_client):
    control_client.get(f"/1/runs/{RUN}", headers=ALGOLIA)
    (one,) = control_client._transport.worlds.default.journal.coverage.pending
    run = json.loads(one.response_body)
    coverage = Coverage()
    for status in ("created", "started", "finished"):
        body = json.dumps({**run, "status": status}).encode()
        coverage.count(one._replace(response_body=body))
    contracts = [services()["algolia-ingestion"].contract]
    (found,) = (c for c in coverage.summarize(contracts) if c.operation == "getRun")
    seen = {value.text for value in found.values if value.path == "answer.200.status"}
    assert seen == {'"created"', '"started"', '"finished"'}


def test_counting_costs_a_request_microseconds(control_client):
    control_client.get(f"{EVENTS}?itemsPerPage=100", headers=ALGOLIA)
    (one,) = control_client._transport.worlds.default.journal.coverage.pending
    changed = [one._replace(query=b"itemsPerPage=100&page=%d" % i) for i in range(400)]
    took = []
    for _ in range(5):
        coverage = Coverage()
        for exchanges in (changed[:MAX_PENDING], changed[:100] * 5):
            start = time.process_time()
            for exchange in exchanges:
                coverage.count(exchange)
            took.append((time.process_time() - start) / len(exchanges))
    assert min(took[::2]) < 5e-6  # while they wait
    assert min(took[1::2]) < 200e-6  # when one is counted with each


def test_only_the_requested_contracts_are_summarized():
    contracts = [services()["trieve"].contract]
    assert [one.operation for one in Coverage().summarize(contracts)] == [*contracts[0].operations]
