"""The whole server in the thread of a test: worlds of its own, no socket."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import httpx

from soundstage.apis.registry import load_services
from soundstage.server.guard import Guard
from soundstage.world.world import World, WorldOptions
from support.client import InProcessTransport

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


@contextmanager
def new_worlds_client(guard: Guard | None = None) -> Iterator[httpx.Client]:
    """A client of new worlds, in which nothing moves."""
    fixtures = {name: service.fixture for name, service in services().items()}
    world = World(fixtures, WorldOptions(seed=7, start_at=NOW, speed=0))
    transport = InProcessTransport(services(), world, guard=guard)
    base_url = "http://127.0.0.1:4010"
    with httpx.Client(transport=transport, base_url=base_url) as client:
        yield client
