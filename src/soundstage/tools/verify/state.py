"""State of a verification, appended to a file (JSON lines), so that it can resume."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.verify.findings import Finding, FindingKey, parse_finding
from soundstage.tools.verify.recordings import MatchedExchange
from soundstage.types import JsonObject

STATE_VERSION = 1


class StateMismatch(Exception):
    """The state file belongs to another verification; the message has a remedy."""


@dataclass(slots=True)
class VerificationState:
    """Findings, and what a resumed verification does not repeat.

    - ``completed``: phases with the labels of operations that completed them.
    - ``cases``, ``successes``: requests by operation label, and those with a 2xx.
    - ``resent_requests``: by hash, the name of a recorded request, and the reason if
      its result is inconclusive.

    Each public method that changes it also appends a line to the file.
    """

    subject: JsonObject = field(default_factory=dict)
    path: Path | None = None
    findings: dict[FindingKey, Finding] = field(default_factory=dict)
    completed: set[tuple[str, str]] = field(default_factory=set)
    cases: Counter[str] = field(default_factory=Counter)
    successes: Counter[str] = field(default_factory=Counter)
    resent_requests: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def add_finding(self, finding: Finding) -> None:
        """Add a finding, or its count to an equal one; the first example is kept."""
        self.append_line(finding=finding.to_json())
        self._add_finding(finding)

    def _add_finding(self, finding: Finding) -> None:
        known = self.findings.setdefault(finding.key, finding)
        if known is not finding:
            known.count += finding.count

    def add_cases(
        self, phase: str, labels: Iterable[str], cases: JsonObject, successes: JsonObject
    ) -> None:
        """Add sent cases, and the operations that completed a phase."""
        completed = sorted({(phase, label) for label in labels} - self.completed)
        if completed or cases:
            self.append_line(done=completed, cases=cases, good=successes)
        self._add_cases(completed, cases, successes)

    def _add_cases(
        self, completed: Iterable[Iterable[str]], cases: JsonObject, successes: JsonObject
    ) -> None:
        for phase, label in completed:
            self.completed.add((phase, label))
        self.cases.update(cases)
        self.successes.update(successes)

    def add_resent(
        self, matched: MatchedExchange, status: int, inconclusive_reason: str | None
    ) -> None:
        """Add a recorded request that was sent."""
        line = {
            "replayed": hash_request(matched.exchange),
            "name": matched.name,
            "label": matched.operation.label,
            "good": 200 <= status < 300,  # noqa: PLR2004 - HTTP
            "why_not": inconclusive_reason,
        }
        self.append_line(**line)
        self.apply_line(line)

    def append_line(self, **line: object) -> None:
        """Append a line to the file, if the state has one."""
        if self.path:
            # Opened for each line, so that an interruption loses one line at most.
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def apply_line(self, line: JsonObject) -> None:
        """Apply a line of the file."""
        match line:
            case {"finding": data}:
                self._add_finding(parse_finding(data))
            case {"done": completed, "cases": cases, "good": successes}:
                self._add_cases(completed, cases, successes)
            case {"replayed": str(key), "name": name, "label": label}:
                self.resent_requests[key] = (name, line["why_not"])
                self.cases[label] += 1
                self.successes[label] += line["good"]


def hash_request(exchange: RecordedExchange) -> str:
    """Hash the method, URL and body of a recorded request."""
    # Headers are left out: they depend on the client.
    parts = (exchange.method, exchange.url, exchange.request_body.hex())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def describe_subject(url: str, document: JsonObject, options: JsonObject) -> JsonObject:
    """Describe what a state is valid for: this server, document and options."""
    text = json.dumps(document, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"version": STATE_VERSION, "url": url, "document": digest, **options}


def open_state(path: Path | None, subject: JsonObject) -> VerificationState:
    """Open the state in a file, or create it. Raises ``StateMismatch``, ``OSError``."""
    state = VerificationState(subject, path)
    if path is None:
        return state
    if not path.exists() or not path.stat().st_size:
        state.append_line(about=subject)
        return state
    first, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    try:
        stored = json.loads(first)["about"]
    except (ValueError, KeyError, TypeError) as error:
        raise StateMismatch(f"{path} is not a state of `soundstage verify`") from error
    if different := sorted(k for k in subject if stored.get(k) != subject[k]):
        names = ", ".join(different)
        message = f"{path} has another {names}; remove it, or use another file"
        raise StateMismatch(message)
    # An interrupted process may have written only a part of the last line.
    complete = [line for line in lines if line.endswith("\n")]
    path.write_text(first + "".join(complete), encoding="utf-8")
    for line in complete:
        state.apply_line(json.loads(line))
    return state
