"""Bodies of lines: one JSON value each, held against the contract as their list."""

import pytest

from soundstage.exchange.recorded import RecordedExchange
from soundstage.openapi.body import compile_request_body
from soundstage.openapi.errors import DocumentError, UnsupportedMediaType
from validators.exchange_validator import ExchangeValidator

LINES = "application/x-ndjson"
SCHEMA = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "object", "properties": {"n": {"type": "integer"}}},
}


def body_of(media_type=LINES, schema=SCHEMA):
    node = {"required": True, "content": {media_type: {"schema": schema}}}
    return compile_request_body({}, node, "/body")


@pytest.mark.parametrize("media_type", [LINES, "application/jsonl", LINES.upper()])
@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"n":1}', [{"n": 1}]),
        (b'{"n":1}\n{"n":2}\n', [{"n": 1}, {"n": 2}]),
        (b'{"n":1}\r\n\r\n  \n{"n":2}', [{"n": 1}, {"n": 2}]),
        ('{"a":"\u2028\x85"}\n{}'.encode(), [{"a": "\u2028\x85"}, {}]),
    ],
)
def test_lines_are_read_as_a_list(media_type, raw, value):
    assert body_of(media_type).parse(media_type, raw) == (value, [])


@pytest.mark.parametrize(
    ("raw", "rule", "pointer"),
    [
        (b'{"n":1}\n{"n":"x"}\n[]', "type", [(1, "n"), (2,)]),
        (b"\n \n", "minItems", [()]),
        (b'{"n":1}\n{"n":', "json", [()]),
        (b'{"n":1} {"n":2}', "json", [()]),
        (b'{"n":"\xff"}', "json", [()]),
        (b"", "required", [()]),
    ],
)
def test_what_is_wrong_with_lines_is_named(raw, rule, pointer):
    _, wrong = body_of().parse(LINES, raw)
    assert {violation.rule for violation in wrong} == {rule}
    assert [tuple(violation.path) for violation in wrong] == pointer


def test_lines_are_taken_only_where_the_contract_has_them():
    with pytest.raises(UnsupportedMediaType):
        body_of("application/json").parse(LINES, b"{}")


@pytest.mark.parametrize("media_type", ["application/xml", "image/png"])
def test_a_body_that_cannot_be_read_is_no_part_of_a_contract(media_type):
    with pytest.raises(DocumentError, match=f"type {media_type} is not supported"):
        body_of(media_type).content_for(media_type)


EVENT = {"type": "object", "required": ["data"], "properties": {"id": {"type": "integer"}}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "", "version": ""},
    "paths": {
        "/lines": {
            "post": {
                "requestBody": {"content": {LINES: {"schema": SCHEMA}}},
                "responses": {
                    "200": {
                        "description": "",
                        "content": {
                            "text/event-stream": {"schema": {"type": "array", "items": EVENT}}
                        },
                    }
                },
            }
        }
    },
}


@pytest.mark.parametrize(
    ("sent", "got", "wrong"),
    [
        (b'{"n":1}\n{}\n', b'id: 1\ndata: {"a":1}\n\ndata: null\n\n', False),
        (b'{"n":"x"}\n', b"data: 1\n\n", True),
        (b'{"n":1}\n', b"id: x\ndata: 1\n\n", True),
        (b'{"n":1}\n', b"", False),
    ],
)
def test_the_second_judge_reads_lines_and_events_too(sent, got, wrong):
    exchange = RecordedExchange(
        method="POST",
        url="/lines",
        request_headers=(("content-type", LINES),),
        request_body=sent,
        status=200,
        response_headers=(("content-type", "text/event-stream"),),
        response_body=got,
    )
    assert bool(ExchangeValidator(DOCUMENT).find_disagreements(exchange)) == wrong
