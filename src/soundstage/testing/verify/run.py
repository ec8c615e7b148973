"""A server verified: recorded exchanges sent again, then generated requests."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from soundstage.testing.campaign.campaign import PHASES, Campaign
from soundstage.testing.campaign.engine import events
from soundstage.testing.judge import Judge
from soundstage.testing.recorded import Recorded
from soundstage.testing.semantics.described import METHODS, Catalogue
from soundstage.testing.verify.example import cut_in, mask_of, shown
from soundstage.testing.verify.finding import Finding, Key, finding_of, judged
from soundstage.testing.verify.recording import Kept, bases_of, placed
from soundstage.testing.verify.resend import (
    SAFE,
    Unreachable,
    difference,
    resent,
    sender,
)
from soundstage.testing.verify.state import State, key_of
from soundstage.types import Document

EXTENSION = "soundstage.testing.verify.inside"


@dataclass(frozen=True, slots=True)
class Plan:
    """How a server is verified.

    ``safe`` are operations that write nothing, although their method might.
    """

    name: str
    document: Document
    url: str
    secrets: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, list[str]] = field(default_factory=dict)
    recorded: tuple[Recorded, ...] = ()
    allow_writes: bool = False
    safe: tuple[str, ...] = ()
    generated: bool = True
    rate: float | None = None
    seed: int = 0
    max_examples: int = 20


@dataclass(slots=True)
class Outcome:
    """What came of it. ``skipped`` counts recorded requests that were not sent."""

    state: State
    skipped: dict[str, int] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    complete: bool = True

    def skip(self, why: str) -> None:
        """Count a recorded request that is not sent."""
        self.skipped[why] = self.skipped.get(why, 0) + 1


Watch = Callable[[str, Outcome], None]
"""Is shown what is being done."""


def verify(
    plan: Plan, state: State, watch: Watch, left: Callable[[], float | None]
) -> Outcome:
    """Carry it out; ``left`` gives the seconds that there are, if they are counted.

    Raises as ``events`` does.
    """
    outcome = Outcome(state)
    document = cut_to(plan.document, lambda o, m: _may_be_sent(plan, o, m))
    _resend(plan, document, outcome, watch, left)
    if plan.generated and outcome.complete:
        _generate(plan, document, outcome, watch, left)
    return outcome


def _may_be_sent(plan: Plan, operation: str, method: str) -> bool:
    return plan.allow_writes or method.upper() in SAFE or operation in plan.safe


def cut_to(document: Document, keep: Callable[[str, str], bool]) -> Document:
    """The document with those operations alone, and no links, which may lead away."""
    kept = {
        (one.path, one.method)
        for one in Catalogue(document).operations.values()
        if keep(one.id, one.method) or keep(one.label, one.method)
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


def _resend(
    plan: Plan,
    document: Document,
    outcome: Outcome,
    watch: Watch,
    left: Callable[[], float | None],
) -> None:
    judge, mask = Judge(document), mask_of(document)
    with sender(plan.url, plan.rate) as sending:
        for kept in _to_send(plan, document, outcome):
            if left() == 0:
                outcome.complete = False
                return
            watch(f"recorded: {kept.operation.id}", outcome)
            try:
                answer = resent(kept, plan.secrets, sending)
            except Unreachable as error:
                outcome.errors.append(str(error))
                outcome.complete = False
                return
            why_not, wrong = difference(kept.exchange.status, answer.status)
            found = list(judged(judge, kept.operation, answer))
            if wrong:
                key = Key(kept.operation.id, answer.status, "refused", "")
                found.append((key, wrong))
            for key, message in found:
                text = cut_in(answer, mask).text(message)
                outcome.state.found(Finding(key, text, shown(answer, mask)))
            outcome.state.resent(kept, answer.status, why_not)


def _to_send(plan: Plan, document: Document, outcome: Outcome) -> Iterator[Kept]:
    """Recorded requests, each once, without those that were sent before."""
    whole, safe = Catalogue(plan.document), Catalogue(document)
    bases = bases_of(plan.document, plan.name)
    sent = set(outcome.state.replayed)
    for exchange in plan.recorded:
        kept = placed(exchange, whole, bases)
        if kept is None:
            outcome.skip("not of this contract")
        elif kept.operation.label not in safe.operations:
            outcome.skip("writes; --allow-writes sends them")
        elif key_of(kept.exchange) not in sent:
            sent.add(key_of(kept.exchange))
            yield kept


def _generate(
    plan: Plan,
    document: Document,
    outcome: Outcome,
    watch: Watch,
    left: Callable[[], float | None],
) -> None:
    for campaign in _campaigns(plan, document, outcome.state):
        labels = campaign.operations or tuple(Catalogue(document).operations)
        phase = ""
        for event in events(replace(campaign, max_time=left())):
            match event:
                case {"event": "phase" | "finished"}:
                    if event.get("reason", "completed") == "completed":
                        outcome.state.tested(phase, labels, {}, {})
                    phase = event.get("phase", phase)
                    outcome.complete = event.get("reason", "completed") == "completed"
                    if event.get("reason") == "server_unavailable":
                        outcome.errors.append("the server does not answer any more")
                case _:
                    _take(event, phase, outcome)
            watch(f"generated: {phase}", outcome)
        if not outcome.complete:
            return


def _take(event: Document, phase: str, outcome: Outcome) -> None:
    match event:
        case {"event": "tested", "cases": cases, "good": good}:
            # A chain is of many operations; they are through when all chains are.
            through = () if phase == "stateful" else cases
            outcome.state.tested(phase, through, cases, good)
        case {"event": "finding", "finding": node}:
            outcome.state.found(finding_of(node))
        case {"event": "error", "where": where, "message": message}:
            outcome.errors.append(f"{where}: {message}" if where else message)


def _campaigns(plan: Plan, document: Document, state: State) -> Iterator[Campaign]:
    """One of all phases; or for each what is left of it, if some was done before."""
    labels = tuple(Catalogue(document).operations)
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
        as_described=True,
        rate=plan.rate,
        extension=EXTENSION,
    )
    if not state.done:
        yield whole
        return
    for phase in PHASES:
        remaining = tuple(x for x in labels if (phase, x) not in state.done)
        if remaining:
            yield replace(whole, phases=(phase,), operations=remaining)
