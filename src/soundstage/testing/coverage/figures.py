"""Coverage in figures: what there is, what was seen of it, what is excused and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from soundstage.server.journal.coverage import Covered
from soundstage.testing.coverage.exceptions import Except
from soundstage.testing.coverage.item import KINDS, OPERATION, Item, items_of


@dataclass(frozen=True)
class Row:
    """One operation: its items by kind, as (seen, of how many)."""

    covered: Covered
    counts: Mapping[str, tuple[int, int]]
    missing: tuple[Item, ...]
    excused: tuple[tuple[Item, str], ...]

    @cached_property
    def seen(self) -> int:
        """Items that were seen."""
        return sum(seen for seen, _ in self.counts.values())

    @cached_property
    def total(self) -> int:
        """Items that are not excused."""
        return sum(total for _, total in self.counts.values())

    @property
    def percent(self) -> float:
        """Of 100; only where nothing is missing it is that."""
        return percent(self.seen, self.total)

    @property
    def is_called(self) -> bool:
        """Whether anybody has called it, or need not."""
        return all(item.kind != OPERATION for item in self.missing)


@dataclass(frozen=True)
class ApiFigures:
    """The operations of one API, those first of which most is missing."""

    name: str
    rows: tuple[Row, ...]

    @property
    def seen(self) -> int:
        """Items that were seen."""
        return sum(row.seen for row in self.rows)

    @property
    def total(self) -> int:
        """Items that are not excused."""
        return sum(row.total for row in self.rows)

    @property
    def percent(self) -> float:
        """As a row has it."""
        return percent(self.seen, self.total)


@dataclass(frozen=True)
class Figures:
    """All of a report.

    ``left_out`` are APIs that nobody called or chose. ``stale`` are exceptions that are
    for nothing in the contracts, ``needless`` those for what was seen after all.
    """

    apis: tuple[ApiFigures, ...]
    left_out: tuple[str, ...] = ()
    stale: tuple[Except, ...] = ()
    needless: tuple[Except, ...] = ()

    @property
    def seen(self) -> int:
        """Items that were seen."""
        return sum(api.seen for api in self.apis)

    @property
    def total(self) -> int:
        """Items that are not excused."""
        return sum(api.total for api in self.apis)

    @property
    def percent(self) -> float:
        """As a row has it; of nothing at all it is nothing."""
        return percent(self.seen, self.total) if self.apis else 0.0

    @property
    def excused(self) -> int:
        """Items that are excused."""
        return sum(len(row.excused) for api in self.apis for row in api.rows)


def percent(seen: int, total: int) -> float:
    """To a tenth, rounded down, so that 100 is all of it."""
    return seen * 1000 // total / 10 if total else 100.0


def figures_of(
    covered: Sequence[Covered],
    chosen: Iterable[str] = (),
    exceptions: Sequence[Except] = (),
) -> Figures:
    """The figures of the chosen APIs; if none is, of those that anybody called.

    Where nobody called any, all count. Raises ``ValueError`` for an API that is none of
    them.
    """
    there = list(dict.fromkeys(one.api for one in covered))
    called = {one.api for one in covered if one.calls}
    names = [*dict.fromkeys(chosen)] or [n for n in there if n in called] or there
    for name in names:
        if name not in there:
            msg = f"there is no coverage of {name!r}, only of {', '.join(there)}"
            raise ValueError(msg)
    used = _Used(exceptions)
    apis = tuple(
        ApiFigures(name, tuple(_rows(covered, name, used))) for name in sorted(names)
    )
    judged = [
        e
        for e in exceptions
        if any(map(e.is_of, names)) or not any(map(e.is_of, there))
    ]
    return Figures(
        apis,
        tuple(name for name in there if name not in names),
        tuple(e for e in judged if e not in used.met),
        tuple(e for e in judged if e in used.met and e not in used.needed),
    )


def shortcomings(figures: Figures, least: float | None) -> list[str]:
    """What is wrong with figures of which at least so many percent are asked."""
    wrong = []
    if least is not None and figures.percent < least:
        wrong.append(f"{figures.percent:.1f} % is less than the {least:g} % asked for")
    if figures.stale:
        wrong.append(f"exceptions that are for nothing: {len(figures.stale)}")
    return wrong


class _Used:
    """The exceptions, with those that met an item, and that one was needed for."""

    def __init__(self, exceptions: Sequence[Except]) -> None:
        self._exceptions = exceptions
        self.met: set[Except] = set()
        self.needed: set[Except] = set()

    def reason(self, covered: Covered, item: Item, *, seen: bool) -> str | None:
        fitting = [
            e
            for e in self._exceptions
            if e.excuses(covered.api, covered.operation, item)
        ]
        self.met.update(fitting)
        if seen or not fitting:
            return None
        self.needed.update(fitting)
        return fitting[0].reason


def _rows(covered: Iterable[Covered], api: str, used: _Used) -> list[Row]:
    rows = [_row(one, used) for one in covered if one.api == api]
    return sorted(rows, key=lambda r: (r.percent, -len(r.missing), r.covered.operation))


def _row(covered: Covered, used: _Used) -> Row:
    counts = dict.fromkeys(KINDS, (0, 0))
    missing, excused = [], []
    for item, seen in items_of(covered):
        reason = used.reason(covered, item, seen=seen)
        if reason is not None:
            excused.append((item, reason))
            continue
        before, total = counts[item.kind]
        counts[item.kind] = (before + seen, total + 1)
        if not seen:
            missing.append(item)
    return Row(covered, counts, tuple(missing), tuple(excused))


def gathered(items: Iterable[Item]) -> Iterator[tuple[str, str, list[str]]]:
    """Items by kind and place: (kind, place, values); statuses together, and so on."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in items:
        place = item.name if item.text else ""
        groups.setdefault((item.kind, place), []).append(item.text or item.name)
    for (kind, place), names in groups.items():
        yield kind, place, names
