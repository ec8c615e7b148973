"""Coverage figures: items in total, covered, missing, and excused with a reason."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from soundstage.exchange.coverage import OperationCoverage
from soundstage.tools.coverage.exceptions import Exemption
from soundstage.tools.coverage.items import KINDS, OPERATION, CoverageItem, iter_items


@dataclass(frozen=True)
class OperationFigures:
    """Figures of one operation.

    ``counts`` has (covered, total) for each kind of item. Exempt items count in
    neither.
    """

    operation: OperationCoverage
    counts: Mapping[str, tuple[int, int]]
    missing: tuple[CoverageItem, ...]
    excused: tuple[tuple[CoverageItem, str], ...]

    @cached_property
    def covered(self) -> int:
        """Number of covered items."""
        return sum(covered for covered, _ in self.counts.values())

    @cached_property
    def total(self) -> int:
        """Number of items that are not excused."""
        return sum(total for _, total in self.counts.values())

    @property
    def percent(self) -> float:
        """Percentage of covered items; 100 only if none is missing."""
        return compute_percent(self.covered, self.total)

    @property
    def is_called(self) -> bool:
        """Whether the operation was called, or is excused from it."""
        return all(item.kind != OPERATION for item in self.missing)


@dataclass(frozen=True)
class ApiFigures:
    """Figures of one API; its operations with the lowest percentage come first."""

    name: str
    operations: tuple[OperationFigures, ...]

    @property
    def covered(self) -> int:
        """Number of covered items."""
        return sum(operation.covered for operation in self.operations)

    @property
    def total(self) -> int:
        """Number of items that are not excused."""
        return sum(operation.total for operation in self.operations)

    @property
    def percent(self) -> float:
        """Percentage of covered items."""
        return compute_percent(self.covered, self.total)


@dataclass(frozen=True)
class Figures:
    """Figures of a report.

    ``omitted`` are the APIs that were neither called nor selected. ``stale`` exemptions
    match no item of the contracts, ``needless`` ones only covered items.
    """

    apis: tuple[ApiFigures, ...]
    omitted: tuple[str, ...] = ()
    stale: tuple[Exemption, ...] = ()
    needless: tuple[Exemption, ...] = ()

    @property
    def covered(self) -> int:
        """Number of covered items."""
        return sum(api.covered for api in self.apis)

    @property
    def total(self) -> int:
        """Number of items that are not excused."""
        return sum(api.total for api in self.apis)

    @property
    def percent(self) -> float:
        """Percentage of covered items; 0 without APIs, so that a threshold fails."""
        return compute_percent(self.covered, self.total) if self.apis else 0.0

    @property
    def excused(self) -> int:
        """Number of excused items."""
        return sum(len(one.excused) for api in self.apis for one in api.operations)


def compute_percent(covered: int, total: int) -> float:
    """Return a percentage rounded down to a tenth, so that only all items are 100.

    >>> compute_percent(9999, 10000)
    99.9
    """
    return covered * 1000 // total / 10 if total else 100.0


def compute_figures(
    operations: Sequence[OperationCoverage],
    selected_apis: Iterable[str] = (),
    exemptions: Sequence[Exemption] = (),
) -> Figures:
    """Compute the figures of the selected APIs, by default of the called ones.

    If none was called, all APIs count. Raises ``ValueError`` for an API without
    operations.
    """
    known = list(dict.fromkeys(one.api for one in operations))
    called = {one.api for one in operations if one.calls}
    selected = [*dict.fromkeys(selected_apis)]
    names = selected or [name for name in known if name in called] or known
    for name in names:
        if name not in known:
            msg = f"there is no coverage of {name!r}, only of {', '.join(known)}"
            raise ValueError(msg)
    usage = _ExemptionUsage(exemptions)
    apis = tuple(
        ApiFigures(name, _compute_operations(operations, name, usage)) for name in sorted(names)
    )
    # An exemption of an API that is omitted is not known to be stale.
    checked = [
        exemption
        for exemption in exemptions
        if any(map(exemption.matches_api, names)) or not any(map(exemption.matches_api, known))
    ]
    return Figures(
        apis,
        omitted=tuple(name for name in known if name not in names),
        stale=tuple(e for e in checked if e not in usage.matched),
        needless=tuple(e for e in checked if e in usage.matched - usage.needed),
    )


def find_shortcomings(figures: Figures, minimum: float | None) -> list[str]:
    """List why figures fail: a percentage below the minimum, stale exemptions."""
    messages = []
    if minimum is not None and figures.percent < minimum:
        messages.append(f"{figures.percent:.1f} % is less than the {minimum:g} % required")
    if figures.stale:
        messages.append(f"exceptions that match nothing: {len(figures.stale)}")
    return messages


class _ExemptionUsage:
    """Records the exemptions that matched an item, and the ones that were needed."""

    def __init__(self, exemptions: Sequence[Exemption]) -> None:
        self._exemptions = exemptions
        self.matched: set[Exemption] = set()
        self.needed: set[Exemption] = set()

    def find_reason(
        self, operation: OperationCoverage, item: CoverageItem, *, is_covered: bool
    ) -> str | None:
        """Return the reason of the first exemption of an item that is not covered."""
        matched = [
            exemption
            for exemption in self._exemptions
            if exemption.matches(operation.api, operation.operation, item)
        ]
        self.matched.update(matched)
        if is_covered or not matched:
            return None
        self.needed.update(matched)
        return matched[0].reason


def _compute_operations(
    operations: Iterable[OperationCoverage], api: str, usage: _ExemptionUsage
) -> tuple[OperationFigures, ...]:
    figures = [_compute_operation(one, usage) for one in operations if one.api == api]
    figures.sort(key=lambda f: (f.percent, -len(f.missing), f.operation.operation))
    return tuple(figures)


def _compute_operation(operation: OperationCoverage, usage: _ExemptionUsage) -> OperationFigures:
    counts = dict.fromkeys(KINDS, (0, 0))
    missing, excused = [], []
    for item, is_covered in iter_items(operation):
        reason = usage.find_reason(operation, item, is_covered=is_covered)
        if reason is not None:
            excused.append((item, reason))
            continue
        covered, total = counts[item.kind]
        counts[item.kind] = (covered + is_covered, total + 1)
        if not is_covered:
            missing.append(item)
    return OperationFigures(operation, counts, tuple(missing), tuple(excused))


def group_items(items: Iterable[CoverageItem]) -> Iterator[tuple[str, str, list[str]]]:
    """Group items by kind and location: (kind, location, names or values).

    Items without a value, such as statuses, form one group per kind.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for item in items:
        location = item.name if item.value else ""
        groups.setdefault((item.kind, location), []).append(item.value or item.name)
    for (kind, location), names in groups.items():
        yield kind, location, names
