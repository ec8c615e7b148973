"""What came of a campaign, counted as it goes."""

from collections import Counter
from dataclasses import dataclass, field

from soundstage.types import Document


@dataclass(slots=True)
class Failure:
    """A check that failed for an operation: how often, and the shortest example."""

    operation: str
    check: str
    title: str
    count: int = 0
    example: Document = field(default_factory=dict)

    def add(self, event: Document) -> None:
        """Another case of it."""
        self.count += 1
        if not self.example or _length(event) < _length(self.example):
            self.example = event


@dataclass(slots=True)
class Tally:
    """Counts by operation and by check. ``reason`` is why the campaign ended.

    ``refused`` are valid requests that the API refused for what they were about.
    """

    cases: Counter[str] = field(default_factory=Counter)
    good: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    failures: dict[tuple[str, str, str], Failure] = field(default_factory=dict)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    phase: str = "loading"
    reason: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing was found, and the end was one that somebody wanted."""
        wanted = self.reason in {"", "completed", "interrupted"}
        return wanted and not self.failures and not self.errors

    @property
    def complete(self) -> bool:
        """Whether it came to its end."""
        return self.reason == "completed"

    def add(self, event: Document) -> None:
        """Count what ``campaign.inside`` told."""
        match event["event"]:
            case "phase":
                self.phase = event["phase"]
            case "tested":
                self.cases.update(event["cases"])
                self.good.update(event["good"])
                self.checks.update(event["checks"])
            case "failure":
                key = (event["operation"], event["check"], event["title"])
                self.failures.setdefault(key, Failure(*key)).add(event)
            case "refused":
                self.refused[event["operation"]] += 1
            case "error":
                self.errors[event["where"], event["message"]] += 1
            case "finished":
                self.reason = event["reason"]

    def failed(self, operation: str) -> int:
        """How many kinds of failures an operation has."""
        return sum(failure.operation == operation for failure in self.failures.values())


def _length(event: Document) -> int:
    return sum(map(len, event["curl"]))
