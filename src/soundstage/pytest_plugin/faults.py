"""A fault that a test has injected."""

from types import TracebackType
from typing import Self

from soundstage.server.background import BackgroundServer
from soundstage.server.faults.rules import FaultRule
from soundstage.server.hosts import WorldHost
from soundstage.types import JsonObject


class Fault:
    """A rule among the world's faults; as a context manager it goes at the end."""

    def __init__(
        self, server: BackgroundServer, world_host: WorldHost, rule: FaultRule
    ) -> None:
        self._server, self._world_host, self._rule = server, world_host, rule
        self.id = rule.id

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.remove()

    @property
    def hits(self) -> int:
        """How many requests it has struck."""
        return self._server.call(lambda: self._rule.hits)

    def remove(self) -> None:
        """Let it strike no more; once is enough, twice does no harm."""

        def remove_rule() -> None:
            if self._rule in list(self._world_host.faults):
                self._world_host.faults.remove(self.id)

        self._server.call(remove_rule)


def inject_fault(
    server: BackgroundServer, world_host: WorldHost, definition: JsonObject
) -> Fault:
    """A fault with what is wanted of it; what is None is not. Raises ``Problem``."""
    said = {name: value for name, value in definition.items() if value is not None}
    rule = server.call(lambda: world_host.faults.add(server.worlds.services, said))
    return Fault(server, world_host, rule)
