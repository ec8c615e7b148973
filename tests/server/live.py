"""A small API, of no vendor, whose handlers each test writes; in one event loop."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import yaml

from soundstage.apis.api import Api
from soundstage.apis.registry import Service
from soundstage.openapi.contract import compile_contract
from soundstage.server.app import Dispatcher
from soundstage.server.hosts import Worlds
from soundstage.server.problems import render_error
from soundstage.server.uvicorn_server import HttpServer, open_listener
from soundstage.world.commands import Start
from soundstage.world.fixture import compile_fixture
from soundstage.world.ids import uuid
from soundstage.world.record import ApiModel, RecordType
from soundstage.world.state import Schedule
from soundstage.world.world import WorldOptions
from support.strategies import NOW

DOCUMENT = """
openapi: 3.1.0
info: {title: Small, version: '1'}
paths:
  /wait:
    get:
      operationId: wait
      responses: &answers
        '200': {content: {application/json: {schema: {type: object}}}, description: ''}
        default:
          content: {application/problem+json: {schema: {type: object}}}
          description: ''
    post:
      operationId: waitToo
      requestBody: {content: {application/json: {schema: {type: object}}}}
      responses: *answers
  /stream:
    get:
      operationId: stream
      responses:
        '200':
          description: ''
          content:
            text/event-stream:
              schema:
                type: array
                items:
                  type: object
                  required: [data]
                  additionalProperties: false
                  properties:
                    id: {type: integer}
                    event: {enum: [made, gone]}
                    retry: {type: integer}
                    data: {type: object, properties: {n: {type: integer}}}
"""
FIXTURE = """
api: small
tasks: {task: {}}
scenarios: {story: {steps: [{run: {n: 1}}, {after: 10s, run: {n: 2}}]}}
"""
VOCABULARY = ApiModel.define(RecordType("run", "runs", "id", uuid))


def service_of(handlers, cron=None):
    """The small API; with ``cron``, runs start by it."""
    names = ("wait", "waitToo", "stream")
    handlers = {name: handlers.get(name) or handlers["wait"] for name in names}
    api = Api("small", "Small", VOCABULARY, handlers, render_error)
    fixture = compile_fixture(yaml.safe_load(FIXTURE), VOCABULARY)
    if cron:
        schedule = Schedule(lambda *_: {"task": cron}, lambda *_: [Start("small")])
        object.__setattr__(fixture, "schedule", schedule)
    contract = compile_contract("small", yaml.safe_load(DOCUMENT))
    return Service(api, contract, fixture)


@dataclass
class Live:
    """A server's worlds, its app, and a client of it."""

    worlds: Worlds
    client: httpx.AsyncClient
    listening: HttpServer | None = None

    @property
    def world(self):
        return self.worlds.default.world

    def ask(self, path="/wait", **more):
        """A request under way."""
        method = "POST" if more else "GET"
        return asyncio.create_task(self.client.request(method, path, **more))

    async def connect(self, path, head=b""):
        """A request over a socket: what is read, and what is written."""
        host, port = self.listening.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET %s HTTP/1.1\r\nHost: x\r\n%s\r\n" % (path.encode(), head))
        return reader, writer


def played(steps, *, socket=False, cron=None, speed=0, **handlers):
    """Let a story happen at a server with these handlers; nothing may be left over."""

    async def play():
        service = service_of(handlers, cron)
        worlds = Worlds({"small": service}, WorldOptions(7, NOW, speed))
        async with _serving(worlds, socket=socket) as live:
            await asyncio.wait_for(steps(live), 10)
        await turns()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        lobbies = [hosted.waiters for hosted in worlds]
        assert not any(lobby._pending | lobby._tasks for lobby in lobbies)

    asyncio.run(play())


@asynccontextmanager
async def _serving(worlds, *, socket):
    app = Dispatcher(worlds)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        if not socket:
            yield Live(worlds, client)
            return
        listening = HttpServer(app, worlds, open_listener("127.0.0.1", 0))
        serving = asyncio.create_task(listening.serve())
        try:
            yield Live(worlds, client, listening)
        finally:
            listening.stop()
            await asyncio.wait_for(serving, 5)


async def soon(condition):
    """Come back when it is so."""
    while not condition():  # noqa: ASYNC110 - conditions are of many kinds
        await asyncio.sleep(0.005)


async def turns(count=20):
    """Let what can happen happen."""
    for _ in range(count):
        await asyncio.sleep(0)
