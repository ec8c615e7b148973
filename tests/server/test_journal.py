"""The journal: what it records, what it returns, and what it redacts."""

import json

import pytest

from soundstage.exchange.exchange import RawExchange, redact_exchange
from soundstage.exchange.har import build_har
from soundstage.exchange.payload import Payload
from soundstage.exchange.redaction import ALWAYS_SECRET, REDACTED, Redactor
from soundstage.openapi.errors import Violation
from soundstage.server.guard import Guard
from soundstage.server.journal import Journal
from support.in_process import ALGOLIA, NOW, RUN, TRIEVE, new_worlds_client

SECRET = "hunter2-and-a-good-deal-longer-than-that"  # noqa: S105 - not a real one
EVENTS = f"/1/runs/{RUN}/events"
EXITS = ("/_soundstage/journal", "/_soundstage/journal.har", "/_soundstage/violations")


@pytest.fixture
def control_client():
    with new_worlds_client() as client:
        yield client


def journal(client, **chosen):
    return client.get("/_soundstage/journal", params=chosen).json()["entries"]


def last(client):
    return journal(client)[-1]


def test_an_entry_has_the_request_and_the_response(control_client):
    response = control_client.get(f"{EVENTS}?page=2", headers=ALGOLIA)
    entry = last(control_client)
    assert entry["number"] == 1
    assert entry["at"] == "2026-01-01T00:00:00.000Z"
    assert entry["wall"] > "2026-01-02"
    assert (entry["api"], entry["operation"]) == ("algolia-ingestion", "listEvents")
    assert (entry["method"], entry["path"]) == ("GET", f"{EVENTS}?page=2")
    assert (entry["status"], entry["answer_body"]["json"]) == (200, response.json())
    assert (entry["body"], entry["violations"], entry["fault"]) == (None, [], None)


def test_parameters_are_as_they_were_read_defaults_filled_in(control_client):
    control_client.get(f"{EVENTS}?page=2", headers=ALGOLIA)
    assert last(control_client)["parameters"] == {
        "runID": RUN,
        "page": 2,
        "itemsPerPage": 10,
        "sort": "publishedAt",
        "order": "desc",
    }


def test_a_body_of_json_is_shown_as_json(control_client):
    control_client.post("/api/dataset/events", headers=TRIEVE, json={"page": 1})
    body = last(control_client)["body"]
    assert body == {"size": 10, "media_type": "application/json", "cut": False, "json": {"page": 1}}


def test_a_refused_request_has_violations_and_no_parameters(control_client):
    control_client.get(f"{EVENTS}?page=0&bogus=1", headers=ALGOLIA)
    entry = last(control_client)
    assert (entry["operation"], entry["status"]) == ("listEvents", 400)
    assert entry["parameters"] == {}
    assert {v["name"] for v in entry["violations"]} == {"page", "bogus"}


@pytest.mark.parametrize(
    ("method", "path", "api", "status"),
    [
        ("GET", "/algolia-ingestion/nowhere", "algolia-ingestion", 404),
        ("DELETE", EVENTS, "algolia-ingestion", 405),
        ("GET", "/nowhere", None, 404),
    ],
)
def test_an_unknown_path_is_recorded(control_client, method, path, api, status):
    assert control_client.request(method, path).status_code == status
    entry = last(control_client)
    assert (entry["api"], entry["operation"]) == (api, None)
    assert (entry["path"], entry["status"]) == (path, status)
    assert [v["in"] for v in entry["violations"]] == ["path"]


def test_the_control_api_is_not_recorded():
    with new_worlds_client(Guard("token")) as client:
        assert client.get("/_soundstage/clock").status_code == 401
        client.headers["soundstage-token"] = "token"
        client.get("/_soundstage/nowhere")
        assert journal(client) == []


def test_a_fault_is_recorded(control_client):
    fault = {"kind": "status", "options": {"status": 503}}
    control_client.post("/_soundstage/faults", json=fault)
    control_client.get(EVENTS, headers=ALGOLIA)
    entry = last(control_client)
    assert (entry["status"], entry["fault"]) == (503, "status")


@pytest.mark.parametrize("kind", ["reset", "timeout"])
def test_a_response_that_was_not_sent_has_no_status(control_client, kind):
    control_client.post("/_soundstage/faults", json={"kind": kind})
    with pytest.raises(OSError, match=r"response|connection"):
        control_client.get(EVENTS, headers=ALGOLIA)
    entry = last(control_client)
    assert (entry["status"], entry["fault"]) == (None, kind)
    assert entry["answer_body"] is None


# What is found again.


@pytest.fixture
def busy(control_client):
    """Six exchanges; the clock goes on by a minute before each."""
    for method, path in (
        ("GET", f"/1/runs/{RUN}"),
        ("GET", EVENTS),
        ("GET", f"{EVENTS}?page=0"),
        ("GET", "/api/tasks/example/runs?limit=0"),
        ("GET", "/nowhere"),
        ("GET", EVENTS),
    ):
        control_client.post("/_soundstage/clock/advance", json={"by": "1m"})
        control_client.request(method, path, headers=ALGOLIA)
    return control_client


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"api": "runwisp"}, [4]),
        ({"operation": "listEvents"}, [2, 3, 6]),
        ({"status": "200"}, [1, 2, 6]),
        ({"status": "4XX"}, [3, 4, 5]),
        ({"since": "2026-01-01T00:03:00Z"}, [3, 4, 5, 6]),
        ({"until": "2026-01-01T01:03:00+01:00"}, [1, 2, 3]),
        ({"since": "2026-01-01T00:02:00Z", "until": "2026-01-01T00:02:00Z"}, [2]),
        ({"limit": "2"}, [5, 6]),
        ({"operation": "listEvents", "status": "200", "limit": "1"}, [6]),
        ({"api": "nobody"}, []),
    ],
)
def test_exchanges_are_found_by_api_operation_status_and_time(busy, chosen, numbers):
    assert [entry["number"] for entry in journal(busy, **chosen)] == numbers


def test_the_total_counts_what_the_limit_leaves_out(busy):
    response = busy.get("/_soundstage/journal?operation=listEvents&limit=1").json()
    assert (len(response["entries"]), response["total"]) == (1, 3)


@pytest.mark.parametrize("query", ["status=9XX", "since=yesterday", "limit=0", "x=1"])
def test_a_senseless_question_is_refused(control_client, query):
    response = control_client.get(f"/_soundstage/journal?{query}")
    assert response.status_code == 400


def test_violations_are_listed_with_the_exchange_they_were_found_in(busy):
    found = busy.get("/_soundstage/violations").json()
    assert found["total"] == 3
    assert [(e["number"], e["operation"]) for e in found["entries"]] == [
        (3, "listEvents"),
        (4, "getTaskRuns"),
        (5, None),
    ]
    assert found["entries"][0]["violations"][0]["rule"] == "minimum"


def test_a_journal_that_is_cleared_counts_from_one_again(busy):
    assert busy.delete("/_soundstage/journal").status_code == 204
    assert journal(busy) == []
    busy.get("/nowhere")
    assert last(busy)["number"] == 1


def test_a_world_that_is_reset_has_an_empty_journal(busy):
    busy.post("/_soundstage/worlds/default/reset")
    assert journal(busy) == []
    calls = busy.get("/_soundstage/coverage").json()["operations"]
    assert not any(operation["calls"] for operation in calls)


@pytest.mark.parametrize(("prefix", "headers"), [("/~a", {}), ("", {"soundstage-world": "a"})])
def test_worlds_see_their_own_exchanges_only(control_client, prefix, headers):
    control_client.get(f"{prefix}{EVENTS}", headers={**ALGOLIA, **headers})
    assert journal(control_client) == []
    there = control_client.get("/~a/_soundstage/journal").json()["entries"]
    assert [entry["path"] for entry in there] == [f"{prefix}{EVENTS}"]


# Coverage.


def covered(client, operation):
    """What is covered of an operation; of the first API that has one of this name."""
    found = client.get("/_soundstage/coverage").json()["operations"]
    found.sort(key=lambda one: one["api"])
    return next(one for one in found if one["operation"] == operation)


def test_coverage_lists_what_was_seen_of_an_operation(busy):
    events = covered(busy, "listEvents")
    assert events["calls"] == 3
    assert events["statuses"]["seen"] == ["200", "400"]
    assert events["statuses"]["unseen"] == ["403", "404"]
    assert events["parameters"]["seen"] == ["path.runID", "query.page"]
    assert "query.itemsPerPage" in events["parameters"]["unseen"]


def test_coverage_lists_operations_without_calls(control_client):
    run = covered(control_client, "getRun")
    assert (run["calls"], run["statuses"]["seen"]) == (0, [])
    unseen = ["path.runID", "query.x-algolia-agent"]
    assert sorted(run["parameters"]["unseen"]) == unseen


def test_a_status_that_no_contract_has_is_listed(control_client):
    fault = {"kind": "status", "options": {"status": 503}}
    control_client.post("/_soundstage/faults", json=fault)
    control_client.get(EVENTS, headers=ALGOLIA)
    assert covered(control_client, "listEvents")["statuses"]["undocumented"] == ["503"]


def test_header_parameters_are_covered(control_client):
    control_client.post("/api/dataset/events", headers=TRIEVE, json={})
    seen = covered(control_client, "get_events")["parameters"]["seen"]
    assert seen == ["header.TR-Dataset"]


# Bounds.


def raw_exchange(**fields):
    default = {
        "timestamp": NOW,
        "wall_time": NOW,
        "duration_ms": 0,
        "api": "x",
        "operation": None,
        "method": "GET",
        "base_url": "http://127.0.0.1:4010",
        "path": b"/",
        "query": b"",
        "parameters": {},
        "request_headers": {},
        "request_body": b"",
        "request_size": len(fields.get("request_body", b"")),
        "status": 200,
        "response_headers": (),
        "response_body": b"",
        "response_size": len(fields.get("response_body", b"")),
        "violations": (),
        "fault": None,
    }
    return RawExchange(**default | fields)


def test_a_journal_stores_the_last_exchanges_and_their_numbers():
    bounded = Journal({"x": Redactor()}, max_exchanges=3)
    for _ in range(10):
        bounded.record(raw_exchange())
    assert [entry.number for entry in bounded.entries()] == [8, 9, 10]


def test_a_violation_is_not_lost_to_what_came_after_it():
    bounded = Journal({"x": Redactor()}, max_exchanges=3)
    bounded.record(raw_exchange(violations=(Violation("query", "unknown", "why"),)))
    for _ in range(10):
        bounded.record(raw_exchange())
    assert [entry.number for entry in bounded.entries(only_violations=True)] == [1]
    bounded.clear()
    assert bounded.entries(only_violations=True) == []


def test_coverage_outlives_the_bound(control_client):
    for _ in range(1002):
        control_client.get(EVENTS)
    found = control_client.get("/_soundstage/journal?limit=1").json()
    assert (found["total"], found["entries"][0]["number"]) == (1000, 1002)
    assert covered(control_client, "listEvents")["calls"] == 1002


def test_a_long_body_is_truncated_and_marked(control_client):
    sent = json.dumps({"page": 1, "long": "x" * 100_000})
    headers = {**TRIEVE, "content-type": "application/json"}
    control_client.post("/api/dataset/events", headers=headers, content=sent)
    body = last(control_client)["body"]
    assert (body["size"], body["cut"]) == (len(sent), True)
    assert len(body["text"]) == 65_536
    assert "json" not in body


def test_a_binary_body_is_shown_in_base64(control_client):
    headers = {**TRIEVE, "content-type": "application/json"}
    control_client.post("/api/dataset/events", headers=headers, content=b"\xff\x00")
    assert last(control_client)["body"]["base64"] == "/wA="


@pytest.mark.parametrize(
    ("payload", "text", "value"),
    [
        (Payload(b'{"a":1}', 7, "application/json"), '{"a":1}', {"a": 1}),
        (Payload(b'{"a":1}', 7, "application/problem+json"), '{"a":1}', {"a": 1}),
        (Payload(b"[1]", 3, ""), "[1]", [1]),
        (Payload(b"[1]", 3, "text/plain; charset=utf-8"), "[1]", "[1]"),
        (Payload(b'{"a":', 5, "application/json"), '{"a":', '{"a":'),
        (Payload(b"null", 4, "application/json"), "null", None),
        (Payload(b"", 0, ""), "", None),
        (Payload(b"\xff", 1, "application/json"), None, None),
        (Payload(b"[1]", 9, "application/json"), "[1]", None),
        (Payload("aé".encode()[:-1], 3, "text/plain"), "a", None),
    ],
)
def test_a_body_is_json_or_text_or_neither(payload, text, value):
    assert (payload.text, payload.value) == (text, value)


# Secrets.


def shown(client):
    """All that can be got out of a journal."""
    texts = [client.get(path).text for path in EXITS]
    for operation in ("listEvents", "getTaskRuns"):
        question = {"called": {"operation": operation, "times": 9}}
        texts.append(client.post("/_soundstage/journal/verify", json=question).text)
    return "\n".join(texts)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (EVENTS, {"x-algolia-api-key": SECRET}),
        (EVENTS, {"x-algolia-application-id": SECRET}),
        (EVENTS, {**ALGOLIA, "authorization": f"Basic {SECRET}"}),
        (EVENTS, {**ALGOLIA, "soundstage-token": SECRET}),
        (EVENTS, {**ALGOLIA, "proxy-authorization": SECRET}),
        (EVENTS, {**ALGOLIA, "cookie": f"session={SECRET}"}),
        (f"{EVENTS}?x-algolia-api-key={SECRET}", ALGOLIA),
        (f"{EVENTS}?X-Algolia-API-Key={SECRET}&page=0", ALGOLIA),
        (f"{EVENTS}?x%2Dalgolia-api-key={SECRET}", ALGOLIA),
        (f"{EVENTS}?authorization=Bearer+{SECRET}", ALGOLIA),
        ("/api/tasks/a/runs", {"authorization": f"Bearer {SECRET}"}),
        ("/api/tasks/a/runs", {"cookie": f"a=b; runwisp_jwt={SECRET}"}),
        (f"/api/tasks/a/runs?runwisp_jwt={SECRET}", {}),
        (f"/api/tasks/a/runs?authorization={SECRET}", {}),
        (f"/algolia-ingestion/nowhere?x-algolia-api-key={SECRET}", {}),
        (f"/nowhere?runwisp_jwt={SECRET}", {"x-algolia-api-key": SECRET}),
    ],
)
def test_a_secret_is_redacted_everywhere(control_client, path, headers):
    control_client.get(path, headers=headers)
    everything = shown(control_client)
    assert SECRET[:16] not in everything
    assert REDACTED in everything


def test_the_length_of_a_secret_is_redacted_too(control_client):
    lengths = set()
    for secret in (SECRET, SECRET * 2):
        control_client.get(f"/api/tasks/a/runs?authorization={secret}")
        entry = last(control_client)
        headers = {h["name"]: h["value"] for h in entry["answer_headers"]}
        body = entry["answer_body"]
        assert not body["cut"]
        assert str(body["size"]) == headers["content-length"]
        assert body["json"]["errors"][0]["value"] == REDACTED
        lengths.add((body["size"], entry["path"]))
    assert len(lengths) == 1


def test_successful_responses_are_shown_unchanged(control_client):
    control_client.get(f"/1/runs/{RUN}", headers=ALGOLIA)
    shown = last(control_client)["answer_body"]["json"]
    assert shown["appID"] == ALGOLIA["x-algolia-application-id"]


def redacted(names=ALWAYS_SECRET | {"key", "sid"}, **fields):
    return redact_exchange(1, raw_exchange(**fields), Redactor(names))


@pytest.mark.parametrize(
    ("query", "path"),
    [
        (b"key=abc&page=1", "/?key=***&page=1"),
        (b"KEY=abc", "/?KEY=***"),
        (b"k%65y=abc", "/?k%65y=***"),
        (b"key[a]=abc", "/?key[a]=***"),
        (b"key=a=b", "/?key=***"),
        (b"key=", "/?key=***"),
        (b"key", "/?key"),
        (b"\xff%ff=1&monkey=2", "/?\xff%ff=1&monkey=2"),
    ],
)
def test_the_value_of_a_secret_query_key_is_masked(query, path):
    assert redacted(query=query).path == path


def test_a_parameter_that_is_a_secret_too_is_masked():
    entry = redacted(parameters={"Key": "abc", "page": 1})
    assert entry.parameters == {"Key": REDACTED, "page": 1}


def test_a_cookie_that_is_set_is_masked():
    entry = redacted(response_headers=((b"set-cookie", b"sid=abc"), (b"etag", b"abc")))
    assert entry.response_headers == (("set-cookie", REDACTED), ("etag", "abc"))


def test_a_violation_of_a_secret_parameter_does_not_show_its_value():
    wrong = Violation("query", "pattern", "'abc' is no key", "key", (), "abc", "^k")
    entry = redacted(status=400, violations=(wrong,))
    assert "abc" not in repr(entry)
    assert entry.violations[0].message == "the query parameter 'key' breaks 'pattern'"


@pytest.mark.parametrize(
    ("headers", "response", "masked"),
    [
        ({b"key": [b"abcdefg"]}, '{"it":"abcdefg"}', '{"it":"***"}'),
        ({b"key": [b'ab"cdefg']}, '{"it":"ab\\"cdefg"}', '{"it":"***"}'),
        ({b"key": ["äbcdefg".encode("latin-1")]}, "no äbcdefg", "no ***"),
        ({b"authorization": [b"Bearer abcdefg"]}, "no abcdefg", "no ***"),
        ({b"authorization": [b"Basic dXM6YWJjZGVmZw=="]}, "no abcdefg", "no ***"),
        ({b"cookie": [b"a=b; c=abcdefg"]}, "no abcdefg", "no ***"),
        ({b"key": [SECRET.encode()]}, f"no {SECRET[:30]}…", "no ***"),
        ({b"key": [b"true"]}, '{"it":true}', '{"it":true}'),
        ({b"page": [b"abcdefg"]}, "no abcdefg", "no abcdefg"),
    ],
)
def test_an_error_response_does_not_repeat_a_secret(headers, response, masked):
    entry = redacted(status=400, request_headers=headers, response_body=response.encode())
    assert entry.response_body.text == masked


def test_secrets_are_masked_in_an_archive():
    entry = redacted(query=b"key=abcdefg", request_headers={b"sid": [b"hijklmn"]})
    text = json.dumps(build_har([entry]))
    assert "abcdefg" not in text
    assert "hijklmn" not in text
