"""A server in a thread of its own, for the tests of one process."""

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
from soundstage.server.hosts import Worlds
from soundstage.server.uvicorn_server import HttpServer, open_listener
from soundstage.world.world import WorldOptions

DEFAULT_NOW = 1_767_225_600_000
"""2026-01-01T00:00:00Z, where the clocks of tests start."""

FROZEN_OPTIONS = WorldOptions(seed=0, start_at=DEFAULT_NOW, speed=0)

T = TypeVar("T")


class BackgroundServer:
    """APIs served on 127.0.0.1 until ``stop``.

    Its worlds belong to its thread: whoever reads or changes them does so by ``do``.
    Raises as ``load_services`` does.
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
        self._http_server = HttpServer(
            self.app, self.worlds, open_listener("127.0.0.1", 0)
        )
        self._loop: asyncio.AbstractEventLoop
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(),), name="soundstage", daemon=True
        )
        self._thread.start()
        self._ready.wait()

    @property
    def url(self) -> str:
        """Where all its worlds are."""
        return self._http_server.url

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._http_server.serve()

    def new_name(self) -> str:
        """A name that no world of this server has had."""
        return f"test-{next(self._names)}"

    def call(self, action: Callable[[], T]) -> T:
        """What ``action`` gives, or raises, in the server's thread."""
        done: Future[T] = Future()

        def run_action() -> None:
            try:
                done.set_result(action())
            except BaseException as error:  # noqa: BLE001 - it is raised where it belongs
                done.set_exception(error)

        self._loop.call_soon_threadsafe(run_action)
        return done.result()

    def call_when_idle(self, action: Callable[[], T]) -> T:
        """The same, but what is about to end in the server's thread ends first."""

        async def run_action() -> T:
            for _ in range(3):
                await _yield_to_event_loop()
            return action()

        return self.submit(run_action()).result()

    def submit(self, coroutine: Coroutine[None, None, T]) -> "Future[T]":
        """Let a coroutine run in the server's thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def stop(self) -> None:
        """Close every port. Takes up to 0.2 s."""
        self._http_server.stop()
        self._thread.join(10)


@coroutine
def _yield_to_event_loop() -> Generator[None, None, None]:
    """One turn of the event loop."""
    yield


class ServerPool:
    """The servers of one process, each started when it is first asked for."""

    def __init__(self) -> None:
        self._servers: dict[
            tuple[tuple[str, ...], tuple[Path, ...]], BackgroundServer
        ] = {}
        self._lock = threading.Lock()

    def get_or_start(
        self, apis: Iterable[str] = (), fixtures: Iterable[Path] = ()
    ) -> BackgroundServer:
        """The server of these APIs; of all that there are, if none is named."""
        key = (tuple(sorted({*apis})), tuple(fixtures))
        with self._lock:
            if key not in self._servers:
                self._servers[key] = BackgroundServer(*key)
            return self._servers[key]

    def list_running(self) -> list[BackgroundServer]:
        """Those that were started."""
        with self._lock:
            return list(self._servers.values())

    def stop(self) -> None:
        """Stop them all."""
        with self._lock:
            while self._servers:
                self._servers.popitem()[1].stop()


SHARED_SERVERS = ServerPool()
"""Those of programs that do not say whose servers they want."""

atexit.register(SHARED_SERVERS.stop)
