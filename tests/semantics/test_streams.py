"""A stream of events, held against the list that its document says it is."""

import pytest

from soundstage.testing.recorded import Recorded
from soundstage.testing.semantics import RULES
from soundstage.testing.semantics.described import Catalogue
from soundstage.testing.semantics.seen import Seen

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
CATALOGUE = Catalogue(
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
    exchange = Recorded("GET", "/lines", (), b"", 200, headers, body)
    operation = CATALOGUE.operations["GET /lines"]
    return RULES["streams_conform"](Seen(exchange, operation, CATALOGUE, None))


@pytest.mark.parametrize(("body", "conforms"), STREAMS)
def test_every_event_is_one_that_the_document_has(body, conforms):
    assert (wrong(body) is None) == conforms


def test_what_is_no_stream_is_left_to_other_checks():
    assert wrong(b"{}", "application/json") is None
