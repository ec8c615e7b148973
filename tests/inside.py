"""The whole server in the thread of a test: worlds of its own, no socket."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import httpx

from soundstage.apis.service import load_services
from soundstage.server.dispatch import build_app
from soundstage.server.guard import Guard
from soundstage.server.worlds import Worlds
from soundstage.world.world import Opening

NOW = 1_767_225_600_000  # 2026-01-01T00:00:00.000Z

RUN = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
ALGOLIA = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
TRIEVE = {
    "authorization": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3",
    "tr-dataset": "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3",
}

services = cache(load_services)


class Inside(httpx.BaseTransport):
    def __init__(self, app):
        self._inner = httpx.ASGITransport(app)
        self._runner = asyncio.Runner()

    def handle_request(self, request):
        request.read()
        return self._runner.run(self._answer(request))

    async def _answer(self, request):
        inner = httpx.Request(
            request.method,
            request.url,
            headers=request.headers.raw,
            content=request.content,
        )
        answer = await self._inner.handle_async_request(inner)
        body = await answer.aread()
        return httpx.Response(
            answer.status_code, headers=answer.headers.raw, content=body
        )

    def close(self):
        self._runner.close()


@contextmanager
def inside(guard: Guard | None = None) -> Iterator[httpx.Client]:
    """A client of new worlds, in which nothing moves."""
    worlds = Worlds(services(), Opening(seed=7, now=NOW, speed=0))
    transport = Inside(build_app(worlds, guard))
    base_url = "http://127.0.0.1:4010"
    with httpx.Client(transport=transport, base_url=base_url) as client:
        yield client
