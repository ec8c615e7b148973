"""The check of event streams, with events that match the document and others."""

import pytest

from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.checks import CHECKS
from soundstage.tools.checks.context import CheckContext
from soundstage.tools.checks.operation_spec import OperationIndex

LINE = {
    "type": "object",
    "properties": {"event": {"const": "line"}, "data": {"type": "object", "required": ["text"]}},
    "required": ["event", "data"],
}
STREAM = {"schema": {"type": "array", "items": LINE}}
RESPONSE = {"description": "Lines.", "content": {"text/event-stream": STREAM}}
OPERATIONS = OperationIndex(
    {
        "openapi": "3.1.0",
        "info": {"title": "Lines", "version": "1"},
        "paths": {"/lines": {"get": {"responses": {"200": RESPONSE}}}},
    }
)

STREAMS = [
    (b'event: line\ndata: {"text": "a"}\n\n', True),
    (b'event: line\ndata: {"text": "a"}\n\nevent: line\ndata: {"t": 1}\n\n', False),
    (b'event: other\ndata: {"text": "a"}\n\n', False),
    (b"", True),
]


def find_failure(body, media_type="text/event-stream"):
    headers = (("content-type", media_type),)
    exchange = RecordedExchange("GET", "/lines", (), b"", 200, headers, body)
    operation = OPERATIONS.operations["GET /lines"]
    return CHECKS["streams_conform"](CheckContext(exchange, operation, OPERATIONS, None))


@pytest.mark.parametrize(("body", "conforms"), STREAMS)
def test_every_event_matches_the_document(body, conforms):
    assert (find_failure(body) is None) == conforms


def test_other_media_types_are_left_to_other_checks():
    assert find_failure(b"{}", "application/json") is None
