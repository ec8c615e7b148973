"""How much of the contracts the exchanges of a world have covered.

It is counted as exchanges come by, so that it knows of those too that a bounded journal
has forgotten.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from soundstage.contract.contract import Contract
from soundstage.contract.operation import Operation
from soundstage.contract.parameter import Parameter, query_of
from soundstage.contract.security import Headers, cookies_of
from soundstage.server.journal.entry import Seen


@dataclass(frozen=True, slots=True)
class Covered:
    """One operation. Statuses are as the contract has them, parameters as places.

    ``undocumented`` are statuses that were answered and stand in no contract.
    """

    api: str
    operation: str
    calls: int
    statuses: tuple[str, ...]
    unseen_statuses: tuple[str, ...]
    undocumented: tuple[str, ...]
    parameters: tuple[str, ...]
    unseen_parameters: tuple[str, ...]


@dataclass(slots=True)
class _Tally:
    unseen: list[Parameter]
    statuses: Counter[int | None] = field(default_factory=Counter)

    def count(self, seen: Seen) -> None:
        self.statuses[seen.status] += 1
        if self.unseen:
            self.unseen = _still_unseen(self.unseen, seen)


class Coverage:
    """Counts of one world, by operation."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str | None, str], _Tally] = {}

    def count(self, seen: Seen) -> None:
        """Count one exchange. A refused request has sent its parameters too."""
        operation = seen.operation
        if operation is None:
            return
        tally = self._tallies.get((seen.api, operation.id))
        if tally is None:
            tally = _Tally(list(operation.parameters))
            self._tallies[seen.api, operation.id] = tally
        tally.count(seen)

    def of(self, contracts: Iterable[Contract]) -> list[Covered]:
        """Every operation of these contracts."""
        return [
            self._covered(contract.name, operation)
            for contract in contracts
            for operation in contract.operations.values()
        ]

    def _covered(self, api: str, operation: Operation) -> Covered:
        empty = _Tally(list(operation.parameters))
        tally = self._tallies.get((api, operation.id), empty)
        answered = {s: _documented(operation, s) for s in tally.statuses if s}
        unseen = [p for p in operation.parameters if p in tally.unseen]
        return Covered(
            api,
            operation.id,
            tally.statuses.total(),
            tuple(key for key in operation.answers if key in answered.values()),
            tuple(key for key in operation.answers if key not in answered.values()),
            tuple(str(s) for s, key in sorted(answered.items()) if key is None),
            tuple(_place(p) for p in operation.parameters if p not in unseen),
            tuple(map(_place, unseen)),
        )


def _place(parameter: Parameter) -> str:
    return f"{parameter.place}.{parameter.name}"


def _documented(operation: Operation, status: int) -> str | None:
    """Under which key the contract has a status."""
    keys = (str(status), f"{status // 100}XX", "default")
    return next((key for key in keys if key in operation.answers), None)


def _still_unseen(unseen: list[Parameter], seen: Seen) -> list[Parameter]:
    queried = _queried(seen.query, unseen)
    return [p for p in unseen if not _is_sent(p, queried, seen.headers)]


def _is_sent(parameter: Parameter, queried: frozenset[str], headers: Headers) -> bool:
    match parameter.place:
        case "path":
            return True
        case "query" if parameter.deep:
            return any(name.startswith(f"{parameter.name}[") for name in queried)
        case "query":
            return parameter.name in queried
        case "header":
            return parameter.name.lower().encode() in headers
        case _:
            return parameter.name in cookies_of(headers)


def _queried(query: bytes, unseen: list[Parameter]) -> frozenset[str]:
    text = query.decode("latin-1")
    if "%" not in text and not any(parameter.name in text for parameter in unseen):
        return frozenset()  # nothing new; this is most of what is ever asked
    try:
        return frozenset(name for name, _ in query_of(query))
    except UnicodeDecodeError:
        return frozenset()
