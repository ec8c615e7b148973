"""Servers in background threads, for tests and tools in the same process."""

import asyncio
import atexit
import itertools
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable
from concurrent.futures import Future
from pathlib import Path
from types import coroutine
from typing import TypeVar

from soundstage.apis.registry import load_services
from soundstage.server.app import Dispatcher
from soundstage.server.hosts import WorldHost, Worlds
from soundstage.server.uvicorn_server import HttpServer, open_listener
from soundstage.world.world import World, WorldOptions

DEFAULT_NOW = 1_767_225_600_000
"""2026-01-01T00:00:00Z in ms since the epoch: the start of the clocks of tests."""

FROZEN_OPTIONS = WorldOptions(seed=0, start_at=DEFAULT_NOW, speed=0)

T = TypeVar("T")


class BackgroundServer:
    """A server of some APIs on 127.0.0.1, in a thread of its own, until ``stop``.

    Its worlds are not thread-safe: read and change them only in ``call``. Without
    ``apis`` all of them are served. Raises as ``load_services`` does.

    >>> server = BackgroundServer(["runwisp"])
    >>> server.call(lambda: server.worlds.default.world.clock.now())
    1767225600000
    >>> server.stop()
    """

    def __init__(
        self,
        apis: Iterable[str] = (),
        fixtures: Iterable[Path] = (),
        options: WorldOptions = FROZEN_OPTIONS,
    ) -> None:
        self.apis, self.fixtures = tuple(apis), tuple(fixtures)
        self.worlds = Worlds(load_services(self.apis, self.fixtures), options)
        self.app = Dispatcher(self.worlds)
        self._names = itertools.count(1)
        self._http_server = HttpServer(self.app, self.worlds, open_listener("127.0.0.1", 0))
        self._loop: asyncio.AbstractEventLoop
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(),), name="soundstage", daemon=True
        )
        self._thread.start()
        self._ready.wait()

    @property
    def url(self) -> str:
        """URL of the server, with all its worlds."""
        return self._http_server.url

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._http_server.serve()

    def new_name(self) -> str:
        """Return a name that no world of this server has had."""
        return f"test-{next(self._names)}"

    def call(self, action: Callable[[], T]) -> T:
        """Call ``action`` in the server's thread; returns its result or raises."""
        done: Future[T] = Future()

        def run_action() -> None:
            try:
                done.set_result(action())
            except BaseException as error:  # noqa: BLE001 - raised in the caller's thread
                done.set_exception(error)

        # In the server's own thread this would wait for itself.
        self._loop.call_soon_threadsafe(run_action)
        return done.result()

    def call_when_idle(self, action: Callable[[], T]) -> T:
        """Call ``action`` as ``call`` does, after exchanges that are about to end."""

        async def run_action() -> T:
            # A client may see the end of a connection a few turns of the event loop
            # before the exchange is in the journal.
            for _ in range(3):
                await _yield_to_event_loop()
            return action()

        return self.submit(run_action()).result()

    def submit(self, coroutine: Coroutine[None, None, T]) -> "Future[T]":
        """Run a coroutine in the server's thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def stop(self) -> None:
        """Close all ports and end the thread. Takes up to 0.2 s."""
        self._http_server.stop()
        self._thread.join(10)


@coroutine
def _yield_to_event_loop() -> Generator[None, None, None]:
    """Suspend for one turn of the event loop."""
    yield


class BackgroundWorld:
    """A world on a background server, to be used from any thread."""

    def __init__(self, server: BackgroundServer, host: WorldHost) -> None:
        self.server, self.host = server, host

    def call(self, action: Callable[[World], T]) -> T:
        """Call ``action`` with the world in the server's thread."""
        return self.server.call(lambda: action(self.host.world))


class ServerPool:
    """Background servers of one process, each started on first use."""

    def __init__(self) -> None:
        self._servers: dict[tuple[tuple[str, ...], tuple[Path, ...]], BackgroundServer] = {}
        self._lock = threading.Lock()

    def get_or_start(
        self, apis: Iterable[str] = (), fixtures: Iterable[Path] = ()
    ) -> BackgroundServer:
        """Return the server of these APIs and fixtures; without APIs, of all."""
        # A later fixture of the same API replaces an earlier one: their order counts.
        key = (tuple(sorted({*apis})), tuple(fixtures))
        with self._lock:
            if key not in self._servers:
                self._servers[key] = BackgroundServer(*key)
            return self._servers[key]

    def list_running(self) -> list[BackgroundServer]:
        """List the servers that were started."""
        with self._lock:
            return list(self._servers.values())

    def stop(self) -> None:
        """Stop all servers; ``get_or_start`` starts new ones."""
        with self._lock:
            while self._servers:
                self._servers.popitem()[1].stop()


SHARED_SERVERS = ServerPool()
"""The servers of programs that use ``Soundstage`` without a pool of their own."""

atexit.register(SHARED_SERVERS.stop)
