"""Reports of ``soundstage verify``, as text and JSON."""

from collections.abc import Iterator
from textwrap import indent

from soundstage.tools.checks.operation_spec import OperationIndex
from soundstage.tools.verify.findings import Finding, FindingKey
from soundstage.tools.verify.verifier import VerificationPlan, VerificationResult
from soundstage.tools.verify.waivers import WaivedFindings, serialize_waiver
from soundstage.types import JsonObject

MAX_BODY_EXCERPT = 500
"""The maximum of characters of a response body in a text report."""


def format_report(
    plan: VerificationPlan, result: VerificationResult, waived: WaivedFindings
) -> str:
    """Format a summary line, the findings, waivers and notes."""
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
    findings = _format_count(len(waived.remaining), "finding")
    requests = _format_count(sum(cases.values()), "request")
    end = "" if result.is_complete else "; not complete"
    counts = f"{findings}; {requests} to {len(+cases)} operations"
    return f"{plan.url}, contract of {plan.name}: {counts}{end}"


def _format_count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _format_finding(finding: Finding) -> str:
    key, example = finding.key, finding.example
    times = _format_count(finding.count, "time")
    lines = [
        finding.message,
        f"{example['method']} {example['url']} -> {example['status']}",
        example["answer_body"][:MAX_BODY_EXCERPT],
    ]
    text = indent("\n".join(filter(None, lines)), "    ")
    return f"\n{_format_key(key)} ({times})\n{text}"


def _format_key(key: FindingKey) -> str:
    location = f" at {key.pointer}" if key.pointer else ""
    return f"{key.operation}, {key.status}: {key.rule}{location}"


def _format_waived(result: VerificationResult, waived: WaivedFindings) -> Iterator[str]:
    for key, waiver in waived.waived:
        yield f"waived: {_format_key(key)}: {waiver.reason}"
    for waiver in waived.unused_waivers:
        line = f"line {waiver.line}, " if waiver.line else ""
        hint = "" if result.is_complete else " so far"
        yield f"this waiver matches nothing{hint}: {line}{waiver} ({waiver.reason})"


def _format_notes(plan: VerificationPlan, result: VerificationResult) -> Iterator[str]:
    for reason, count in sorted(result.skipped.items()):
        yield f"not sent: {_format_count(count, 'recorded request')}: {reason}"
    for name, inconclusive_reason in result.state.resent_requests.values():
        if inconclusive_reason:
            yield f"not replayable: {name}: {inconclusive_reason}"
    if unsuccessful := list_unsuccessful(plan, result):
        yield f"no 2xx response: {', '.join(unsuccessful)}"
    if unsent := list_unsent(plan, result):
        yield f"never sent: {', '.join(unsent)}"
    for error in result.errors:
        yield f"error: {error}"


def list_unsuccessful(plan: VerificationPlan, result: VerificationResult) -> list[str]:
    """List operations with requests but without a 2xx response."""
    state = result.state
    return [
        operation.id
        for label, operation in OperationIndex(plan.document).operations.items()
        if state.cases[label] and not state.successes[label]
    ]


def list_unsent(plan: VerificationPlan, result: VerificationResult) -> list[str]:
    """List operations without any request, mostly those that write."""
    operations = OperationIndex(plan.document).operations
    return [o.id for label, o in operations.items() if not result.state.cases[label]]


def serialize_report(
    plan: VerificationPlan, result: VerificationResult, waived: WaivedFindings
) -> JsonObject:
    """Return the report as JSON; its keys are public."""
    findings, state = result.state.findings, result.state
    return {
        "ok": not waived.remaining and not result.errors,
        "url": plan.url,
        "contract": plan.name,
        "complete": result.is_complete,
        "findings": [findings[key].to_json() for key in waived.remaining],
        "waived": [
            {**key._asdict(), "waiver": serialize_waiver(waiver)} for key, waiver in waived.waived
        ],
        "unused_waivers": list(map(serialize_waiver, waived.unused_waivers)),
        "requests": dict(state.cases),
        "not_sent": result.skipped,
        "not_replayable": [
            {"request": name, "reason": reason}
            for name, reason in state.resent_requests.values()
            if reason
        ],
        "unanswered": list_unsuccessful(plan, result),
        "unsent": list_unsent(plan, result),
        "errors": result.errors,
    }
