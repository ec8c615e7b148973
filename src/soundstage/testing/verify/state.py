"""What was verified so far, written down as it goes, so that it can be taken up."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from soundstage.testing.recorded import Recorded
from soundstage.testing.verify.finding import Finding, Key, finding_of
from soundstage.testing.verify.recording import Kept
from soundstage.types import Document

VERSION = 1


class Unfit(Exception):
    """The file is the state of something else; the text says what to do."""


@dataclass(slots=True)
class State:
    """Findings by what makes them the same, and what need not be done again.

    ``done`` are phases with operations of generated cases; ``cases`` counts the
    requests of an operation, ``good`` those answered with 2xx; ``replayed`` are the
    recorded ones: name, and why it says nothing that they were sent.
    """

    about: Document = field(default_factory=dict)
    path: Path | None = None
    findings: dict[Key, Finding] = field(default_factory=dict)
    done: set[tuple[str, str]] = field(default_factory=set)
    cases: Counter[str] = field(default_factory=Counter)
    good: Counter[str] = field(default_factory=Counter)
    replayed: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def found(self, finding: Finding) -> None:
        """Take in a finding; of the same one, the first example is kept."""
        self.write(finding=finding.as_json())
        self._found(finding)

    def _found(self, finding: Finding) -> None:
        known = self.findings.setdefault(finding.key, finding)
        if known is not finding:
            known.count += finding.count

    def tested(
        self, phase: str, labels: Iterable[str], cases: Document, good: Document
    ) -> None:
        """Take in that operations were through a phase, and how they were answered."""
        done = sorted({(phase, label) for label in labels} - self.done)
        if done or cases:
            self.write(done=done, cases=cases, good=good)
        self._tested(done, cases, good)

    def _tested(
        self, done: Iterable[Iterable[str]], cases: Document, good: Document
    ) -> None:
        for phase, label in done:
            self.done.add((phase, label))
        self.cases.update(cases)
        self.good.update(good)

    def resent(self, kept: Kept, status: int, why_not: str | None) -> None:
        """Take in that a recorded request was sent, or why that says nothing."""
        key, name, label = key_of(kept.exchange), kept.name, kept.operation.label
        good = 200 <= status < 300  # noqa: PLR2004 - HTTP
        self.write(replayed=key, name=name, label=label, good=good, why_not=why_not)
        self._resent(key, name, label, why_not, good=good)

    def _resent(
        self, key: str, name: str, label: str, why_not: str | None, *, good: bool
    ) -> None:
        self.replayed[key] = (name, why_not)
        self.cases[label] += 1
        self.good[label] += good

    def write(self, **line: object) -> None:
        """Add a line to the file, if there is one."""
        if self.path:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")

    def read(self, line: Document) -> None:
        """Take in a line of the file."""
        match line:
            case {"finding": node}:
                self._found(finding_of(node))
            case {"done": done, "cases": cases, "good": good}:
                self._tested(done, cases, good)
            case {"replayed": str(key), "name": name, "label": label}:
                good, why_not = line["good"], line["why_not"]
                self._resent(key, name, label, why_not, good=good)


def key_of(exchange: Recorded) -> str:
    """What a recorded request is known by."""
    parts = (exchange.method, exchange.url, exchange.request_body.hex())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:32]


def about_of(url: str, document: Document, options: Document) -> Document:
    """What a state is about: it is of no use for another server, or document."""
    text = json.dumps(document, sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return {"version": VERSION, "url": url, "document": digest, **options}


def opened(path: Path | None, about: Document) -> State:
    """The state in a file, to go on with; a new one if there is none.

    A last line that was cut off is passed over. Raises ``Unfit`` and ``OSError``.
    """
    state = State(about, path)
    if path is None:
        return state
    if not path.exists() or not path.stat().st_size:
        state.write(about=about)
        return state
    first, *lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    try:
        before = json.loads(first)["about"]
    except (ValueError, KeyError, TypeError) as error:
        raise Unfit(f"{path} is no state of `soundstage verify`") from error
    if different := sorted(k for k in about if before.get(k) != about[k]):
        what = ", ".join(different)
        message = f"{path} is about another {what}; remove it, or name another file"
        raise Unfit(message)
    kept = [line for line in lines if line.endswith("\n")]
    path.write_text(first + "".join(kept), encoding="utf-8")
    for line in kept:
        state.read(json.loads(line))
    return state
