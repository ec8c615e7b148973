"""Faults that a test injects."""

from types import TracebackType
from typing import Self

from soundstage.server.background import BackgroundWorld
from soundstage.server.faults.rules import FaultRule
from soundstage.types import JsonObject


class Fault:
    """A fault rule of a world; as a context manager it is removed at the end."""

    def __init__(self, world: BackgroundWorld, rule: FaultRule) -> None:
        self._world, self._rule = world, rule
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
        """Number of requests that the fault was applied to."""
        return self._world.server.call(lambda: self._rule.hits)

    def remove(self) -> None:
        """Remove the rule; does nothing if it is gone already."""
        rules = self._world.host.faults

        def remove_rule() -> None:
            if self._rule in list(rules):
                rules.remove(self.id)

        self._world.server.call(remove_rule)


def inject_fault(world: BackgroundWorld, definition: JsonObject) -> Fault:
    """Add a fault rule; properties that are None are omitted.

    Raises ``Problem`` for an invalid definition.
    """
    properties = {key: value for key, value in definition.items() if value is not None}
    server, rules = world.server, world.host.faults
    rule = server.call(lambda: rules.add(server.worlds.services, properties))
    return Fault(world, rule)
