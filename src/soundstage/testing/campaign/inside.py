"""What runs within schemathesis: our rules as checks of its, and what it tells us.

schemathesis imports this module (``SCHEMATHESIS_HOOKS``) in the folder that ``engine``
made for it, where the document is ``openapi.json``.
"""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import requests
import schemathesis
from schemathesis import cli
from schemathesis.engine import Status, events
from schemathesis.engine.recorder import RecordedScenario
from schemathesis.generation.meta import TestPhase

from soundstage.testing.campaign.campaign import PATIENCE
from soundstage.testing.campaign.engine import DOCUMENT, MARK
from soundstage.testing.recorded import Recorded
from soundstage.testing.semantics import RULES, Rule
from soundstage.testing.semantics.described import Catalogue
from soundstage.testing.semantics.seen import Seen
from soundstage.testing.semantics.told import HEADER
from soundstage.types import Document

# Whoever starts commands in the background lets them ignore it; the end of the time
# that there is comes by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

URL = os.environ["SOUNDSTAGE_CAMPAIGN_URL"].rstrip("/")

OWN = bool(os.environ["SOUNDSTAGE_CAMPAIGN_OWN"])
"""Whether the server is a mock of ours."""

AFRESH = bool(os.environ["SOUNDSTAGE_CAMPAIGN_AFRESH"])
"""Whether each operation begins with the world as it was made."""

CHOSEN = [name for name in os.environ["SOUNDSTAGE_CAMPAIGN_RULES"].split(",") if name]

CONTROL = "/_soundstage"
"""Where a mock is controlled."""

Case = schemathesis.Case[Any]

Check = Callable[[schemathesis.CheckContext, schemathesis.Response, Case], None]


def tell(**event: object) -> None:
    """Tell the process that waits for us."""
    sys.stderr.write(f"{MARK}{json.dumps(event, default=str)}\n")
    sys.stderr.flush()


@cache
def catalogue() -> Catalogue:
    """The operations of the document."""
    return Catalogue(json.loads(Path(DOCUMENT).read_bytes()))


def recorded(response: schemathesis.Response) -> Recorded:
    """The exchange as it went over the wire."""
    request = response.request
    body: Any = request.body or b""
    return Recorded(
        method=str(request.method),
        url=str(request.url).removeprefix(URL) or "/",
        request_headers=tuple((n, _text(v)) for n, v in request.headers.items()),
        request_body=body.encode() if isinstance(body, str) else bytes(body),
        status=response.status_code,
        headers=tuple((n, v) for n, vs in response.headers.items() for v in vs),
        body=response.content,
    )


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def ask(exchange: Recorded) -> Recorded:
    """Send a request once more, or a new one."""
    request = requests.PreparedRequest()
    request.prepare(
        method=exchange.method,
        url=URL,
        headers={
            n: v for n, v in exchange.request_headers if n.lower() != "content-length"
        },
        data=exchange.request_body or None,
    )
    request.url = URL + exchange.url
    with requests.Session() as session:
        answer = session.send(request, timeout=PATIENCE, allow_redirects=False)
    return recorded(schemathesis.Response.from_any(answer))


def later() -> bool:
    """Turn a mock's clock by a minute, for what it does in its own time."""
    return OWN and _control("/clock/advance", {"by": "1m"})


def _control(path: str, body: Document) -> bool:
    url = f"{URL.removesuffix(CONTROL)}{CONTROL}{path}"
    return requests.post(url, json=body, timeout=PATIENCE).ok


class Turn:
    """Whose turn it is: an operation's, or that of chains of operations."""

    def __init__(self) -> None:
        self._now: str | None = None

    def next(self, case: Case) -> None:
        """Let a mock's world be as it was made, for each.

        What one operation deletes would else be missed by all that follow.
        """
        phase = case.meta.phase.name if case.meta else None
        turn = "chains" if phase is TestPhase.STATEFUL else case.operation.label
        if turn != self._now:
            self._now = turn
            _control("/worlds/default/reset", {})


TURN = Turn()


@schemathesis.hook
def before_call(
    _context: schemathesis.HookContext, case: Case, _kwargs: dict[str, Any]
) -> None:
    """Before every request of schemathesis's."""
    if AFRESH:
        TURN.next(case)


def check_of(name: str, rule: Rule) -> Check:
    """One of our rules, as a check of schemathesis's."""

    def check(
        _context: schemathesis.CheckContext,
        response: schemathesis.Response,
        case: Case,
    ) -> None:
        operation = catalogue().operations.get(case.operation.label)
        if not operation or response.request.method != operation.method.upper():
            return
        try:
            wrong = rule(Seen(recorded(response), operation, catalogue(), ask, later))
        except requests.RequestException:
            return  # schemathesis tells of servers that do not answer
        if wrong:
            raise AssertionError(wrong)

    check.__name__ = name
    return check


for _name in CHOSEN:
    schemathesis.check(check_of(_name, RULES[_name]))


@schemathesis.serializer("application/x-ndjson")
def lines_of(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A list as JSON lines; what is no list as a text that cannot be one."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return "".join(f"{json.dumps(item)}\n" for item in value).encode() or b"\n"
    return json.dumps(value, indent=1).encode()


FRAMING = frozenset({"connection", "content-length", "transfer-encoding", "upgrade"})
"""Headers that say how HTTP itself is spoken: a server that finds them odd refuses the
message before it is a request of any API."""


@schemathesis.hook
def filter_headers(
    _context: schemathesis.HookContext, headers: Document | None
) -> bool:
    """Let HTTP be spoken as it is."""
    return FRAMING.isdisjoint(name.lower() for name in headers or ())


@schemathesis.hook
def filter_query(
    context: schemathesis.HookContext, query: dict[str, Any] | None
) -> bool:
    """Let nothing bad be drawn that is sent as something good is."""
    label = context.operation.label if context.operation else ""
    operation = catalogue().operations.get(label)
    return operation is None or operation.is_unambiguous(query or {})


@schemathesis.hook
def filter_failure(
    _context: schemathesis.HookContext,
    failure: Any,
    case: Case,
    response: schemathesis.Response,
) -> bool:
    """A valid request may be refused by a mock of ours for what it is about.

    That it was valid, the mock says itself: it tells no violations. Such refusals are
    counted, and ``good`` shows operations that know nothing else.
    """
    if not OWN or "positive_data_acceptance" not in failure.checks:
        return True
    if HEADER in response.headers:
        return True
    tell(event="refused", operation=case.operation.label)
    return False


@cli.handler()
class Teller(cli.EventHandler[Any]):
    """Tells what happens."""

    def handle_event(
        self, _context: cli.ExecutionContext, event: events.EngineEvent
    ) -> None:
        """Tell of an event, if it is one that somebody waits for."""
        match event:
            case cli.LoadingFinished():
                tell(event="loaded", operations=event.statistic.operations.selected)
            case events.PhaseStarted():
                tell(event="phase", phase=event.phase.name.value)
            case events.ScenarioFinished():
                tell(event="tested", **_tested(event.recorder))
                for failure in _failures(event.recorder):
                    tell(event="failure", phase=event.phase.value, **failure)
            case events.NonFatalError():
                tell(event="error", where=event.label, message=str(event.value))
            case events.FatalError():
                tell(event="error", where="", message=str(event.exception))
            case events.EngineFinished():
                tell(event="finished", reason=event.stop_reason.value)


def _tested(recorder: RecordedScenario) -> Document:
    """How many cases each operation had, answers of 2xx, and checks in all."""
    cases: Counter[str] = Counter()
    good: Counter[str] = Counter()
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is None:
            continue
        label = recorder.cases[case_id].value.operation.label
        cases[label] += 1
        good[label] += interaction.response.status_code < 300  # noqa: PLR2004 - HTTP
    checks = Counter(c.name for made in recorder.checks.values() for c in made)
    return {"cases": cases, "good": good, "checks": checks}


def _failures(recorder: RecordedScenario) -> Iterator[Document]:
    for case_id, made in recorder.checks.items():
        for check in made:
            if check.status is not Status.FAILURE or check.failure_info is None:
                continue
            info, failure = check.failure_info, check.failure_info.failure
            interaction = recorder.interactions.get(failure.case_id or case_id)
            answer = interaction.response if interaction else None
            yield {
                "operation": recorder.cases[case_id].value.operation.label,
                "check": check.name,
                "title": failure.title,
                "message": failure.message,
                "code": failure.code,
                "status": answer.status_code if answer else None,
                "curl": [step.curl for step in info.steps] or [info.code_sample],
            }
