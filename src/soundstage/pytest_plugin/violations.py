"""Contract violations in the journal, and the ones that a test expects."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from soundstage.exchange.exchange import JournalEntry


@dataclass(frozen=True, slots=True)
class FoundViolation:
    """A violation and the exchange that it was found in.

    ``location`` is a path such as ``query.itemsPerPage``, ``rule`` the violated keyword
    of the schema or rule of the request.
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
    """Clients violated a contract and no test expected it; ``found`` has them all."""

    def __init__(self, found: tuple[FoundViolation, ...]) -> None:
        lines = "".join(f"\n  {violation}" for violation in found)
        times = "once" if len(found) == 1 else f"{len(found)} times"
        super().__init__(f"the contract was broken {times}:{lines}")
        self.found = found


class ViolationTracker:
    """Tracks which violations of a world were expected or reported already.

    ``entries`` returns the journal entries with violations.
    """

    def __init__(self, entries: Callable[[], list[JournalEntry]], *, is_fatal: bool) -> None:
        self._entries = entries
        self._is_fatal = is_fatal
        self._handled: set[tuple[int, int, int]] = set()

    def list_violations(self) -> list[FoundViolation]:
        """List all violations, earliest first."""
        return list(_iter_violations(self._entries()))

    def check(self) -> None:
        """Raise ``UnexpectedViolation`` for new violations; each is raised once."""
        new = self._list_except(self._handled)
        self._handled |= {violation.key for violation in new}
        if new and self._is_fatal:
            raise UnexpectedViolation(tuple(new))

    @contextmanager
    def expect(self, operation: str | None, rule: str | None) -> Iterator[None]:
        """Accept matching violations of the ``with`` block.

        Raises ``AssertionError`` if there is none.
        """
        before = {violation.key for violation in self.list_violations()}
        yield
        new = self._list_except(before)
        expected = {
            violation.key
            for violation in new
            if operation in (None, violation.operation) and rule in (None, violation.rule)
        }
        if not expected:
            lines = "".join(f"\n  {violation}" for violation in new) or " nothing"
            description = _describe_expected(operation, rule)
            raise AssertionError(f"expected {description}; what was broken:{lines}")
        self._handled |= expected

    def _list_except(self, keys: set[tuple[int, int, int]]) -> list[FoundViolation]:
        return [one for one in self.list_violations() if one.key not in keys]


def is_fatal(violations: str) -> bool:
    """Whether this option makes violations fail a test. Raises ``ValueError``.

    >>> is_fatal("fail"), is_fatal("allow")
    (True, False)
    """
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
                # The number alone is not unique: a cleared journal starts at 1 again.
                key=(entry.wall_time, entry.number, index),
            )


def _describe_expected(operation: str | None, rule: str | None) -> str:
    of_rule = f" of the rule {rule!r}" if rule else ""
    in_operation = f" in {operation!r}" if operation else ""
    return f"a violation{of_rule}{in_operation}"
