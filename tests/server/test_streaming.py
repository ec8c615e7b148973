"""Server-sent events: what is sent, when, and what the journal keeps."""

import asyncio
import logging
import time

import pytest
from live import played, soon, turns

from soundstage.apis.api import Response
from soundstage.server.faults.connection import ConnectionCut
from soundstage.server.message import encode_event
from soundstage.server.recording import MAX_RECORDED_BODY_BYTES
from soundstage.world.commands import Advance, Reset, Start

ITEM = {"event": "made", "id": 7, "data": {"n": 1}}
WIRE = b'id: 7\nevent: made\ndata: {"n":1}\n\n'


def handler(items):
    """A handler that returns this stream, an async generator function."""

    async def stream(call):
        return Response(stream=items(call), media_type="text/event-stream")

    return stream


async def three(_call):
    for n in range(3):
        yield {"data": {"n": n}}


async def commands(call):
    """An event for every change of the world."""
    while True:
        yield {"data": {"n": len(call.world.log)}}
        call = await call.wait_for_change(None)


def wait(_call):
    return Response({})


def streamed(steps, items, **more):
    played(steps, wait=wait, stream=handler(items), **more)


async def read_until(reader, text):
    """What comes over a socket, up to and with this text."""
    return (await asyncio.wait_for(reader.readuntil(text), 5)).decode()


@pytest.mark.parametrize(
    ("item", "wire"),
    [
        (ITEM, WIRE),
        ({"data": None}, b"data: null\n\n"),
        ({"retry": 250, "data": "two\nlines"}, b'retry: 250\ndata: "two\\nlines"\n\n'),
        ({"data": [], "event": "e", "id": "a"}, b"id: a\nevent: e\ndata: []\n\n"),
    ],
)
def test_an_event_is_its_fields_then_its_data_then_an_empty_line(item, wire):
    assert encode_event(item) == wire


def test_a_stream_that_ends_is_a_complete_response():
    async def steps(live):
        response = await live.ask("/stream")
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        assert "content-length" not in response.headers
        assert response.text == "".join(f'data: {{"n":{n}}}\n\n' for n in range(3))

    streamed(steps, three)


def test_a_stream_may_be_empty():
    async def nothing(_call):
        for item in ():
            yield item

    async def steps(live):
        response = await live.ask("/stream")
        assert (response.status_code, response.text) == (200, "")

    streamed(steps, nothing)


def test_events_are_sent_when_the_world_changes():
    async def steps(live):
        reader, writer = await live.connect("/stream")
        head = await read_until(reader, b"\r\n\r\n")
        assert head.startswith("HTTP/1.1 200 OK\r\n")
        assert "content-type: text/event-stream\r\n" in head
        assert "transfer-encoding: chunked\r\n" in head
        assert "content-length" not in head
        for n in range(3):
            assert f'data: {{"n":{n}}}\n' in await read_until(reader, b"\n\n")
            await asyncio.sleep(0.02)
            live.world.apply(Start("small"))
        writer.close()
        await soon(live.worlds.default.journal.entries)

    streamed(steps, commands, socket=True)


def test_a_client_that_goes_ends_the_stream():
    ended = []

    async def items(call):
        try:
            async for item in commands(call):
                yield item
        finally:
            ended.append(call)

    async def steps(live):
        reader, writer = await live.connect("/stream")
        await read_until(reader, b"\n\n")
        writer.close()
        await soon(lambda: ended)

    streamed(steps, items, socket=True)


def test_a_change_that_came_while_an_event_went_out_is_not_missed():
    async def slow(call):
        yield {"data": {"n": len(call.world.log)}}
        call.world.apply(Start("small"))  # somebody's command, meanwhile
        call = await call.wait_for_change(None)
        yield {"data": {"n": len(call.world.log)}}

    async def steps(live):
        assert '"n":1' in (await asyncio.wait_for(live.ask("/stream"), 2)).text

    streamed(steps, slow)


@pytest.mark.parametrize(
    "action",
    [
        lambda live: live.listening.stop(),
        lambda live: live.worlds.default.reset(),
        lambda live: live.worlds.import_world(live.worlds.default, live.world.to_json()),
    ],
    ids=["stop", "reset", "import"],
)
def test_a_stream_ends_cleanly_when_its_waiters_are_cancelled(action):
    async def steps(live):
        reader, writer = await live.connect("/stream", b"Connection: close\r\n")
        await read_until(reader, b"\n\n")
        action(live)
        assert (await asyncio.wait_for(reader.read(), 5)).endswith(b"0\r\n\r\n")
        writer.close()

    started = time.monotonic()
    streamed(steps, commands, socket=True)
    assert time.monotonic() - started < 5


def test_streams_are_ended_before_a_reset_is_seen_by_them():
    seen = []

    async def items(call):
        while True:
            seen.append(len(call.world.log))
            yield {"data": {}}
            call = await call.wait_for_change(None)

    async def steps(live):
        pending = live.ask("/stream")
        await turns()
        live.world.apply(Advance(0))
        await turns()
        live.worlds.default.reset()
        await pending
        assert seen == [0, 1]
        assert live.world.apply(Reset()) is None

    streamed(steps, items)


# What is kept


def test_a_stream_is_in_the_journal_and_in_its_archive():
    async def steps(live):
        await live.ask("/stream")
        (entry,) = (await live.ask("/_soundstage/journal")).json()["entries"]
        assert (entry["operation"], entry["status"]) == ("stream", 200)
        assert entry["answer_body"]["media_type"] == "text/event-stream"
        assert entry["answer_body"]["text"].count("data: ") == 3
        har = (await live.ask("/_soundstage/journal.har")).json()
        content = har["log"]["entries"][0]["response"]["content"]
        assert content["mimeType"] == "text/event-stream"
        assert content["text"] == entry["answer_body"]["text"]

    streamed(steps, three)


def test_the_journal_keeps_the_beginning_of_a_long_stream():
    async def long(_call):
        for _ in range(20):
            yield {"data": {"text": "x" * 10_000}}

    async def steps(live):
        assert len((await live.ask("/stream")).content) > 200_000
        (entry,) = (await live.ask("/_soundstage/journal")).json()["entries"]
        assert len(entry["answer_body"]["text"]) == MAX_RECORDED_BODY_BYTES
        assert entry["answer_body"]["cut"]

    streamed(steps, long)


# Bugs of our own


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"data": {"n": "one"}}, "our own stream violates the contract"),
        ({"event": "odd", "data": {}}, "our own stream violates the contract"),
        ({"event": "made"}, "our own stream violates the contract"),
        ({"data": {"more": {1, 2}}}, "a stream failed"),
        (ZeroDivisionError("oh"), "a stream failed"),
    ],
)
def test_a_stream_that_fails_is_cut_logged_and_closed(item, message, caplog):
    closed = []

    async def items(_call):
        try:
            yield ITEM
            if isinstance(item, Exception):
                raise item
            yield item
        finally:
            closed.append(item)

    async def steps(live):
        with pytest.raises(ConnectionCut):
            await live.ask("/stream")
        assert closed == [item]
        (seen,) = live.worlds.default.journal.entries()
        assert bool(seen.violations) == ("contract" in message)

    with caplog.at_level(logging.ERROR, "soundstage"):
        streamed(steps, items)
    assert message in caplog.text


def test_a_stream_that_breaks_the_contract_cuts_the_connection():
    async def items(_call):
        yield ITEM
        yield {"event": "odd", "data": {}}

    async def steps(live):
        reader, writer = await live.connect("/stream")
        detail = await asyncio.wait_for(reader.read(), 5)
        assert detail.endswith(WIRE + b"\r\n")  # and no last chunk
        writer.close()

    streamed(steps, items, socket=True)


def test_a_stream_of_a_status_that_has_none_breaks_the_contract():
    async def stream(_call):
        return Response(status=404, stream=three(None), media_type="text/event-stream")

    async def steps(live):
        with pytest.raises(ConnectionCut):
            await live.ask("/stream")

    played(steps, wait=wait, stream=stream)


# Faults


async def add_fault(live, kind, **options):
    body = {"kind": kind, "options": options, "operation": "stream"}
    response = await live.ask("/_soundstage/faults", json=body)
    assert response.status_code == 201


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("latency", {"ms": 60_000}), ("slow", {"ms": 60_000}), ("truncate", {}),
        ("malformed", {}),
    ],
)  # fmt: skip
def test_faults_of_bodies_leave_streams_alone(kind, options):
    async def steps(live):
        await add_fault(live, kind, **options)
        response = await asyncio.wait_for(live.ask("/stream"), 8)
        assert response.text.count("data: ") == 3
        (entry,) = live.worlds.default.journal.entries()
        assert entry.fault is None

    streamed(steps, three)


def test_a_status_fault_replaces_a_stream():
    async def steps(live):
        await add_fault(live, "status", status=503)
        response = await live.ask("/stream")
        assert (response.status_code, response.headers["soundstage-fault"]) == (503, "status-1")

    streamed(steps, three)


@pytest.mark.parametrize("kind", ["timeout", "reset"])
def test_a_fault_that_cuts_the_connection_applies_to_streams(kind):
    async def steps(live):
        await add_fault(live, kind)
        with pytest.raises((ConnectionCut, TimeoutError)):
            await live.ask("/stream")
        (entry,) = live.worlds.default.journal.entries()
        assert (entry.fault, entry.status) == (kind, None)

    streamed(steps, three)
