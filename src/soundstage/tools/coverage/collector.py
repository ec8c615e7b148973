"""Collects the coverage of one process."""

from soundstage.exchange.coverage import Coverage
from soundstage.openapi.contract import Contract
from soundstage.server.background import BackgroundServer, ServerPool
from soundstage.server.control.serializers import serialize_coverage
from soundstage.server.hosts import Worlds
from soundstage.types import JsonObject


class CoverageCollector:
    """Adds up the coverage of servers, before they stop, and of other worlds."""

    def __init__(self) -> None:
        self._coverage = Coverage()
        self._contracts: dict[str, Contract] = {}

    def add_worlds(self, worlds: Worlds) -> None:
        """Add the coverage of these worlds, deleted ones included."""
        self._coverage.add(worlds.coverage())
        for name, service in worlds.services.items():
            self._contracts.setdefault(name, service.contract)

    def add_servers(self, servers: ServerPool) -> None:
        """Add the coverage of servers that are running."""
        for server in servers.list_running():
            self._add_server(server)

    def to_json(self) -> JsonObject:
        """Return the coverage in the form of the control API."""
        return serialize_coverage(self._coverage.summarize(self._contracts.values()))

    def _add_server(self, server: BackgroundServer) -> None:
        server.call_when_idle(lambda: self.add_worlds(server.worlds))


COLLECTOR = CoverageCollector()
"""The collector of this process. The pytest plugin adds its servers at the end of the
session; programs may add other worlds."""
