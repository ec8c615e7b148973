"""A client of the whole server; openapi-core validates the exchanges too."""

import asyncio
from collections import Counter
from urllib.parse import unquote

import httpx

from soundstage.exchange.recorded import RecordedExchange
from soundstage.server.app import Dispatcher
from soundstage.server.hosts import Worlds
from soundstage.tools.coverage.collector import COLLECTOR
from support import effort
from validators.exchange_validator import ExchangeValidator

MAX_SECONDS = 60  # seconds of the wall that an exchange may take


MAX_PER_STATUS = 3  # exchanges of an operation and status that `make test` validates


class Validators:
    """One independent validator for each contract, created when it is first needed."""

    def __init__(self):
        self._by_api = {}
        self._counts = Counter()

    def validate(self, service, operation, exchange):
        """Fail the test if a request or response violates the contract of the service."""
        key = (service.name, operation.id, exchange.status)
        self._counts[key] += 1
        if not effort.THOROUGH and self._counts[key] > MAX_PER_STATUS:
            return
        if service.name not in self._by_api:
            self._by_api[service.name] = ExchangeValidator(service.contract.document)
        wrong = self._by_api[service.name].find_disagreements(exchange)
        assert not wrong, f"{exchange.method} {exchange.url}: {wrong}"


class InProcessTransport(httpx.BaseTransport):
    """Runs the whole server in the thread of the test, without a socket.

    The extension ``target`` of a request gives a path and query that no URL can have,
    as it does in httpcore. ``judges`` see every exchange that has an operation.
    """

    def __init__(self, services, world, judges=None, watch=None, guard=None):
        self.world = world
        self._watch_too = watch
        self.worlds = Worlds(services, world.options)
        self.worlds.default.replace_world(world)
        self._app = Dispatcher(self.worlds, guard, self._watch)
        self._validators = judges
        self._exchanges = []
        self._runner = asyncio.Runner()

    def _watch(self, scope, exchange):
        self._exchanges.append((scope, exchange))
        if self._watch_too:
            self._watch_too(scope, exchange)

    def handle_request(self, request):
        self._exchanges.clear()
        chunks = list(request.stream)
        until = request.extensions.get("until")
        exchange = self._messages(_scope(request), chunks, until)
        messages = self._runner.run(asyncio.wait_for(exchange, MAX_SECONDS))
        start, *rest = messages
        body = b"".join(message.get("body", b"") for message in rest)
        for scope, exchange in self._exchanges:
            if self._validators and exchange.operation:
                recorded = _recorded_exchange(scope, b"".join(chunks), start, body)
                self._validators.validate(exchange.service, exchange.operation, recorded)
        return httpx.Response(start["status"], headers=start["headers"], content=body)

    async def _messages(self, scope, chunks, until):
        waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
        waiting.append({"type": "http.request", "body": b"", "more_body": False})
        sent, enough = [], asyncio.Event()

        async def receive():
            if not waiting:  # the client stays
                await enough.wait()
                return {"type": "http.disconnect"}
            return waiting.pop(0)

        async def send(message):
            sent.append(message)
            if until and until in message.get("body", b""):
                enough.set()

        await self._app(scope, receive, send)
        return sent

    def close(self):
        self._runner.close()
        COLLECTOR.add_worlds(self.worlds)  # tests/coverage.yaml says what this is for


def in_process_client(services, world, judges=None, watch=None):
    """A client of the whole server, whose exchanges are shown to ``watch`` too."""
    transport = InProcessTransport(services, world, judges, watch)
    return httpx.Client(transport=transport, base_url="http://127.0.0.1:4010")


def _scope(request):
    target = request.extensions.get("target", request.url.raw_path)
    path, _, query = target.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": unquote(path.decode("ascii", "replace")),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 4010),
    }


def _recorded_exchange(scope, sent, start, body):
    url = scope["raw_path"]
    if scope["query_string"]:
        url += b"?" + scope["query_string"]
    return RecordedExchange(
        method=scope["method"],
        url=url.decode("latin-1"),
        request_headers=_texts(scope["headers"]),
        request_body=sent,
        status=start["status"],
        response_headers=_texts(start["headers"]),
        response_body=body,
    )


def _texts(headers):
    return tuple((n.decode("latin-1"), v.decode("latin-1")) for n, v in headers)
