"""The journal of a world: what was asked of it, and what it answered.

An exchange is written down as references to what the server has in hand anyway. It is
decoded, and its secrets are masked, when it is read.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from soundstage.exchange.coverage import Coverage, ParsedBodies
from soundstage.exchange.exchange import JournalEntry, RawExchange, redact_exchange
from soundstage.exchange.redaction import Redactor

MAX_EXCHANGES = 1_000
"""Exchanges that a journal keeps; the oldest make room."""


class Journal:
    """The last exchanges of one world, and how much of the contracts they covered.

    ``masks`` say what is secret at each API; ``keep`` is given what was covered, before
    it is forgotten here.
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
        # Kept apart, so that what a client broke early on is not lost to what it asks.
        self._violating: deque[tuple[int, RawExchange]] = deque(maxlen=max_exchanges)
        self._count = 0
        self.coverage = Coverage()

    def record(self, exchange: RawExchange, bodies: ParsedBodies | None = None) -> None:
        """Write down one exchange; its ``bodies`` are not kept."""
        self._count += 1
        self._exchanges.append(exchange)
        if exchange.violations:
            self._violating.append((self._count, exchange))
        self.coverage.count(exchange, bodies)

    def clear(self) -> None:
        """Forget everything; the next exchange is number 1."""
        self._exchanges.clear()
        self._violating.clear()
        self._count = 0
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
        """The exchanges of which all of this is true, the earliest first.

        ``status`` is a number or a class such as ``"4XX"``; ``since`` and ``until`` are
        instants of virtual time, both included; ``violating`` asks for those only that
        broke a contract.
        """
        return [
            redact_exchange(number, seen, self._redactors[seen.api])
            for number, seen in (
                self._violating if only_violations else self._numbered()
            )
            if (api is None or seen.api == api)
            and (operation is None or _is_operation(seen, operation))
            and (status is None or _matches_status(seen, str(status)))
            and (since is None or seen.timestamp >= since)
            and (until is None or seen.timestamp <= until)
        ]

    def _numbered(self) -> Iterable[tuple[int, RawExchange]]:
        return enumerate(self._exchanges, self._count - len(self._exchanges) + 1)


def _is_operation(exchange: RawExchange, operation: str) -> bool:
    return exchange.operation is not None and exchange.operation.id == operation


def _matches_status(exchange: RawExchange, pattern: str) -> bool:
    text = str(exchange.status)
    return text == pattern or f"{text[0]}XX" == pattern.upper()
