"""A response is sent in one write, on any event loop."""

import asyncio
import re
import socket

import pytest

from soundstage.server.faults.connection import CONNECTION_EXTENSION, ClientConnection
from soundstage.server.message import EncodedResponse
from soundstage.server.uvicorn_server import BufferedTransport
from support.server import running_server

MESSAGE = EncodedResponse(200, ((b"content-length", b"2"),), b"{}")


class Transport:
    def __init__(self):
        self.done = []

    def write(self, data):
        self.done.append(data)

    def writelines(self, parts):
        self.done.append(list(parts))

    def close(self):
        self.done.append("closed")

    def is_closing(self):
        return "closed" in self.done

    def get_extra_info(self, name):
        return name


def test_buffered_writes_are_sent_at_once():
    transport = Transport()
    whole = BufferedTransport(transport)
    whole.write(b"a")
    whole.chunks = []
    whole.write(b"b")
    whole.write(b"c")
    assert transport.done == [b"a"]
    whole.flush()
    whole.write(b"d")
    assert transport.done == [b"a", [b"b", b"c"], b"d"]


def test_buffered_writes_are_sent_before_the_end():
    transport = Transport()
    whole = BufferedTransport(transport)
    whole.chunks = []
    whole.write(b"a")
    whole.close()
    assert transport.done == [[b"a"], "closed"]
    assert whole.is_closing()


def test_an_empty_buffer_sends_nothing():
    transport = Transport()
    whole = BufferedTransport(transport)
    whole.chunks = []
    whole.flush()
    whole.flush()
    assert transport.done == []
    assert whole.get_extra_info("socket") == "socket"


class BufferingConnection:
    stalled = False

    def __init__(self):
        self.done = []

    def buffer(self):
        self.done.append("buffer")

    def flush(self):
        self.done.append("flush")


@pytest.mark.parametrize("fails", [False, True])
def test_head_and_body_are_buffered_and_always_flushed(fails):
    connection = BufferingConnection()

    async def send(message):
        connection.done.append(message["type"])
        if fails:
            raise ConnectionError

    wire = ClientConnection({"extensions": {CONNECTION_EXTENSION: connection}}, None, send)
    if fails:
        with pytest.raises(ConnectionError):
            asyncio.run(wire.send_all(MESSAGE))
    else:
        asyncio.run(wire.send_all(MESSAGE))
    assert connection.done[0] == "buffer"
    assert connection.done[-1] == "flush"
    assert connection.done.count("flush") == 1


def request(method, more=""):
    line = f"{method} /_soundstage/health HTTP/1.1\r\nHost: localhost\r\n"
    return f"{line}{more}\r\n".encode()


@pytest.mark.slow
def test_pipelined_requests_get_their_responses_in_order():
    with running_server() as there, socket.create_connection(("127.0.0.1", there.port)) as own:
        own.sendall(request("GET") + request("HEAD") + request("DELETE"))
        own.sendall(request("GET", "Connection: close\r\n"))
        answered = b"".join(iter(lambda: own.recv(65536), b""))
    statuses = [int(code) for code in re.findall(rb"HTTP/1.1 (\d+)", answered)]
    assert statuses == [200, 405, 405, 200]
    assert answered.endswith(b"}")
