"""A server verified: recorded exchanges sent again, then generated requests."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.checks.operation_spec import METHODS, OperationIndex
from soundstage.tools.openapi_core.validator import OpenApiCoreValidator
from soundstage.tools.schemathesis.campaign import PHASES, Campaign
from soundstage.tools.schemathesis.engine import run_campaign
from soundstage.tools.verify.excerpts import (
    create_redactor,
    create_value_redactor,
    serialize_redacted,
)
from soundstage.tools.verify.findings import (
    Finding,
    FindingKey,
    parse_finding,
    validate_exchange,
)
from soundstage.tools.verify.recordings import (
    MatchedExchange,
    list_base_paths,
    match_to_operation,
)
from soundstage.tools.verify.resend import (
    SAFE_METHODS,
    ServerUnreachable,
    compare_statuses,
    open_sender,
    resend,
)
from soundstage.tools.verify.state import VerificationState, hash_request
from soundstage.types import JsonObject

HOOKS_MODULE = "soundstage.tools.verify.hooks"


@dataclass(frozen=True, slots=True)
class VerificationPlan:
    """How a server is verified.

    ``safe`` are operations that write nothing, although their method might.
    """

    name: str
    document: JsonObject
    url: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, list[str]] = field(default_factory=dict)
    recordings: tuple[RecordedExchange, ...] = ()
    allow_writes: bool = False
    safe_operations: tuple[str, ...] = ()
    sends_generated: bool = True
    rate: float | None = None
    seed: int = 0
    max_examples: int = 20


@dataclass(slots=True)
class VerificationResult:
    """What came of it. ``skipped`` counts recorded requests that were not sent."""

    state: VerificationState
    skipped: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    is_complete: bool = True

    def skip(self, reason: str) -> None:
        """Count a recorded request that is not sent."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


ProgressCallback = Callable[[str, VerificationResult], None]
"""Is shown what is being done."""


def verify(
    plan: VerificationPlan,
    state: VerificationState,
    on_progress: ProgressCallback,
    remaining_seconds: Callable[[], float | None],
) -> VerificationResult:
    """Carry it out; ``left`` gives the seconds that there are, if they are counted.

    Raises as ``events`` does.
    """
    outcome = VerificationResult(state)
    document = restrict_document(plan.document, lambda o, m: _can_send(plan, o, m))
    _resend_recorded(plan, document, outcome, on_progress, remaining_seconds)
    if plan.sends_generated and outcome.is_complete:
        _send_generated(plan, document, outcome, on_progress, remaining_seconds)
    return outcome


def _can_send(plan: VerificationPlan, operation: str, method: str) -> bool:
    return (
        plan.allow_writes
        or method.upper() in SAFE_METHODS
        or operation in plan.safe_operations
    )


def restrict_document(
    document: JsonObject, is_included: Callable[[str, str], bool]
) -> JsonObject:
    """The document with those operations alone, and no links, which may lead away."""
    kept = {
        (one.path, one.method)
        for one in OperationIndex(document).operations.values()
        if is_included(one.id, one.method) or is_included(one.label, one.method)
    }
    paths = {
        path: {
            key: node
            for key, node in item.items()
            if key not in METHODS or (path, key) in kept
        }
        for path, item in document.get("paths", {}).items()
    }
    return {**document, "paths": paths}


def _resend_recorded(
    plan: VerificationPlan,
    document: JsonObject,
    result: VerificationResult,
    on_progress: ProgressCallback,
    remaining_seconds: Callable[[], float | None],
) -> None:
    judge, mask = OpenApiCoreValidator(document), create_redactor(document)
    with open_sender(plan.url, plan.rate) as sending:
        for kept in _select_recorded(plan, document, result):
            if remaining_seconds() == 0:
                result.is_complete = False
                return
            on_progress(f"recorded: {kept.operation.id}", result)
            try:
                answer = resend(kept, plan.secrets, sending)
            except ServerUnreachable as error:
                result.errors.append(str(error))
                result.is_complete = False
                return
            why_not, wrong = compare_statuses(kept.exchange.status, answer.status)
            found = list(validate_exchange(judge, kept.operation, answer))
            if wrong:
                key = FindingKey(kept.operation.id, answer.status, "refused", "")
                found.append((key, wrong))
            for key, message in found:
                text = create_value_redactor(answer, mask).redact_text(message)
                result.state.add_finding(
                    Finding(key, text, serialize_redacted(answer, mask))
                )
            result.state.add_resent(kept, answer.status, why_not)


def _select_recorded(
    plan: VerificationPlan, document: JsonObject, result: VerificationResult
) -> Iterator[MatchedExchange]:
    """Recorded requests, each once, without those that were sent before."""
    whole, safe = OperationIndex(plan.document), OperationIndex(document)
    bases = list_base_paths(plan.document, plan.name)
    sent = set(result.state.resent_requests)
    for exchange in plan.recordings:
        kept = match_to_operation(exchange, whole, bases)
        if kept is None:
            result.skip("not of this contract")
        elif kept.operation.label not in safe.operations:
            result.skip("writes; --allow-writes sends them")
        elif hash_request(kept.exchange) not in sent:
            sent.add(hash_request(kept.exchange))
            yield kept


def _send_generated(
    plan: VerificationPlan,
    document: JsonObject,
    result: VerificationResult,
    on_progress: ProgressCallback,
    remaining_seconds: Callable[[], float | None],
) -> None:
    for campaign in _create_campaigns(plan, document, result.state):
        labels = campaign.operations or tuple(OperationIndex(document).operations)
        phase = ""
        for event in run_campaign(replace(campaign, max_time=remaining_seconds())):
            match event:
                case {"event": "phase" | "finished"}:
                    if event.get("reason", "completed") == "completed":
                        result.state.add_cases(phase, labels, {}, {})
                    phase = event.get("phase", phase)
                    result.is_complete = event.get("reason", "completed") == "completed"
                    if event.get("reason") == "server_unavailable":
                        result.errors.append("the server does not answer any more")
                case _:
                    _record_event(event, phase, result)
            on_progress(f"generated: {phase}", result)
        if not result.is_complete:
            return


def _record_event(event: JsonObject, phase: str, result: VerificationResult) -> None:
    match event:
        case {"event": "tested", "cases": cases, "successes": good}:
            # A chain is of many operations; they are through when all chains are.
            through = () if phase == "stateful" else cases
            result.state.add_cases(phase, through, cases, good)
        case {"event": "finding", "finding": node}:
            result.state.add_finding(parse_finding(node))
        case {"event": "error", "where": where, "message": message}:
            result.errors.append(f"{where}: {message}" if where else message)


def _create_campaigns(
    plan: VerificationPlan, document: JsonObject, state: VerificationState
) -> Iterator[Campaign]:
    """One of all phases; or for each what is left of it, if some was done before."""
    labels = tuple(OperationIndex(document).operations)
    if not labels:
        return
    whole = Campaign(
        document=document,
        url=plan.url,
        secrets=plan.secrets,
        values=plan.values,
        seed=plan.seed,
        max_examples=plan.max_examples,
        checks=("answer_judged",),
        documented_methods_only=True,
        rate=plan.rate,
        hooks_module=HOOKS_MODULE,
    )
    if not state.completed:
        yield whole
        return
    for phase in PHASES:
        remaining = tuple(x for x in labels if (phase, x) not in state.completed)
        if remaining:
            yield replace(whole, phases=(phase,), operations=remaining)
