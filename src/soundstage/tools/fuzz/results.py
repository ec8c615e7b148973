"""Results of a campaign, counted while its events arrive."""

from collections import Counter
from dataclasses import dataclass, field

from soundstage.types import JsonObject


@dataclass(slots=True)
class Failure:
    """A check that failed for an operation: its count and the shortest example."""

    operation: str
    check: str
    title: str
    count: int = 0
    example: JsonObject = field(default_factory=dict)

    def add(self, event: JsonObject) -> None:
        """Count another case, and keep its example if it is shorter."""
        self.count += 1
        if not self.example or _example_length(event) < _example_length(self.example):
            self.example = event


@dataclass(slots=True)
class FuzzResults:
    """Counts by operation label and by check.

    ``rejected`` counts valid requests that a mock rejected because of its state (for
    example 404 or 409). ``stop_reason`` is empty while the campaign runs.

    >>> results = FuzzResults()
    >>> results.add({"event": "finished", "reason": "completed"})
    >>> results.is_ok, results.is_complete
    (True, True)
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
        """Whether there are no failures or errors, and the end was a regular one."""
        is_regular_end = self.stop_reason in {"", "completed", "interrupted"}
        return is_regular_end and not self.failures and not self.errors

    @property
    def is_complete(self) -> bool:
        """Whether the campaign ran to completion."""
        return self.stop_reason == "completed"

    def add(self, event: JsonObject) -> None:
        """Count an event that ``schemathesis.hooks`` emitted."""
        match event["event"]:
            case "phase":
                self.phase = event["phase"]
            case "tested":
                self.cases.update(event["cases"])
                self.successes.update(event["successes"])
                self.checks.update(event["checks"])
            case "failure":
                key = (event["operation"], event["check"], event["title"])
                self.failures.setdefault(key, Failure(*key)).add(event)
            case "rejected":
                self.rejected[event["operation"]] += 1
            case "error":
                self.errors[event["where"], event["message"]] += 1
            case "finished":
                self.stop_reason = event["reason"]

    def count_failures(self, operation: str) -> int:
        """Count the kinds of failure of an operation."""
        return sum(failure.operation == operation for failure in self.failures.values())


def _example_length(event: JsonObject) -> int:
    return sum(map(len, event["curl"]))
