"""Figures: the median of repeats with its spread, and targets."""

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """``spread`` is half the distance between the minimum and the maximum."""

    median: float
    spread: float
    repeats: int

    def __str__(self) -> str:
        spread = f" ±{format_number(self.spread)}" if self.repeats > 1 else ""
        return format_number(self.median) + spread


def summarize(values: Iterable[float]) -> Figure:
    """Summarize repeats of one measurement."""
    found = list(values)
    spread = (max(found) - min(found)) / 2
    return Figure(statistics.median(found), spread, len(found))


def summarize_ratios(ours: Iterable[float], theirs: Iterable[float]) -> Figure:
    """Summarize the ratios of repeats that were measured in turns."""
    return summarize(a / b for a, b in zip(ours, theirs, strict=True))


def format_number(number: float) -> str:
    """Format a number with three significant digits."""
    if number >= 1000:
        return f"{number:,.0f}"
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:.{digits}f}"


@dataclass(frozen=True, slots=True)
class Result:
    """A figure with its target: a minimum or a maximum."""

    name: str
    figure: Figure
    unit: str
    minimum: float | None = None
    maximum: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the median is within the target."""
        value = self.figure.median
        return (self.minimum is None or value >= self.minimum) and (
            self.maximum is None or value <= self.maximum
        )

    def as_row(self) -> tuple[str, str, str, str]:
        """Name, target, figure, and whether the target is met."""
        sign, bound = ("≥", self.minimum) if self.minimum is not None else ("≤", self.maximum)
        target = f"{sign} {bound:g} {self.unit}".strip() if bound is not None else ""
        met = "" if bound is None else "yes" if self.is_met else "**no**"
        return self.name, target, f"{self.figure} {self.unit}".strip(), met

    def as_json(self) -> dict[str, object]:
        """The result as a JSON object."""
        return {**asdict(self), "met": self.is_met}
