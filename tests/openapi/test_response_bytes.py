"""Answers judged by the bytes of their bodies."""

import pytest

from soundstage.openapi.body import parse_events
from soundstage.openapi.contract import compile_contract
from soundstage.openapi.document import parse_document
from support.things_api import SPEC

OPERATIONS = compile_contract(
    "things",
    {
        **parse_document(SPEC),
        "paths": {k: v for k, v in parse_document(SPEC)["paths"].items() if k != "/files"},
    },
).operations

JSON = "application/json"
EVENTS = "text/event-stream"

ROWS = [
    ("getThing", 200, JSON, b'{"id": 1}', []),
    ("getThing", 200, "Application/JSON; charset=utf-8", b'{"id": 1}', []),
    ("getThing", 200, JSON, b'{"id": "1"}', ["type"]),
    ("getThing", 200, JSON, b'{"id": 1', ["json"]),
    ("getThing", 200, JSON, b'{"id": "\xff"}', ["json"]),
    ("getThing", 200, JSON, b"", ["body"]),
    ("getThing", 200, "text/html", b"<p>", ["media type"]),
    ("getThing", 200, None, b"", ["media type"]),
    ("getThing", 404, None, b"", []),
    ("getThing", 404, JSON, b"{}", ["body"]),
    ("getThing", 500, JSON, b"{}", ["status"]),
    ("readNews", 200, EVENTS, b"", []),
    ("readNews", 200, EVENTS, b'data: {"id": 1}\n\n', []),
    ("readNews", 200, EVENTS, b'data: {"id": 1}\n\ndata: {"id": "', []),
    ("readNews", 200, EVENTS, b"data: {}\n\n", ["required"]),
    ("readNews", 200, EVENTS, b"data: {\n\n", ["json"]),
    ("readNews", 200, EVENTS, b"data: \xff\n\n", ["encoding"]),
]


@pytest.mark.parametrize(("name", "status", "kind", "raw", "rules"), ROWS, ids=str)
def test_what_is_wrong_with_an_answer(name, status, kind, raw, rules):
    found = OPERATIONS[name].validate_response_bytes(status, kind, raw)
    assert [violation.rule for violation in found] == rules
    assert all(violation.location == "answer" for violation in found)


TEXTS = [
    ("data: 1\n\n", [{"data": 1}]),
    ("data:1\r\n\r\ndata: 2\r\rdata:  3\n\n", [{"data": 1}, {"data": 2}, {"data": 3}]),
    ("\ufeffdata: 1\n\n", [{"data": 1}]),
    (": a comment\n\nevent: lost\n\ndata: 1\n\n", [{"data": 1}]),
    ('data: {"a":\ndata: 2}\n\n', [{"data": {"a": 2}}]),
    (
        "id: 7\nevent: line\nretry: 10\ndata: null\n\n",
        [{"event": "line", "id": 7, "retry": 10, "data": None}],
    ),
    ("id: a7\ndata: 1\n\n", [{"id": "a7", "data": 1}]),
    ("data: 1\n\ndata: 2\n", [{"data": 1}]),
    ("", []),
]


@pytest.mark.parametrize(("text", "events"), TEXTS, ids=str)
def test_server_sent_events_are_read_as_browsers_read_them(text, events):
    assert list(parse_events(text)) == events
