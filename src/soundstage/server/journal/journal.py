"""The journal of a world: what was asked of it, and what it answered.

An exchange is written down as references to what the server has in hand anyway. It is
decoded, and its secrets are masked, when it is read.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from soundstage.server.journal.coverage import Bodies, Coverage
from soundstage.server.journal.entry import Entry, Seen, entry_of
from soundstage.server.journal.masking import Mask

BOUND = 1_000
"""Exchanges that a journal keeps; the oldest make room."""


class Journal:
    """The last exchanges of one world, and how much of the contracts they covered.

    ``masks`` say what is secret at each API; ``keep`` is given what was covered, before
    it is forgotten here.
    """

    def __init__(
        self,
        masks: Mapping[str | None, Mask],
        bound: int = BOUND,
        keep: Callable[[Coverage], None] | None = None,
    ) -> None:
        self._masks = masks
        self._keep = keep
        self._seen: deque[Seen] = deque(maxlen=bound)
        # Kept apart, so that what a client broke early on is not lost to what it asks.
        self._violating: deque[tuple[int, Seen]] = deque(maxlen=bound)
        self._count = 0
        self.coverage = Coverage()

    def record(self, seen: Seen, bodies: Bodies | None = None) -> None:
        """Write down one exchange; its ``bodies`` are not kept."""
        self._count += 1
        self._seen.append(seen)
        if seen.violations:
            self._violating.append((self._count, seen))
        self.coverage.count(seen, bodies)

    def clear(self) -> None:
        """Forget everything; the next exchange is number 1."""
        self._seen.clear()
        self._violating.clear()
        self._count = 0
        if self._keep:
            self._keep(self.coverage)
        self.coverage = Coverage()

    def entries(  # noqa: PLR0913 - each has a default and is named
        self,
        *,
        api: str | None = None,
        operation: str | None = None,
        status: int | str | None = None,
        since: int | None = None,
        until: int | None = None,
        violating: bool = False,
    ) -> list[Entry]:
        """The exchanges of which all of this is true, the earliest first.

        ``status`` is a number or a class such as ``"4XX"``; ``since`` and ``until`` are
        instants of virtual time, both included; ``violating`` asks for those only that
        broke a contract.
        """
        return [
            entry_of(number, seen, self._masks[seen.api])
            for number, seen in (self._violating if violating else self._numbered())
            if (api is None or seen.api == api)
            and (operation is None or _is(seen, operation))
            and (status is None or _has_status(seen, str(status)))
            and (since is None or seen.at >= since)
            and (until is None or seen.at <= until)
        ]

    def _numbered(self) -> Iterable[tuple[int, Seen]]:
        return enumerate(self._seen, self._count - len(self._seen) + 1)


def _is(seen: Seen, operation: str) -> bool:
    return seen.operation is not None and seen.operation.id == operation


def _has_status(seen: Seen, wanted: str) -> bool:
    text = str(seen.status)
    return text == wanted or f"{text[0]}XX" == wanted.upper()
