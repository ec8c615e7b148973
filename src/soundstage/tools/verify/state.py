"""What was verified so far, written down as it goes, so that it can be taken up."""

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
    """The file is the state of something else; the text says what to do."""


@dataclass(slots=True)
class VerificationState:
    """Findings by what makes them the same, and what need not be done again.

    ``done`` are phases with operations of generated cases; ``cases`` counts the
    requests of an operation, ``good`` those answered with 2xx; ``replayed`` are the
    recorded ones: name, and why it says nothing that they were sent.
    """

    subject: JsonObject = field(default_factory=dict)
    path: Path | None = None
    findings: dict[FindingKey, Finding] = field(default_factory=dict)
    completed: set[tuple[str, str]] = field(default_factory=set)
    cases: Counter[str] = field(default_factory=Counter)
    successes: Counter[str] = field(default_factory=Counter)
    resent_requests: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def add_finding(self, finding: Finding) -> None:
        """Take in a finding; of the same one, the first example is kept."""
        self.append_line(finding=finding.to_json())
        self._add_finding(finding)

    def _add_finding(self, finding: Finding) -> None:
        known = self.findings.setdefault(finding.key, finding)
        if known is not finding:
            known.count += finding.count

    def add_cases(
        self,
        phase: str,
        labels: Iterable[str],
        cases: JsonObject,
        successes: JsonObject,
    ) -> None:
        """Take in that operations were through a phase, and how they were answered."""
        done = sorted({(phase, label) for label in labels} - self.completed)
        if done or cases:
            self.append_line(done=done, cases=cases, good=successes)
        self._add_cases(done, cases, successes)

    def _add_cases(
        self,
        completed: Iterable[Iterable[str]],
        cases: JsonObject,
        successes: JsonObject,
    ) -> None:
        for phase, label in completed:
            self.completed.add((phase, label))
        self.cases.update(cases)
        self.successes.update(successes)

    def add_resent(
        self, matched: MatchedExchange, status: int, inconclusive_reason: str | None
    ) -> None:
        """Take in that a recorded request was sent, or why that says nothing."""
        key, name, label = (
            hash_request(matched.exchange),
            matched.name,
            matched.operation.label,
        )
        good = 200 <= status < 300  # noqa: PLR2004 - HTTP
        self.append_line(
            replayed=key, name=name, label=label, good=good, why_not=inconclusive_reason
        )
        self._add_resent(key, name, label, inconclusive_reason, is_success=good)

    def _add_resent(
        self,
        key: str,
        name: str,
        label: str,
        inconclusive_reason: str | None,
        *,
        is_success: bool,
    ) -> None:
        self.resent_requests[key] = (name, inconclusive_reason)
        self.cases[label] += 1
        self.successes[label] += is_success

    def append_line(self, **line: object) -> None:
        """Add a line to the file, if there is one."""
        if self.path:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def apply_line(self, line: JsonObject) -> None:
        """Take in a line of the file."""
        match line:
            case {"finding": node}:
                self._add_finding(parse_finding(node))
            case {"done": done, "cases": cases, "good": good}:
                self._add_cases(done, cases, good)
            case {"replayed": str(key), "name": name, "label": label}:
                good, why_not = line["good"], line["why_not"]
                self._add_resent(key, name, label, why_not, is_success=good)


def hash_request(exchange: RecordedExchange) -> str:
    """What a recorded request is known by."""
    parts = (exchange.method, exchange.url, exchange.request_body.hex())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def describe_subject(url: str, document: JsonObject, options: JsonObject) -> JsonObject:
    """What a state is about: it is of no use for another server, or document."""
    text = json.dumps(document, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"version": STATE_VERSION, "url": url, "document": digest, **options}


def open_state(path: Path | None, subject: JsonObject) -> VerificationState:
    """The state in a file, to go on with; a new one if there is none.

    A last line that was cut off is passed over. Raises ``Unfit`` and ``OSError``.
    """
    state = VerificationState(subject, path)
    if path is None:
        return state
    if not path.exists() or not path.stat().st_size:
        state.append_line(about=subject)
        return state
    first, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    try:
        before = json.loads(first)["about"]
    except (ValueError, KeyError, TypeError) as error:
        raise StateMismatch(f"{path} is no state of `soundstage verify`") from error
    if different := sorted(k for k in subject if before.get(k) != subject[k]):
        what = ", ".join(different)
        message = f"{path} is about another {what}; remove it, or name another file"
        raise StateMismatch(message)
    kept = [line for line in lines if line.endswith("\n")]
    path.write_text(first + "".join(kept), encoding="utf-8")
    for line in kept:
        state.apply_line(json.loads(line))
    return state
