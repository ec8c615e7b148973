"""Which violations there were, and which of them a test expected."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from soundstage.exchange.exchange import JournalEntry


@dataclass(frozen=True, slots=True)
class FoundViolation:
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

    def __init__(self, found: tuple[FoundViolation, ...]) -> None:
        lines = "".join(f"\n  {one}" for one in found)
        super().__init__(f"the contract was broken {_format_count(len(found))}:{lines}")
        self.found = found


class ViolationTracker:
    """Judges a world by its journal: ``entries`` gives those that broke a contract."""

    def __init__(
        self, entries: Callable[[], list[JournalEntry]], *, is_fatal: bool
    ) -> None:
        self._entries = entries
        self._is_fatal = is_fatal
        self._handled: set[tuple[int, int, int]] = set()

    def list_violations(self) -> list[FoundViolation]:
        """Every violation, in order."""
        return list(_iter_violations(self._entries()))

    def check(self) -> None:
        """Raise ``UnexpectedViolation`` for those that were not expected, once."""
        new = tuple(
            one for one in self.list_violations() if one.key not in self._handled
        )
        self._handled |= {one.key for one in new}
        if new and self._is_fatal:
            raise UnexpectedViolation(new)

    @contextmanager
    def expect(self, operation: str | None, rule: str | None) -> Iterator[None]:
        """Settle what the block breaks; raises ``AssertionError`` for nothing."""
        before = {one.key for one in self.list_violations()}
        yield
        new = [one for one in self.list_violations() if one.key not in before]
        settled = {
            one.key
            for one in new
            if operation in (None, one.operation) and rule in (None, one.rule)
        }
        if not settled:
            wanted = " ".join(
                filter(None, ("a violation", _format_filter(operation, rule)))
            )
            lines = "".join(f"\n  {one}" for one in new) or " nothing"
            raise AssertionError(f"expected {wanted}; what was broken:{lines}")
        self._handled |= settled


def is_fatal(violations: str) -> bool:
    """Whether violations fail a test. Raises ``ValueError``."""
    if violations not in {"fail", "allow"}:
        msg = f"violations is 'fail' or 'allow', not {violations!r}"
        raise ValueError(msg)
    return violations == "fail"


def _iter_violations(entries: Iterable[JournalEntry]) -> Iterator[FoundViolation]:
    for entry in entries:
        for index, violation in enumerate(entry.violations):
            yield FoundViolation(
                api=entry.api,
                operation=entry.operation,
                request=f"{entry.method} {entry.path}",
                status=entry.status,
                location=violation.display_path,
                rule=violation.rule,
                message=violation.message,
                # A journal that was cleared counts from 1 again.
                key=(entry.wall_time, entry.number, index),
            )


def _format_filter(operation: str | None, rule: str | None) -> str:
    parts = (rule and f"of the rule {rule!r}", operation and f"in {operation!r}")
    return " ".join(filter(None, parts))


def _format_count(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
