"""What ``soundstage verify`` says in the end."""

from collections.abc import Iterator
from textwrap import indent

from soundstage.tools.checks.operation_spec import OperationIndex
from soundstage.tools.verify.findings import Finding
from soundstage.tools.verify.verifier import VerificationPlan, VerificationResult
from soundstage.tools.verify.waivers import WaivedFindings
from soundstage.tools.verify.waivers import serialize_waiver as waiver_as_json
from soundstage.types import JsonObject

MAX_BODY_EXCERPT = 500
"""Characters of an answer that are shown to people."""


def format_report(
    plan: VerificationPlan, result: VerificationResult, waived: WaivedFindings
) -> str:
    """A line in all, the findings, and what else there is to know."""
    findings = result.state.findings
    return "\n".join(
        [
            _format_summary(plan, result, waived),
            *(_format_finding(findings[key]) for key in waived.remaining),
            *_format_waived(result, waived),
            *_format_notes(plan, result),
        ]
    )


def _format_summary(
    plan: VerificationPlan, result: VerificationResult, waived: WaivedFindings
) -> str:
    cases = result.state.cases
    found = _format_count(len(waived.remaining), "finding")
    asked = (
        f"{_format_count(sum(cases.values()), 'request')} to {len(+cases)} operations"
    )
    ended = "" if result.is_complete else "; not complete"
    return f"{plan.url}, by the contract of {plan.name}: {found}; {asked}{ended}"


def _format_count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _format_finding(finding: Finding) -> str:
    key, example = finding.key, finding.example
    place = f" at {key.pointer}" if key.pointer else ""
    times = _format_count(finding.count, "time")
    told = [
        finding.message,
        f"{example['method']} {example['url']} -> {example['status']}",
        example["answer_body"][:MAX_BODY_EXCERPT],
    ]
    head = f"\n{key.operation}, {key.status}: {key.rule}{place} ({times})\n"
    return head + indent("\n".join(filter(None, told)), "    ")


def _format_waived(result: VerificationResult, waived: WaivedFindings) -> Iterator[str]:
    for key, waiver in waived.waived:
        place = f" at {key.pointer}" if key.pointer else ""
        what = f"{key.operation}, {key.status}: {key.rule}{place}"
        yield f"waived: {what}: {waiver.reason}"
    for waiver in waived.unused_waivers:
        line = f"line {waiver.line}, " if waiver.line else ""
        hint = "" if result.is_complete else " so far"
        yield f"this waiver matches nothing{hint}: {line}{waiver} ({waiver.reason})"


def _format_notes(plan: VerificationPlan, result: VerificationResult) -> Iterator[str]:
    for why, count in sorted(result.skipped.items()):
        yield f"not sent: {_format_count(count, 'recorded request')}: {why}"
    for name, why_not in result.state.resent_requests.values():
        if why_not:
            yield f"not replayable: {name}: {why_not}"
    if names := list_unsuccessful(plan, result):
        yield f"never answered with 2xx: {', '.join(names)}"
    if left := list_unsent(plan, result):
        yield f"never sent: {', '.join(left)}"
    for error in result.errors:
        yield f"error: {error}"


def list_unsuccessful(plan: VerificationPlan, result: VerificationResult) -> list[str]:
    """Operations of which nothing was learned but how they refuse."""
    state, known = result.state, OperationIndex(plan.document).operations
    labels = (
        label for label in known if state.cases[label] and not state.successes[label]
    )
    return [known[label].id for label in labels]


def list_unsent(plan: VerificationPlan, result: VerificationResult) -> list[str]:
    """Operations that were not asked for anything: those that write, mostly."""
    known = OperationIndex(plan.document).operations
    return [known[label].id for label in known if not result.state.cases[label]]


def serialize_report(
    plan: VerificationPlan, result: VerificationResult, waived: WaivedFindings
) -> JsonObject:
    """The same for machines."""
    findings, state = result.state.findings, result.state
    return {
        "ok": not waived.remaining and not result.errors,
        "url": plan.url,
        "contract": plan.name,
        "complete": result.is_complete,
        "findings": [findings[key].to_json() for key in waived.remaining],
        "waived": [
            {**key._asdict(), "waiver": waiver_as_json(waiver)}
            for key, waiver in waived.waived
        ],
        "unused_waivers": list(map(waiver_as_json, waived.unused_waivers)),
        "requests": dict(state.cases),
        "not_sent": result.skipped,
        "not_replayable": [
            {"request": name, "reason": why}
            for name, why in state.resent_requests.values()
            if why
        ],
        "unanswered": list_unsuccessful(plan, result),
        "unsent": list_unsent(plan, result),
        "errors": result.errors,
    }
