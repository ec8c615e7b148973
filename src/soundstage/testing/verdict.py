"""Which violations there were, and which of them a test expected."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from soundstage.server.journal.entry import Entry


@dataclass(frozen=True, slots=True)
class Found:
    """A violation, and the exchange that it was found in.

    ``location`` is as people write it (``query.itemsPerPage``), ``rule`` the keyword of
    the schema, or of the request, that was broken.
    """

    api: str | None
    operation: str | None
    request: str
    status: int | None
    location: str
    rule: str
    message: str
    key: tuple[int, int, int] = field(repr=False)

    def __str__(self) -> str:
        head = f"{self.operation or 'no operation'} ({self.request})"
        return f"{head}: {self.location}: {self.message} [{self.rule}]"


class UnexpectedViolation(AssertionError):
    """Contracts were broken and nobody said that they would be; ``found`` has all."""

    def __init__(self, found: tuple[Found, ...]) -> None:
        lines = "".join(f"\n  {one}" for one in found)
        super().__init__(f"the contract was broken {_times(len(found))}:{lines}")
        self.found = found


class Verdict:
    """Judges a world by its journal: ``entries`` gives those that broke a contract."""

    def __init__(self, entries: Callable[[], list[Entry]], *, fatal: bool) -> None:
        self._entries = entries
        self._fatal = fatal
        self._settled: set[tuple[int, int, int]] = set()

    def found(self) -> list[Found]:
        """Every violation, in order."""
        return list(_found(self._entries()))

    def check(self) -> None:
        """Raise ``UnexpectedViolation`` for those that were not expected, once."""
        new = tuple(one for one in self.found() if one.key not in self._settled)
        self._settled |= {one.key for one in new}
        if new and self._fatal:
            raise UnexpectedViolation(new)

    @contextmanager
    def expecting(self, operation: str | None, rule: str | None) -> Iterator[None]:
        """Settle what the block breaks; raises ``AssertionError`` for nothing."""
        before = {one.key for one in self.found()}
        yield
        new = [one for one in self.found() if one.key not in before]
        settled = {
            one.key
            for one in new
            if operation in (None, one.operation) and rule in (None, one.rule)
        }
        if not settled:
            wanted = " ".join(filter(None, ("a violation", _of(operation, rule))))
            lines = "".join(f"\n  {one}" for one in new) or " nothing"
            raise AssertionError(f"expected {wanted}; what was broken:{lines}")
        self._settled |= settled


def is_fatal(violations: str) -> bool:
    """Whether violations fail a test. Raises ``ValueError``."""
    if violations not in {"fail", "allow"}:
        msg = f"violations is 'fail' or 'allow', not {violations!r}"
        raise ValueError(msg)
    return violations == "fail"


def _found(entries: Iterable[Entry]) -> Iterator[Found]:
    for entry in entries:
        for index, violation in enumerate(entry.violations):
            yield Found(
                api=entry.api,
                operation=entry.operation,
                request=f"{entry.method} {entry.path}",
                status=entry.status,
                location=violation.location,
                rule=violation.rule,
                message=violation.message,
                # A journal that was cleared counts from 1 again.
                key=(entry.wall, entry.number, index),
            )


def _of(operation: str | None, rule: str | None) -> str:
    parts = (rule and f"of the rule {rule!r}", operation and f"in {operation!r}")
    return " ".join(filter(None, parts))


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
