"""How much of the contracts the exchanges of a world have covered.

Exchanges are counted late, so that a request pays next to nothing for it: when somebody
asks, or when more are waiting than are kept. So a bounded journal forgets none.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from soundstage.contract.contract import Contract
from soundstage.contract.listed import Value
from soundstage.contract.operation import Operation
from soundstage.server.journal.entry import Seen
from soundstage.server.journal.tally import Tally
from soundstage.types import Json

PATIENCE = 250
"""Exchanges that wait to be counted, and the few that come before some of them are."""

SOME = 32
"""So many are counted together, which is quicker than one with every request."""

Bodies = tuple[Json, Json]
"""The values of a request's body and of its answer's, ``None`` where there is none."""


@dataclass(frozen=True, slots=True)
class Covered:
    """One operation. Statuses are as the contract has them, parameters as places.

    ``undocumented`` are statuses that were answered and stand in no contract. Values
    stand where a parameter, the ``body`` of a request or an ``answer`` lists them.
    """

    api: str
    operation: str
    method: str
    path: str
    calls: int
    statuses: tuple[str, ...]
    unseen_statuses: tuple[str, ...]
    undocumented: tuple[str, ...]
    parameters: tuple[str, ...]
    unseen_parameters: tuple[str, ...]
    values: tuple[Value, ...]
    unseen_values: tuple[Value, ...]


class Coverage:
    """Counts of one world, or of several, by operation."""

    def __init__(self) -> None:
        self.tallies: dict[tuple[str | None, str], Tally] = {}
        self.waiting: deque[Seen] = deque()

    def count(self, seen: Seen, bodies: Bodies | None = None) -> None:
        """Count one exchange, soon. A refused request has sent its parameters too.

        ``bodies`` are given where those that were written down are cut.
        """
        if seen.operation is None:
            return
        if bodies is not None:
            self._tally(seen.api, seen.operation).count(seen, bodies)
            return
        self.waiting.append(seen)
        if len(self.waiting) > PATIENCE + SOME:
            for _ in range(SOME):
                self._count_oldest()

    def add(self, other: "Coverage") -> None:
        """Count what another has counted, of the same contracts."""
        for (api, _), tally in other.tallies.items():
            self._tally(api, tally.operation).add(tally)
        for seen in other.waiting:
            self.count(seen)

    def of(self, contracts: Iterable[Contract]) -> list[Covered]:
        """Every operation of these contracts."""
        while self.waiting:
            self._count_oldest()
        return [
            _covered(
                contract.name,
                self.tallies.get((contract.name, operation.id)) or Tally(operation),
            )
            for contract in contracts
            for operation in contract.operations.values()
        ]

    def _count_oldest(self) -> None:
        seen = self.waiting.popleft()
        if seen.operation:
            self._tally(seen.api, seen.operation).count(seen)

    def _tally(self, api: str | None, operation: Operation) -> Tally:
        tally = self.tallies.get((api, operation.id))
        if tally is None:
            tally = self.tallies[api, operation.id] = Tally(operation)
        return tally


def _covered(api: str, tally: Tally) -> Covered:
    operation = tally.operation
    answered = {s: operation.documented(s) for s in tally.statuses if s}
    unseen = tally.unseen_values()
    return Covered(
        api,
        operation.id,
        operation.method,
        operation.path,
        tally.statuses.total(),
        tuple(key for key in operation.answers if key in answered.values()),
        tuple(key for key in operation.answers if key not in answered.values()),
        tuple(str(s) for s, key in sorted(answered.items()) if key is None),
        tuple(at for at in tally.parameters if at not in tally.unsent),
        tuple(tally.unsent),
        tuple(value for value in tally.values if value not in unseen),
        tuple(value for value in tally.values if value in unseen),
    )
