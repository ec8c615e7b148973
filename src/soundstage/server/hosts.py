"""The worlds of one server, by name; each with its journal and its faults."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from soundstage.apis.registry import Service
from soundstage.exchange.coverage import Coverage
from soundstage.exchange.redaction import build_redactors
from soundstage.server.faults.rules import FaultRules
from soundstage.server.journal import Journal
from soundstage.server.problems import Problem
from soundstage.server.waiters import Waiters
from soundstage.types import JsonObject
from soundstage.world.commands import Reset
from soundstage.world.world import World, WorldOptions

DEFAULT_WORLD = "default"
MAX_WORLDS = 10_000
"""Worlds on one server; a client that makes up names is stopped here."""

_NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(slots=True, eq=False)
class WorldHost:
    """A world on a server, and itself among the ``hosts`` of all worlds.

    ``port`` is one that leads to this world alone.
    """

    name: str
    world: World
    journal: Journal
    registry: "dict[World, WorldHost]" = field(default_factory=dict)
    port: int | None = None
    faults: FaultRules = field(default_factory=FaultRules)
    waiters: Waiters = field(init=False)

    def __post_init__(self) -> None:
        self.waiters = Waiters(self.world)
        self.registry[self.world] = self

    def reset(self) -> None:
        """Bring the world back to how it was made; who waits for it is sent home."""
        self.world.apply(Reset())
        self.waiters.cancel_all()
        self.faults.clear()
        self.journal.clear()

    def replace_world(self, world: World) -> None:
        """Host another world in the place of this one."""
        self.waiters.close()
        self.registry[world] = self.registry.pop(self.world)
        self.world = world
        self.waiters = Waiters(world)


class Worlds:
    """Worlds are made on first use; what they share is drawn once.

    ``open_port`` listens on a free port and gives its number, ``close_port`` gives it
    back; a server that runs hands them in.
    """

    def __init__(self, services: Mapping[str, Service], options: WorldOptions) -> None:
        self.services = services
        self.fixtures = {name: service.fixture for name, service in services.items()}
        first = World(self.fixtures, options)
        # Worlds that are made later end their history where the first one did.
        self.options = replace(options, history_end=first.history_end)
        first.options = self.options
        self._redactors = build_redactors(
            service.contract for service in services.values()
        )
        self._retired_coverage = (
            Coverage()
        )  # of cleared journals, and of worlds that are no more
        self._by_world: dict[World, WorldHost] = {}
        hosted = WorldHost(DEFAULT_WORLD, first, self._create_journal(), self._by_world)
        self._by_name = {DEFAULT_WORLD: hosted}
        self._by_port: dict[int, WorldHost | None] = {}  # None: its world was removed
        self._is_closed = False
        self.open_port: Callable[[], int] | None = None
        self.close_port: Callable[[int], None] | None = None

    def __iter__(self) -> Iterator[WorldHost]:
        return iter(tuple(self._by_name.values()))

    @property
    def default(self) -> WorldHost:
        """The world of requests that name none."""
        return self.get_or_create(DEFAULT_WORLD)

    def get_or_create(self, name: str) -> WorldHost:
        """The world of this name, made if it is not there. Raises ``Problem``."""
        return self._by_name.get(name) or self.create(name, self.options)

    def by_port(self, port: int | None) -> WorldHost | None:
        """The world that a port leads to; None where it leads to all of them.

        Raises ``Problem`` for the port of a world that was removed, which a client may
        still have a connection to.
        """
        if port not in self._by_port:
            return None
        hosted = self._by_port[port]
        if hosted is None:
            raise Problem(404, "the world of this port was removed")
        return hosted

    def host_of(self, world: World) -> WorldHost:
        """The host of a world. Raises ``Problem`` if it was removed meanwhile. O(1)."""
        try:
            return self._by_world[world]
        except KeyError:
            raise Problem(404, "this world was removed") from None

    def get_existing(self, name: str) -> WorldHost:
        """The world of this name. Raises ``Problem`` if it is not there."""
        try:
            return self._by_name[name]
        except KeyError:
            raise Problem(404, f"there is no world {name!r}") from None

    def create(
        self, name: str, options: WorldOptions, *, own_port: bool = False
    ) -> WorldHost:
        """A new world. Raises ``Problem``."""
        if not _NAME_PATTERN.fullmatch(name):
            msg = (
                f"{name!r} is no name of a world: letters, digits, . _ - and 64 at most"
            )
            raise Problem(400, msg)
        if name in self._by_name:
            raise Problem(409, f"there is a world {name!r} already")
        if len(self._by_name) >= MAX_WORLDS:
            raise Problem(409, f"there are {MAX_WORLDS} worlds already; delete some")
        world = World(self.fixtures, options)
        port = self._open_new_port() if own_port else None
        hosted = WorldHost(name, world, self._create_journal(), self._by_world, port)
        if port is not None:
            self._by_port[port] = hosted
        self._by_name[name] = hosted
        if self._is_closed:
            hosted.waiters.close()
        return hosted

    def _open_new_port(self) -> int:
        if self.open_port is None:
            raise Problem(409, "this server cannot open ports")
        return self.open_port()

    def delete(self, name: str) -> None:
        """Remove a world and its port. Raises ``Problem``."""
        hosted = self.get_existing(name)
        del self._by_name[name], self._by_world[hosted.world]
        self._retired_coverage.add(hosted.journal.coverage)
        hosted.waiters.close()
        if hosted.port is not None:
            self._by_port[hosted.port] = None
            if self.close_port:
                self.close_port(hosted.port)

    def coverage(self) -> Coverage:
        """What all worlds have covered, those too that are no more."""
        result = Coverage()
        for part in (
            self._retired_coverage,
            *(hosted.journal.coverage for hosted in self),
        ):
            result.add(part)
        return result

    def _create_journal(self) -> Journal:
        return Journal(self._redactors, on_clear=self._retired_coverage.add)

    def import_world(self, host: WorldHost, exported: JsonObject) -> None:
        """Let a host's world be one that was exported. Raises as ``World.imported``."""
        host.replace_world(World.from_json(self.fixtures, exported))

    def close(self) -> None:
        """Send home whoever waits for any of them, or would from now on."""
        self._is_closed = True
        for hosted in self:
            hosted.waiters.close()
