"""The worlds of one server by name, each with its journal, faults and waiters."""

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
"""Limit of worlds on one server, against clients that generate names."""

_NAME_PATTERN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(slots=True, eq=False)
class WorldHost:
    """A world on a server, with all that the server keeps for it.

    ``registry`` is the index of all hosts by world, which this one keeps up to date.
    ``port`` serves this world alone.
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
        """Reset the world to its initial state; cancel what waits for it."""
        self.world.apply(Reset())
        self.waiters.cancel_all()
        self.faults.clear()
        self.journal.clear()

    def replace_world(self, world: World) -> None:
        """Host another world under the same name."""
        self.waiters.close()
        self.registry[world] = self.registry.pop(self.world)
        self.world = world
        self.waiters = Waiters(world)


class Worlds:
    """All worlds of a server; a world is created when it is first requested.

    ``open_port`` listens on a free port and returns its number, ``close_port`` closes
    it; a running server sets both.

    >>> worlds = Worlds({}, WorldOptions(start_at=1_767_225_600_000, speed=0))
    >>> worlds.get_or_create("ci").name, len(list(worlds))
    ('ci', 2)
    """

    def __init__(self, services: Mapping[str, Service], options: WorldOptions) -> None:
        self.services = services
        self.fixtures = {name: service.fixture for name, service in services.items()}
        world = World(self.fixtures, options)
        # All worlds of a server have the same history, whenever they are created.
        self.options = replace(options, history_end=world.history_end)
        world.options = self.options
        contracts = (service.contract for service in services.values())
        self._redactors = build_redactors(contracts)
        # Of cleared journals and deleted worlds.
        self._retired_coverage = Coverage()
        self._by_world: dict[World, WorldHost] = {}
        host = WorldHost(DEFAULT_WORLD, world, self._create_journal(), self._by_world)
        self._by_name = {DEFAULT_WORLD: host}
        self._by_port: dict[int, WorldHost | None] = {}  # None: the world was deleted
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
        """Return a world by name, created if it does not exist. Raises ``Problem``."""
        return self._by_name.get(name) or self.create(name, self.options)

    def get_existing(self, name: str) -> WorldHost:
        """Return a world by name. Raises ``Problem`` if it does not exist."""
        try:
            return self._by_name[name]
        except KeyError:
            raise Problem(404, f"there is no world {name!r}") from None

    def by_port(self, port: int | None) -> WorldHost | None:
        """Return the world of its own port; None for the port of all worlds.

        Raises ``Problem`` for the port of a deleted world, which a client may still
        have a connection to.
        """
        if port not in self._by_port:
            return None
        host = self._by_port[port]
        if host is None:
            raise Problem(404, "the world of this port was deleted")
        return host

    def host_of(self, world: World) -> WorldHost:
        """Return the host of a world. Raises ``Problem`` if it was deleted. O(1)."""
        try:
            return self._by_world[world]
        except KeyError:
            raise Problem(404, "this world was deleted") from None

    def create(self, name: str, options: WorldOptions, *, own_port: bool = False) -> WorldHost:
        """Create a world. Raises ``Problem``."""
        self._check_name(name)
        world = World(self.fixtures, options)
        port = self._open_new_port() if own_port else None
        host = WorldHost(name, world, self._create_journal(), self._by_world, port)
        if port is not None:
            self._by_port[port] = host
        self._by_name[name] = host
        if self._is_closed:
            host.waiters.close()
        return host

    def _check_name(self, name: str) -> None:
        if not _NAME_PATTERN.fullmatch(name):
            characters = "letters, digits, . _ - and 64 at most"
            raise Problem(400, f"{name!r} is not a name of a world: {characters}")
        if name in self._by_name:
            raise Problem(409, f"there is a world {name!r} already")
        if len(self._by_name) >= MAX_WORLDS:
            raise Problem(409, f"there are {MAX_WORLDS} worlds already; delete some")

    def _open_new_port(self) -> int:
        if self.open_port is None:
            raise Problem(409, "this server cannot open ports")
        return self.open_port()

    def delete(self, name: str) -> None:
        """Delete a world and close its port. Raises ``Problem``."""
        host = self.get_existing(name)
        del self._by_name[name], self._by_world[host.world]
        self._retired_coverage.add(host.journal.coverage)
        host.waiters.close()
        if host.port is not None:
            self._by_port[host.port] = None
            if self.close_port:
                self.close_port(host.port)

    def coverage(self) -> Coverage:
        """Return the coverage of all worlds, with that of deleted ones."""
        result = Coverage()
        result.add(self._retired_coverage)
        for host in self:
            result.add(host.journal.coverage)
        return result

    def _create_journal(self) -> Journal:
        return Journal(self._redactors, on_clear=self._retired_coverage.add)

    def import_world(self, host: WorldHost, exported: JsonObject) -> None:
        """Replace a host's world by an exported one. Raises as ``World.from_json``."""
        host.replace_world(World.from_json(self.fixtures, exported))

    def close(self) -> None:
        """Cancel what waits for any world, from now on too: the server stops."""
        self._is_closed = True
        for host in self:
            host.waiters.close()
