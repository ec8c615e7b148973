"""What a process has covered, on all servers that it had."""

from soundstage.contract.contract import Contract
from soundstage.server.control import shown
from soundstage.server.journal.coverage import Coverage
from soundstage.server.worlds import Worlds
from soundstage.testing.server import Server, Servers
from soundstage.types import Document


class Gathering:
    """Adds up the coverage of servers that end, and of worlds without a server."""

    def __init__(self) -> None:
        self._coverage = Coverage()
        self._contracts: dict[str, Contract] = {}

    def take(self, worlds: Worlds) -> None:
        """Add all that these worlds, and those before them, have covered."""
        self._coverage.add(worlds.coverage())
        for name, service in worlds.services.items():
            self._contracts.setdefault(name, service.contract)

    def take_servers(self, servers: Servers) -> None:
        """The same, of servers that still run."""
        for server in servers.running():
            self._take_server(server)

    def as_json(self) -> Document:
        """As the control API gives it."""
        return shown.coverage(self._coverage.of(self._contracts.values()))

    def _take_server(self, server: Server) -> None:
        server.do_when_settled(lambda: self.take(server.worlds))


GATHERED = Gathering()
"""Of this process. The pytest plugin adds its servers; others may add their worlds."""
