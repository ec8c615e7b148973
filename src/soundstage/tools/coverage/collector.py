"""What a process has covered, on all servers that it had."""

from soundstage.exchange.coverage import Coverage
from soundstage.openapi.contract import Contract
from soundstage.server.background import BackgroundServer, ServerPool
from soundstage.server.control import serializers
from soundstage.server.hosts import Worlds
from soundstage.types import JsonObject


class CoverageCollector:
    """Adds up the coverage of servers that end, and of worlds without a server."""

    def __init__(self) -> None:
        self._coverage = Coverage()
        self._contracts: dict[str, Contract] = {}

    def take(self, worlds: Worlds) -> None:
        """Add all that these worlds, and those before them, have covered."""
        self._coverage.add(worlds.coverage())
        for name, service in worlds.services.items():
            self._contracts.setdefault(name, service.contract)

    def add_servers(self, servers: ServerPool) -> None:
        """The same, of servers that still run."""
        for server in servers.list_running():
            self._add_server(server)

    def as_json(self) -> JsonObject:
        """As the control API gives it."""
        return serializers.serialize_coverage(
            self._coverage.summarize(self._contracts.values())
        )

    def _add_server(self, server: BackgroundServer) -> None:
        server.call_when_idle(lambda: self.take(server.worlds))


GATHERED = CoverageCollector()
"""Of this process. The pytest plugin adds its servers; others may add their worlds."""
