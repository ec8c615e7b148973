"""A figure: the median of repeats, with its spread; a target that it is held to."""

import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """``spread`` is half of the distance between the least and the greatest repeat."""

    median: float
    spread: float
    repeats: int

    def __str__(self) -> str:
        spread = f" ±{short(self.spread)}" if self.repeats > 1 else ""
        return short(self.median) + spread


def figure(values: Iterable[float]) -> Figure:
    """Of repeats of the same."""
    found = list(values)
    spread = (max(found) - min(found)) / 2
    return Figure(statistics.median(found), spread, len(found))


def ratio(ours: Iterable[float], theirs: Iterable[float]) -> Figure:
    """Of repeats that were made in turns: each by the one beside it."""
    return figure(a / b for a, b in zip(ours, theirs, strict=True))


def short(number: float) -> str:
    """Three digits that say something."""
    if number >= 1000:
        return f"{number:,.0f}"
    digits = 0 if number >= 100 else 1 if number >= 10 else 2
    return f"{number:.{digits}f}"


@dataclass(frozen=True, slots=True)
class Held:
    """A figure beside what it should be: at least, or at most."""

    what: str
    figure: Figure
    unit: str
    least: float | None = None
    most: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the median is within the target."""
        value = self.figure.median
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )

    def as_row(self) -> tuple[str, str, str, str]:
        """What, target, figure, and whether that is met."""
        sign, bound = ("≥", self.least) if self.least is not None else ("≤", self.most)
        target = f"{sign} {bound:g} {self.unit}".strip() if bound is not None else ""
        met = "" if bound is None else "yes" if self.is_met else "**no**"
        return self.what, target, f"{self.figure} {self.unit}".strip(), met

    def as_json(self) -> dict[str, object]:
        """The same for machines."""
        return {**asdict(self), "met": self.is_met}
