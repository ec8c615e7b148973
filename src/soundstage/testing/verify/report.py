"""What ``soundstage verify`` says in the end."""

from collections.abc import Iterator
from textwrap import indent

from soundstage.testing.semantics.described import Catalogue
from soundstage.testing.verify.finding import Finding
from soundstage.testing.verify.run import Outcome, Plan
from soundstage.testing.verify.waiver import Waived
from soundstage.testing.verify.waiver import as_json as waiver_as_json
from soundstage.types import Document

SHOWN = 500
"""Characters of an answer that are shown to people."""


def as_text(plan: Plan, outcome: Outcome, waived: Waived) -> str:
    """A line in all, the findings, and what else there is to know."""
    findings = outcome.state.findings
    return "\n".join(
        [
            _head(plan, outcome, waived),
            *(_finding(findings[key]) for key in waived.open),
            *_waived(outcome, waived),
            *_notes(plan, outcome),
        ]
    )


def _head(plan: Plan, outcome: Outcome, waived: Waived) -> str:
    cases = outcome.state.cases
    found = _count(len(waived.open), "finding")
    asked = f"{_count(sum(cases.values()), 'request')} to {len(+cases)} operations"
    ended = "" if outcome.complete else "; not complete"
    return f"{plan.url}, by the contract of {plan.name}: {found}; {asked}{ended}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _finding(finding: Finding) -> str:
    key, example = finding.key, finding.example
    place = f" at {key.pointer}" if key.pointer else ""
    times = _count(finding.count, "time")
    told = [
        finding.message,
        f"{example['method']} {example['url']} -> {example['status']}",
        example["answer_body"][:SHOWN],
    ]
    head = f"\n{key.operation}, {key.status}: {key.rule}{place} ({times})\n"
    return head + indent("\n".join(filter(None, told)), "    ")


def _waived(outcome: Outcome, waived: Waived) -> Iterator[str]:
    for key, waiver in waived.waived:
        place = f" at {key.pointer}" if key.pointer else ""
        what = f"{key.operation}, {key.status}: {key.rule}{place}"
        yield f"waived: {what}: {waiver.reason}"
    for waiver in waived.unused:
        line = f"line {waiver.line}, " if waiver.line else ""
        hint = "" if outcome.complete else " so far"
        yield f"this waiver matches nothing{hint}: {line}{waiver} ({waiver.reason})"


def _notes(plan: Plan, outcome: Outcome) -> Iterator[str]:
    for why, count in sorted(outcome.skipped.items()):
        yield f"not sent: {_count(count, 'recorded request')}: {why}"
    for name, why_not in outcome.state.replayed.values():
        if why_not:
            yield f"not replayable: {name}: {why_not}"
    if names := unanswered(plan, outcome):
        yield f"never answered with 2xx: {', '.join(names)}"
    if left := unsent(plan, outcome):
        yield f"never sent: {', '.join(left)}"
    for error in outcome.errors:
        yield f"error: {error}"


def unanswered(plan: Plan, outcome: Outcome) -> list[str]:
    """Operations of which nothing was learned but how they refuse."""
    state, known = outcome.state, Catalogue(plan.document).operations
    labels = (label for label in known if state.cases[label] and not state.good[label])
    return [known[label].id for label in labels]


def unsent(plan: Plan, outcome: Outcome) -> list[str]:
    """Operations that were not asked for anything: those that write, mostly."""
    known = Catalogue(plan.document).operations
    return [known[label].id for label in known if not outcome.state.cases[label]]


def as_json(plan: Plan, outcome: Outcome, waived: Waived) -> Document:
    """The same for machines."""
    findings, state = outcome.state.findings, outcome.state
    return {
        "ok": not waived.open and not outcome.errors,
        "url": plan.url,
        "contract": plan.name,
        "complete": outcome.complete,
        "findings": [findings[key].as_json() for key in waived.open],
        "waived": [
            {**key._asdict(), "waiver": waiver_as_json(waiver)}
            for key, waiver in waived.waived
        ],
        "unused_waivers": list(map(waiver_as_json, waived.unused)),
        "requests": dict(state.cases),
        "not_sent": outcome.skipped,
        "not_replayable": [
            {"request": name, "reason": why}
            for name, why in state.replayed.values()
            if why
        ],
        "unanswered": unanswered(plan, outcome),
        "unsent": unsent(plan, outcome),
        "errors": outcome.errors,
    }
