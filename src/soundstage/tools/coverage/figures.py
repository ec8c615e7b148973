"""Coverage in figures: what there is, what was seen of it, what is excused and why."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from soundstage.exchange.coverage import OperationCoverage
from soundstage.tools.coverage.exceptions import Exemption
from soundstage.tools.coverage.items import KINDS, OPERATION, CoverageItem, iter_items


@dataclass(frozen=True)
class OperationFigures:
    """One operation: its items by kind, as (seen, of how many)."""

    covered: OperationCoverage
    counts: Mapping[str, tuple[int, int]]
    missing: tuple[CoverageItem, ...]
    excused: tuple[tuple[CoverageItem, str], ...]

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
        return compute_percent(self.seen, self.total)

    @property
    def is_called(self) -> bool:
        """Whether anybody has called it, or need not."""
        return all(item.kind != OPERATION for item in self.missing)


@dataclass(frozen=True)
class ApiFigures:
    """The operations of one API, those first of which most is missing."""

    name: str
    rows: tuple[OperationFigures, ...]

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
        return compute_percent(self.seen, self.total)


@dataclass(frozen=True)
class Figures:
    """All of a report.

    ``left_out`` are APIs that nobody called or chose. ``stale`` are exceptions that are
    for nothing in the contracts, ``needless`` those for what was seen after all.
    """

    apis: tuple[ApiFigures, ...]
    omitted: tuple[str, ...] = ()
    stale: tuple[Exemption, ...] = ()
    needless: tuple[Exemption, ...] = ()

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
        return compute_percent(self.seen, self.total) if self.apis else 0.0

    @property
    def excused(self) -> int:
        """Items that are excused."""
        return sum(len(row.excused) for api in self.apis for row in api.rows)


def compute_percent(seen: int, total: int) -> float:
    """To a tenth, rounded down, so that 100 is all of it."""
    return seen * 1000 // total / 10 if total else 100.0


def compute_figures(
    operations: Sequence[OperationCoverage],
    selected_apis: Iterable[str] = (),
    exemptions: Sequence[Exemption] = (),
) -> Figures:
    """The figures of the chosen APIs; if none is, of those that anybody called.

    Where nobody called any, all count. Raises ``ValueError`` for an API that is none of
    them.
    """
    there = list(dict.fromkeys(one.api for one in operations))
    called = {one.api for one in operations if one.calls}
    names = (
        [*dict.fromkeys(selected_apis)] or [n for n in there if n in called] or there
    )
    for name in names:
        if name not in there:
            msg = f"there is no coverage of {name!r}, only of {', '.join(there)}"
            raise ValueError(msg)
    used = _ExemptionUsage(exemptions)
    apis = tuple(
        ApiFigures(name, tuple(_build_rows(operations, name, used)))
        for name in sorted(names)
    )
    judged = [
        e
        for e in exemptions
        if any(map(e.matches_api, names)) or not any(map(e.matches_api, there))
    ]
    return Figures(
        apis,
        tuple(name for name in there if name not in names),
        tuple(e for e in judged if e not in used.matched),
        tuple(e for e in judged if e in used.matched and e not in used.needed),
    )


def find_shortcomings(figures: Figures, minimum: float | None) -> list[str]:
    """What is wrong with figures of which at least so many percent are asked."""
    wrong = []
    if minimum is not None and figures.percent < minimum:
        wrong.append(
            f"{figures.percent:.1f} % is less than the {minimum:g} % asked for"
        )
    if figures.stale:
        wrong.append(f"exceptions that are for nothing: {len(figures.stale)}")
    return wrong


class _ExemptionUsage:
    """The exceptions, with those that met an item, and that one was needed for."""

    def __init__(self, exemptions: Sequence[Exemption]) -> None:
        self._exemptions = exemptions
        self.matched: set[Exemption] = set()
        self.needed: set[Exemption] = set()

    def find_reason(
        self, operation: OperationCoverage, item: CoverageItem, *, seen: bool
    ) -> str | None:
        fitting = [
            e
            for e in self._exemptions
            if e.matches(operation.api, operation.operation, item)
        ]
        self.matched.update(fitting)
        if seen or not fitting:
            return None
        self.needed.update(fitting)
        return fitting[0].reason


def _build_rows(
    operations: Iterable[OperationCoverage], api: str, usage: _ExemptionUsage
) -> list[OperationFigures]:
    rows = [_build_row(one, usage) for one in operations if one.api == api]
    return sorted(rows, key=lambda r: (r.percent, -len(r.missing), r.covered.operation))


def _build_row(
    operation: OperationCoverage, usage: _ExemptionUsage
) -> OperationFigures:
    counts = dict.fromkeys(KINDS, (0, 0))
    missing, excused = [], []
    for item, seen in iter_items(operation):
        reason = usage.find_reason(operation, item, seen=seen)
        if reason is not None:
            excused.append((item, reason))
            continue
        before, total = counts[item.kind]
        counts[item.kind] = (before + seen, total + 1)
        if not seen:
            missing.append(item)
    return OperationFigures(operation, counts, tuple(missing), tuple(excused))


def group_items(items: Iterable[CoverageItem]) -> Iterator[tuple[str, str, list[str]]]:
    """Items by kind and place: (kind, place, values); statuses together, and so on."""
    groups: dict[tuple[str, str], list[str]] = {}
    for item in items:
        place = item.name if item.value else ""
        groups.setdefault((item.kind, place), []).append(item.value or item.name)
    for (kind, place), names in groups.items():
        yield kind, place, names
