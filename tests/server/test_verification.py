"""Verification: called, with what, in which order; and a text if it was not so."""

from dataclasses import replace

import pytest

from soundstage.exchange.exchange import JournalEntry
from soundstage.exchange.expectations import (
    ABSENT,
    MAX_LISTED,
    ExpectedCall,
    Mismatch,
    build_expected_call,
    equals_json,
    verify_called,
    verify_in_order,
    verify_never_called,
)
from soundstage.exchange.payload import Payload
from soundstage.openapi.errors import Violation
from support.in_process import ALGOLIA, NOW, RUN, TRIEVE, new_worlds_client


@pytest.fixture
def control_client():
    with new_worlds_client() as client:
        yield client


def entry(number, operation, body=b"", **fields):
    default = {
        "number": number,
        "timestamp": NOW,
        "wall_time": NOW,
        "duration_ms": 0,
        "api": "shop",
        "operation": operation,
        "method": "GET",
        "base_url": "",
        "path": "/",
        "parameters": {},
        "request_headers": (),
        "request_body": Payload(body, len(body), "application/json"),
        "status": 200,
        "response_headers": (),
        "response_body": Payload(b"", 0, ""),
        "violations": (),
        "fault": None,
    }
    return JournalEntry(**default | fields)


SEEN = [
    entry(1, "list", parameters={"page": 1, "size": 10}),
    entry(2, "get", parameters={"id": "a"}),
    entry(3, "list", parameters={"page": 2, "size": 10}),
    entry(4, "add", b'{"name":"x","tags":["a","b"],"at":{"x":1,"y":2}}', status=201),
    entry(5, None, path="/nowhere", status=404),
]


@pytest.mark.parametrize(
    ("call", "count"),
    [
        (ExpectedCall("list"), 2),
        (ExpectedCall("list", api="shop"), 2),
        (ExpectedCall("list", api="bank"), 0),
        (ExpectedCall("list", {"page": 2}), 1),
        (ExpectedCall("list", {"page": 2, "size": 10}), 1),
        (ExpectedCall("list", {"page": "2"}), 0),
        (ExpectedCall("list", {"page": 2, "sort": "asc"}), 0),
        (ExpectedCall("list", body=None), 2),
        (ExpectedCall("add", body={}), 1),
        (ExpectedCall("add", body={"name": "x"}), 1),
        (ExpectedCall("add", body={"at": {"y": 2}}), 1),
        (ExpectedCall("add", body={"at": {"y": 3}}), 0),
        (ExpectedCall("add", body={"tags": ["a", "b"]}), 1),
        (ExpectedCall("add", body={"tags": ["a"]}), 0),
        (ExpectedCall("add", body={"none": None}), 0),
        (ExpectedCall("add", body="x"), 0),
        (ExpectedCall("delete"), 0),
    ],
)
def test_a_call_matches_by_the_expected_fields(call, count):
    assert verify_called(SEEN, call, times=count).ok
    assert not verify_called(SEEN, call, times=count + 1).ok
    assert verify_called(SEEN, call).ok == (count > 0)
    assert verify_called(SEEN, call, at_least=count).ok
    assert not verify_called(SEEN, call, at_least=count + 1).ok
    assert verify_never_called(SEEN, call).ok == (count == 0)


@pytest.mark.parametrize(
    ("calls", "ok"),
    [
        (["list"], True),
        (["list", "get", "list", "add"], True),
        (["list", "list"], True),
        (["get", "add"], True),
        (["add", "get"], False),
        (["list", "list", "list"], False),
        ([("list", {"page": 2}), "add"], True),
        ([("list", {"page": 2}), "get"], False),
    ],
)
def test_calls_are_in_order_if_others_are_taken_out(calls, ok):
    steps = [ExpectedCall(c) if isinstance(c, str) else ExpectedCall(*c) for c in calls]
    assert verify_in_order(SEEN, steps).ok == ok


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        (None, None, True),
        (None, False, False),
        ([1, [2]], [1, [2.0]], True),
        ([1], [True], False),
        ({"a": [1]}, {"a": [1]}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ("1", 1, False),
    ],
)
def test_values_are_equal_as_json_is(one, other, same):
    assert equals_json(one, other) == equals_json(other, one) == same


def test_a_failure_lists_the_expected_the_actual_and_the_nearest_call():
    failed = verify_called(SEEN, ExpectedCall("list", {"page": 3, "size": 10}), times=2)
    assert failed.text == (
        """\
expected: list with parameters.page = 3, parameters.size = 10 is called 2 times
seen: it was never called
exchanges: 5
    #1 2026-01-01T00:00:00.000Z list page=1 size=10 -> 200
    #2 2026-01-01T00:00:00.000Z get id="a" -> 200
    #3 2026-01-01T00:00:00.000Z list page=2 size=10 -> 200
    #4 2026-01-01T00:00:00.000Z add -> 201
    #5 2026-01-01T00:00:00.000Z GET /nowhere -> 404
nearest, #3:
    parameters.page: expected 3, seen 2"""
    )


def test_a_body_differs_field_by_field():
    text = verify_called(SEEN, ExpectedCall("add", body={"name": "y", "at": {"x": 1, "z": 1}})).text
    assert text.endswith(
        """\
nearest, #4:
    body.name: expected "y", seen "x"
    body.at.z: expected 1, seen nothing"""
    )


def test_the_nearest_is_the_one_that_lacks_the_least():
    text = verify_called(SEEN, ExpectedCall("list", {"page": 1, "size": 20})).text
    assert "nearest, #1:\n    parameters.size: expected 20, seen 10" in text


def test_a_refused_request_is_the_nearest_only_if_there_is_no_other():
    wrong = (Violation("query", "minimum", "0 is too little", "page"),)
    refused = entry(6, "list", status=400, violations=wrong)
    text = verify_called([*SEEN, refused], ExpectedCall("list", {"page": 9})).text
    assert "nearest, #3:" in text
    assert "#6 2026-01-01T00:00:00.000Z list -> 400, 1 violation" in text
    alone = verify_called([refused], ExpectedCall("list", {"page": 9})).text
    assert alone.endswith(
        """\
nearest, #6:
    parameters.page: expected 9, seen nothing
    refused: query.page: 0 is too little"""
    )


def test_calls_that_count_are_marked():
    text = verify_never_called(SEEN, ExpectedCall("list", {"page": 2})).text
    assert text.startswith(
        "expected: list with parameters.page = 2 is never called\nseen: it was called 1 time\n"
    )
    assert "  * #3 " in text
    assert "    #1 " in text


def test_too_many_calls_have_no_nearest_miss():
    text = verify_called(SEEN, ExpectedCall("list", {"size": 10}), times=1).text
    assert "seen: it was called 2 times" in text
    assert "nearest" not in text


def test_a_wrong_order_names_the_missing_call():
    text = verify_in_order(SEEN, [ExpectedCall("add"), ExpectedCall("list", {"page": 2})]).text
    assert text.startswith(
        "expected: these calls in this order: "
        "1. add; 2. list with parameters.page = 2\n"
        "seen: call 2, list with parameters.page = 2, is missing after #4; "
        "it was made as #3\n"
    )


def test_an_empty_journal_is_reported():
    text = verify_called([], ExpectedCall("list")).text
    assert text.splitlines() == [
        "expected: list is called at least 1 time",
        "seen: it was never called",
        "exchanges: none",
    ]


def test_long_journals_and_long_values_are_shortened():
    many = [entry(n, "list", parameters={"q": "x" * 500}) for n in range(1, 101)]
    text = verify_called(many, ExpectedCall("get")).text
    assert f"… {100 - MAX_LISTED} earlier ones" in text
    assert "#80 " not in text
    assert "#81 " in text
    assert max(map(len, text.splitlines())) < 200


def test_a_client_cannot_steer_the_terminal():
    steering = [
        entry(1, "list", parameters={"q": "\x1b[2J\x9b\u202e\n"}),
        entry(2, None, path="/\x1b[2J"),
    ]
    text = verify_never_called(steering, ExpectedCall("list")).text
    assert all(line.isprintable() for line in text.splitlines())
    assert len(text.splitlines()) == 5


def test_a_fault_and_a_missing_response_are_listed():
    text = verify_never_called(
        [entry(1, "list", status=None, fault="reset")], ExpectedCall("list")
    ).text
    assert "list -> no response, fault reset" in text


def test_a_body_that_was_cut_matches_nothing():
    cut = replace(SEEN[3], request_body=Payload(b'{"a"', 99_999, ""))
    text = verify_called([cut], ExpectedCall("add", body={"a": 1})).text
    assert 'body: expected {"a": 1}, seen "99999 bytes, not kept"' in text


def test_a_masked_parameter_is_known_by_its_mask_only():
    seen = [entry(1, "list", parameters={"key": "***"})]
    failed = verify_called(seen, ExpectedCall("list", {"key": "hunter2"}))
    assert "hunter2" not in failed.text
    assert "parameters.key: a secret, which is not compared" in failed.text
    assert verify_called(seen, ExpectedCall("list", {"key": "***"})).ok


def test_an_absent_field_is_not_null():
    assert str(Mismatch("body.a", None, ABSENT)) == ("body.a: expected null, seen nothing")


def test_a_call_is_looked_for_by_parameters_and_body_only():
    with pytest.raises(ValueError, match="'status'"):
        build_expected_call("list", {"status": 200})


# The same, asked of a server.


@pytest.fixture
def busy(control_client):
    control_client.get(f"/1/runs/{RUN}", headers=ALGOLIA)
    for page in (1, 2):
        control_client.get(f"/1/runs/{RUN}/events?page={page}", headers=ALGOLIA)
    data = {"page": 1, "event_types": ["file_uploaded"]}
    control_client.post("/api/dataset/events", headers=TRIEVE, json=data)
    return control_client


def verified(client, question):
    response = client.post("/_soundstage/journal/verify", json=question)
    assert response.status_code == 200, response.text
    return response.json()


PAGE_2 = {"operation": "listEvents", "with": {"parameters": {"page": 2}}}
OF_FILES = {"body": {"event_types": ["file_uploaded"]}}


@pytest.mark.parametrize(
    ("question", "ok"),
    [
        ({"called": {"operation": "getRun"}}, True),
        ({"called": {"operation": "listEvents", "times": 2}}, True),
        ({"called": {"operation": "listEvents", "at_least": 3}}, False),
        ({"called": {"operation": "listEvents", "api": "algolia-ingestion"}}, True),
        ({"called": {**PAGE_2, "times": 1}}, True),
        ({"called": {**PAGE_2, "times": 0}}, False),
        ({"called": {"operation": "get_events", "with": OF_FILES}}, True),
        ({"never": PAGE_2}, False),
        ({"never": {"operation": "getTaskRuns"}}, True),
        ({"in_order": ["getRun", PAGE_2, "get_events"]}, True),
        ({"in_order": [PAGE_2, "getRun"]}, False),
    ],
)
def test_a_server_is_asked_in_json(busy, question, ok):
    result = verified(busy, question)
    assert result["ok"] == ok
    assert result["text"].startswith("as expected: " if ok else "expected: ")


@pytest.mark.parametrize(
    "question",
    [
        {},
        {"called": {}},
        {"called": {"operation": "listEvent"}},
        {"called": {"operation": "listEvents", "api": "trieve"}},
        {"called": {"operation": "listEvents", "api": "nobody"}},
        {"called": {"operation": "listEvents", "with": {"page": 2}}},
        {"called": {"operation": "getRun"}, "never": {"operation": "getRun"}},
        {"never": {"operation": "getRun", "times": 1}},
        {"in_order": []},
        {"in_order": ["nothing"]},
    ],
)
def test_an_expectation_of_an_unknown_call_is_rejected(busy, question):
    response = busy.post("/_soundstage/journal/verify", json=question)
    assert response.status_code in {400, 404}  # 404: no such operation
