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
        if not self.example or _example_length(event) < _example_length(self.example):
            self.example = event


@dataclass(slots=True)
class FuzzResults:
    """Counts by operation and by check. ``reason`` is why the campaign ended.

    ``refused`` are valid requests that the API refused for what they were about.
    """

    cases: Counter[str] = field(default_factory=Counter)
    successes: Counter[str] = field(default_factory=Counter)
    checks: Counter[str] = field(default_factory=Counter)
    failures: dict[tuple[str, str, str], Failure] = field(default_factory=dict)
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    phase: str = "loading"
    stop_reason: str = ""

    @property
    def is_ok(self) -> bool:
        """Whether nothing was found, and the end was one that somebody wanted."""
        wanted = self.stop_reason in {"", "completed", "interrupted"}
        return wanted and not self.failures and not self.errors

    @property
    def is_complete(self) -> bool:
        """Whether it came to its end."""
        return self.stop_reason == "completed"

    def add(self, event: Document) -> None:
        """Count what ``campaign.inside`` told."""
        match event["event"]:
            case "phase":
                self.phase = event["phase"]
            case "tested":
                self.cases.update(event["cases"])
                self.successes.update(event["good"])
                self.checks.update(event["checks"])
            case "failure":
                key = (event["operation"], event["check"], event["title"])
                self.failures.setdefault(key, Failure(*key)).add(event)
            case "refused":
                self.rejected[event["operation"]] += 1
            case "error":
                self.errors[event["where"], event["message"]] += 1
            case "finished":
                self.stop_reason = event["reason"]

    def count_failures(self, operation: str) -> int:
        """How many kinds of failures an operation has."""
        return sum(failure.operation == operation for failure in self.failures.values())


def _example_length(event: Document) -> int:
    return sum(map(len, event["curl"]))
