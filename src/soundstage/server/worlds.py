"""The worlds of one server, by name; each with its journal and its faults."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from soundstage.apis.service import Service
from soundstage.server.faults.rules import Rules
from soundstage.server.journal.coverage import Coverage
from soundstage.server.journal.journal import Journal
from soundstage.server.journal.masking import masks_of
from soundstage.server.problems import Problem
from soundstage.server.waiting import Lobby
from soundstage.types import Document
from soundstage.world.log import Reset
from soundstage.world.world import Opening, World

DEFAULT = "default"
MOST = 10_000
"""Worlds on one server; a client that makes up names is stopped here."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(slots=True, eq=False)
class Hosted:
    """A world on a server, and itself among the ``hosts`` of all worlds.

    ``port`` is one that leads to this world alone.
    """

    name: str
    world: World
    journal: Journal
    hosts: "dict[World, Hosted]" = field(default_factory=dict)
    port: int | None = None
    faults: Rules = field(default_factory=Rules)
    lobby: Lobby = field(init=False)

    def __post_init__(self) -> None:
        self.lobby = Lobby(self.world)
        self.hosts[self.world] = self

    def reset(self) -> None:
        """Bring the world back to how it was made; who waits for it is sent home."""
        self.world.apply(Reset())
        self.lobby.clear()
        self.faults.clear()
        self.journal.clear()

    def become(self, world: World) -> None:
        """Host another world in the place of this one."""
        self.lobby.close()
        self.hosts[world] = self.hosts.pop(self.world)
        self.world = world
        self.lobby = Lobby(world)


class Worlds:
    """Worlds are made on first use; what they share is drawn once.

    ``open_port`` listens on a free port and gives its number, ``close_port`` gives it
    back; a server that runs hands them in.
    """

    def __init__(self, services: Mapping[str, Service], opening: Opening) -> None:
        self.services = services
        self.fixtures = {name: service.fixture for name, service in services.items()}
        first = World(self.fixtures, opening)
        # Worlds that are made later end their history where the first one did.
        self.opening = replace(opening, origin=first.origin)
        first.opening = self.opening
        self._masks = masks_of(service.contract for service in services.values())
        self._gone = Coverage()  # of cleared journals, and of worlds that are no more
        self._hosts: dict[World, Hosted] = {}
        hosted = Hosted(DEFAULT, first, self._journal(), self._hosts)
        self._hosted = {DEFAULT: hosted}
        self._ports: dict[int, Hosted | None] = {}  # None: its world was removed
        self._closed = False
        self.open_port: Callable[[], int] | None = None
        self.close_port: Callable[[int], None] | None = None

    def __iter__(self) -> Iterator[Hosted]:
        return iter(tuple(self._hosted.values()))

    @property
    def default(self) -> Hosted:
        """The world of requests that name none."""
        return self.get(DEFAULT)

    def get(self, name: str) -> Hosted:
        """The world of this name, made if it is not there. Raises ``Problem``."""
        return self._hosted.get(name) or self.create(name, self.opening)

    def of_port(self, port: int | None) -> Hosted | None:
        """The world that a port leads to; None where it leads to all of them.

        Raises ``Problem`` for the port of a world that was removed, which a client may
        still have a connection to.
        """
        if port not in self._ports:
            return None
        hosted = self._ports[port]
        if hosted is None:
            raise Problem(404, "the world of this port was removed")
        return hosted

    def hosting(self, world: World) -> Hosted:
        """The host of a world. Raises ``Problem`` if it was removed meanwhile. O(1)."""
        try:
            return self._hosts[world]
        except KeyError:
            raise Problem(404, "this world was removed") from None

    def named(self, name: str) -> Hosted:
        """The world of this name. Raises ``Problem`` if it is not there."""
        try:
            return self._hosted[name]
        except KeyError:
            raise Problem(404, f"there is no world {name!r}") from None

    def create(self, name: str, opening: Opening, *, own_port: bool = False) -> Hosted:
        """A new world. Raises ``Problem``."""
        if not _NAME.fullmatch(name):
            msg = (
                f"{name!r} is no name of a world: letters, digits, . _ - and 64 at most"
            )
            raise Problem(400, msg)
        if name in self._hosted:
            raise Problem(409, f"there is a world {name!r} already")
        if len(self._hosted) >= MOST:
            raise Problem(409, f"there are {MOST} worlds already; delete some")
        world = World(self.fixtures, opening)
        port = self._new_port() if own_port else None
        hosted = Hosted(name, world, self._journal(), self._hosts, port)
        if port is not None:
            self._ports[port] = hosted
        self._hosted[name] = hosted
        if self._closed:
            hosted.lobby.close()
        return hosted

    def _new_port(self) -> int:
        if self.open_port is None:
            raise Problem(409, "this server cannot open ports")
        return self.open_port()

    def delete(self, name: str) -> None:
        """Remove a world and its port. Raises ``Problem``."""
        hosted = self.named(name)
        del self._hosted[name], self._hosts[hosted.world]
        self._gone.add(hosted.journal.coverage)
        hosted.lobby.close()
        if hosted.port is not None:
            self._ports[hosted.port] = None
            if self.close_port:
                self.close_port(hosted.port)

    def coverage(self) -> Coverage:
        """What all worlds have covered, those too that are no more."""
        result = Coverage()
        for part in (self._gone, *(hosted.journal.coverage for hosted in self)):
            result.add(part)
        return result

    def _journal(self) -> Journal:
        return Journal(self._masks, keep=self._gone.add)

    def restore(self, hosted: Hosted, exported: Document) -> None:
        """Let a host's world be one that was exported. Raises as ``World.imported``."""
        hosted.become(World.imported(self.fixtures, exported))

    def close(self) -> None:
        """Send home whoever waits for any of them, or would from now on."""
        self._closed = True
        for hosted in self:
            hosted.lobby.close()
