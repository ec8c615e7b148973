"""A stream of events, held against the list that its document says it is."""

import pytest

from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.checks import CHECKS
from soundstage.tools.checks.context import CheckContext
from soundstage.tools.checks.operation_spec import OperationIndex

LINE = {
    "type": "object",
    "properties": {
        "event": {"const": "line"},
        "data": {"type": "object", "required": ["text"]},
    },
    "required": ["event", "data"],
}
STREAM = {"schema": {"type": "array", "items": LINE}}
ANSWER = {"description": "Lines.", "content": {"text/event-stream": STREAM}}
CATALOGUE = OperationIndex(
    {
        "openapi": "3.1.0",
        "info": {"title": "Lines", "version": "1"},
        "paths": {"/lines": {"get": {"responses": {"200": ANSWER}}}},
    }
)

STREAMS = [
    (b'event: line\ndata: {"text": "a"}\n\n', True),
    (b'event: line\ndata: {"text": "a"}\n\nevent: line\ndata: {"t": 1}\n\n', False),
    (b'event: other\ndata: {"text": "a"}\n\n', False),
    (b"", True),
]


def wrong(body, media_type="text/event-stream"):
    headers = (("content-type", media_type),)
    exchange = RecordedExchange("GET", "/lines", (), b"", 200, headers, body)
    operation = CATALOGUE.operations["GET /lines"]
    return CHECKS["streams_conform"](CheckContext(exchange, operation, CATALOGUE, None))


@pytest.mark.parametrize(("body", "conforms"), STREAMS)
def test_every_event_is_one_that_the_document_has(body, conforms):
    assert (wrong(body) is None) == conforms


def test_what_is_no_stream_is_left_to_other_checks():
    assert wrong(b"{}", "application/json") is None
