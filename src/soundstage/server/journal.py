"""The journal of a world: its last exchanges, and their coverage of the contracts.

An exchange is recorded as references to objects that the server has anyway. It is
decoded and redacted when it is read.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from soundstage.exchange.coverage import Coverage, ParsedBodies
from soundstage.exchange.exchange import JournalEntry, RawExchange, redact_exchange
from soundstage.exchange.redaction import Redactor

MAX_EXCHANGES = 1_000
"""Exchanges that a journal stores; the oldest are dropped first."""


class Journal:
    """The last exchanges of one world, and their coverage.

    ``redactors`` are those of each API (None: of unrouted requests); ``on_clear`` is
    called with the coverage before it is reset.
    """

    def __init__(
        self,
        redactors: Mapping[str | None, Redactor],
        max_exchanges: int = MAX_EXCHANGES,
        on_clear: Callable[[Coverage], None] | None = None,
    ) -> None:
        self._redactors = redactors
        self._on_clear = on_clear
        self._exchanges: deque[RawExchange] = deque(maxlen=max_exchanges)
        # Separate, so that early violations are not dropped for later exchanges.
        self._violating: deque[tuple[int, RawExchange]] = deque(maxlen=max_exchanges)
        self._count = 0
        self.coverage = Coverage()

    def record(self, exchange: RawExchange, bodies: ParsedBodies | None = None) -> None:
        """Record one exchange; parsed ``bodies`` are counted, but not stored."""
        self._count += 1
        self._exchanges.append(exchange)
        if exchange.violations:
            self._violating.append((self._count, exchange))
        self.coverage.count(exchange, bodies)

    def clear(self) -> None:
        """Remove all exchanges; the next one is number 1."""
        self._exchanges.clear()
        self._violating.clear()
        self._count = 0
        # The coverage of a run of tests outlives the journals of its worlds.
        if self._on_clear:
            self._on_clear(self.coverage)
        self.coverage = Coverage()

    def entries(  # noqa: PLR0913 - each has a default and is named
        self,
        *,
        api: str | None = None,
        operation: str | None = None,
        status: int | str | None = None,
        since: int | None = None,
        until: int | None = None,
        only_violations: bool = False,
    ) -> list[JournalEntry]:
        """Return the exchanges that meet all conditions, the earliest first.

        ``status`` is a number or a class such as ``"4XX"``; ``since`` and ``until`` are
        timestamps of virtual time, both inclusive; ``only_violations`` selects those
        that violate a contract.
        """
        numbered = self._violating if only_violations else self._numbered()
        return [
            redact_exchange(number, exchange, self._redactors[exchange.api])
            for number, exchange in numbered
            if (api is None or exchange.api == api)
            and (operation is None or _is_operation(exchange, operation))
            and (status is None or _matches_status(exchange, str(status)))
            and (since is None or exchange.timestamp >= since)
            and (until is None or exchange.timestamp <= until)
        ]

    def _numbered(self) -> Iterable[tuple[int, RawExchange]]:
        return enumerate(self._exchanges, self._count - len(self._exchanges) + 1)


def _is_operation(exchange: RawExchange, operation: str) -> bool:
    return exchange.operation is not None and exchange.operation.id == operation


def _matches_status(exchange: RawExchange, pattern: str) -> bool:
    text = str(exchange.status)
    return text == pattern or f"{text[0]}XX" == pattern.upper()
