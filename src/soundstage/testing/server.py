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

from soundstage.apis.service import load_services
from soundstage.server.dispatch import Dispatcher
from soundstage.server.serve import Listening, bound
from soundstage.server.worlds import Worlds
from soundstage.world.world import Opening

NOW = 1_767_225_600_000
"""2026-01-01T00:00:00Z, where the clocks of tests start."""

FROZEN = Opening(seed=0, now=NOW, speed=0)

T = TypeVar("T")


class Server:
    """APIs served on 127.0.0.1 until ``stop``.

    Its worlds belong to its thread: whoever reads or changes them does so by ``do``.
    Raises as ``load_services`` does.
    """

    def __init__(
        self,
        apis: Iterable[str] = (),
        fixtures: Iterable[Path] = (),
        opening: Opening = FROZEN,
    ) -> None:
        self.apis, self.fixtures = tuple(apis), tuple(fixtures)
        self.worlds = Worlds(load_services(self.apis, self.fixtures), opening)
        self.app = Dispatcher(self.worlds)
        self._names = itertools.count(1)
        self._listening = Listening(self.app, self.worlds, bound("127.0.0.1", 0))
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
        return self._listening.url

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        await self._listening.serve()

    def new_name(self) -> str:
        """A name that no world of this server has had."""
        return f"test-{next(self._names)}"

    def do(self, action: Callable[[], T]) -> T:
        """What ``action`` gives, or raises, in the server's thread."""
        done: Future[T] = Future()

        def act() -> None:
            try:
                done.set_result(action())
            except BaseException as error:  # noqa: BLE001 - it is raised where it belongs
                done.set_exception(error)

        self._loop.call_soon_threadsafe(act)
        return done.result()

    def do_when_settled(self, action: Callable[[], T]) -> T:
        """The same, but what is about to end in the server's thread ends first."""

        async def acted() -> T:
            for _ in range(3):
                await _turn()
            return action()

        return self.submit(acted()).result()

    def submit(self, coroutine: Coroutine[None, None, T]) -> "Future[T]":
        """Let a coroutine run in the server's thread."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def stop(self) -> None:
        """Close every port. Takes up to 0.2 s."""
        self._listening.stop()
        self._thread.join(10)


@coroutine
def _turn() -> Generator[None, None, None]:
    """One turn of the event loop."""
    yield


class Servers:
    """The servers of one process, each started when it is first asked for."""

    def __init__(self) -> None:
        self._running: dict[tuple[tuple[str, ...], tuple[Path, ...]], Server] = {}
        self._lock = threading.Lock()

    def serving(
        self, apis: Iterable[str] = (), fixtures: Iterable[Path] = ()
    ) -> Server:
        """The server of these APIs; of all that there are, if none is named."""
        key = (tuple(sorted({*apis})), tuple(fixtures))
        with self._lock:
            if key not in self._running:
                self._running[key] = Server(*key)
            return self._running[key]

    def running(self) -> list[Server]:
        """Those that were started."""
        with self._lock:
            return list(self._running.values())

    def stop(self) -> None:
        """Stop them all."""
        with self._lock:
            while self._running:
                self._running.popitem()[1].stop()


SHARED = Servers()
"""Those of programs that do not say whose servers they want."""

atexit.register(SHARED.stop)
