"""Verify a server: resend recorded requests, then send generated ones."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.checks.operation_spec import METHODS, OperationIndex
from soundstage.tools.openapi_core import OpenApiCoreValidator
from soundstage.tools.schemathesis.campaign import PHASES, Campaign
from soundstage.tools.schemathesis.engine import run_campaign
from soundstage.tools.verify.findings import (
    FindingKey,
    create_finding,
    create_redactor,
    parse_finding,
    validate_exchange,
)
from soundstage.tools.verify.recordings import MatchedExchange, list_base_paths, match_to_operation
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
    """What to send to a server, and the document by which to validate its responses.

    ``safe_operations`` change nothing, although their method suggests it. ``rate`` is
    in requests per second.
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

    def can_send(self, operation: str, method: str) -> bool:
        """Whether requests of an operation (id or label) may be sent."""
        is_safe = method.upper() in SAFE_METHODS or operation in self.safe_operations
        return self.allow_writes or is_safe


@dataclass(slots=True)
class VerificationResult:
    """The result; ``skipped`` counts unsent recorded requests by reason."""

    state: VerificationState
    skipped: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    is_complete: bool = True

    def skip(self, reason: str) -> None:
        """Count a recorded request that is not sent."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


ProgressCallback = Callable[[str, VerificationResult], None]
"""Receives the current activity and the result until now."""


def verify(
    plan: VerificationPlan,
    state: VerificationState,
    on_progress: ProgressCallback,
    remaining_seconds: Callable[[], float | None],
) -> VerificationResult:
    """Verify a server. Without a time limit, ``remaining_seconds`` returns ``None``.

    Raises like ``run_campaign``.
    """
    document = restrict_document(plan.document, plan.can_send)
    result = VerificationResult(state)
    verifier = _Verifier(plan, document, result, on_progress, remaining_seconds)
    verifier.resend_recordings()
    if plan.sends_generated and result.is_complete:
        verifier.send_generated()
    return result


def restrict_document(document: JsonObject, is_included: Callable[[str, str], bool]) -> JsonObject:
    """Return the document with the included operations only.

    >>> document = {"paths": {"/a": {"get": {}, "post": {}}}}
    >>> restrict_document(document, lambda operation, method: method == "get")
    {'paths': {'/a': {'get': {}}}}
    """
    included = {
        (operation.path, operation.method)
        for operation in OperationIndex(document).operations.values()
        if is_included(operation.id, operation.method)
        or is_included(operation.label, operation.method)
    }
    paths = {
        path: {
            key: node for key, node in item.items() if key not in METHODS or (path, key) in included
        }
        for path, item in document.get("paths", {}).items()
    }
    return {**document, "paths": paths}


@dataclass(frozen=True, slots=True)
class _Verifier:
    plan: VerificationPlan
    document: JsonObject
    result: VerificationResult
    on_progress: ProgressCallback
    remaining_seconds: Callable[[], float | None]

    def resend_recordings(self) -> None:
        """Send each recorded request once, and validate the new response."""
        plan, result = self.plan, self.result
        validator, redactor = (OpenApiCoreValidator(self.document), create_redactor(self.document))
        with open_sender(plan.url, plan.rate) as sender:
            for matched in self._select_recordings():
                if self.remaining_seconds() == 0:
                    result.is_complete = False
                    return
                self.on_progress(f"recorded: {matched.operation.id}", result)
                try:
                    exchange = resend(matched, plan.secrets, sender)
                except ServerUnreachable as error:
                    result.errors.append(str(error))
                    result.is_complete = False
                    return
                reason, failure = compare_statuses(matched.exchange.status, exchange.status)
                violations = [*validate_exchange(validator, matched.operation, exchange)]
                if failure:
                    operation = matched.operation.id
                    key = FindingKey(operation, exchange.status, "refused", "")
                    violations.append((key, failure))
                for key, message in violations:
                    finding = create_finding(key, message, exchange, redactor)
                    result.state.add_finding(finding)
                result.state.add_resent(matched, exchange.status, reason)

    def _select_recordings(self) -> Iterator[MatchedExchange]:
        """Yield distinct recorded requests that were not sent before."""
        plan, result = self.plan, self.result
        operations = OperationIndex(plan.document)
        permitted = OperationIndex(self.document).operations
        base_paths = list_base_paths(plan.document, plan.name)
        sent = set(result.state.resent_requests)
        for exchange in plan.recordings:
            matched = match_to_operation(exchange, operations, base_paths)
            if matched is None:
                result.skip("not of this contract")
            elif matched.operation.label not in permitted:
                result.skip("writes; --allow-writes sends them")
            elif (key := hash_request(matched.exchange)) not in sent:
                sent.add(key)
                yield matched

    def send_generated(self) -> None:
        """Run the remaining campaigns, until one is not completed."""
        for campaign in self._create_campaigns():
            self._run(replace(campaign, max_time=self.remaining_seconds()))
            if not self.result.is_complete:
                return

    def _run(self, campaign: Campaign) -> None:
        result = self.result
        labels = campaign.operations or tuple(OperationIndex(self.document).operations)
        phase = ""
        for event in run_campaign(campaign):
            match event:
                case {"event": "phase" | "finished"}:
                    reason = event.get("reason", "completed")
                    result.is_complete = reason == "completed"
                    # A new phase, or the end, completes the phase before.
                    if result.is_complete:
                        result.state.add_cases(phase, labels, {}, {})
                    if reason == "server_unavailable":
                        result.errors.append("the server stopped responding")
                    phase = event.get("phase", phase)
                case _:
                    self._record_event(event, phase)
            self.on_progress(f"generated: {phase}", result)

    def _record_event(self, event: JsonObject, phase: str) -> None:
        match event:
            case {"event": "tested", "cases": cases, "successes": successes}:
                # A chain has many operations: they are completed with the last chain.
                completed = () if phase == "stateful" else cases
                self.result.state.add_cases(phase, completed, cases, successes)
            case {"event": "finding", "finding": data}:
                self.result.state.add_finding(parse_finding(data))
            case {"event": "error", "where": where, "message": message}:
                self.result.errors.append(f"{where}: {message}" if where else message)

    def _create_campaigns(self) -> Iterator[Campaign]:
        """Create one campaign, or after a resume one for each incomplete phase."""
        plan, completed = self.plan, self.result.state.completed
        labels = tuple(OperationIndex(self.document).operations)
        if not labels:
            return
        campaign = Campaign(
            document=self.document,
            url=plan.url,
            secrets=plan.secrets,
            values=plan.values,
            seed=plan.seed,
            max_examples=plan.max_examples,
            checks=("response_matches_contract",),
            documented_methods_only=True,
            rate=plan.rate,
            hooks_module=HOOKS_MODULE,
        )
        if not completed:
            yield campaign
            return
        for phase in PHASES:
            remaining = tuple(o for o in labels if (phase, o) not in completed)
            if remaining:
                yield replace(campaign, phases=(phase,), operations=remaining)
