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

from soundstage.exchange.recorded import RecordedExchange
from soundstage.tools.checks import CHECKS, Check
from soundstage.tools.checks.context import CheckContext
from soundstage.tools.checks.operation_spec import OperationIndex
from soundstage.tools.checks.violation_header import VIOLATIONS_HEADER
from soundstage.tools.schemathesis.campaign import MOCK_TIMEOUT_S
from soundstage.tools.schemathesis.engine import DOCUMENT_FILE, EVENT_PREFIX
from soundstage.types import Document

# Whoever starts commands in the background lets them ignore it; the end of the time
# that there is comes by it.
signal.signal(signal.SIGINT, signal.default_int_handler)

URL = os.environ["SOUNDSTAGE_CAMPAIGN_URL"].rstrip("/")

IS_MOCK = bool(os.environ["SOUNDSTAGE_CAMPAIGN_OWN"])
"""Whether the server is a mock of ours."""

RESET_PER_OPERATION = bool(os.environ["SOUNDSTAGE_CAMPAIGN_AFRESH"])
"""Whether each operation begins with the world as it was made."""

SELECTED_CHECKS = [
    name for name in os.environ["SOUNDSTAGE_CAMPAIGN_RULES"].split(",") if name
]

CONTROL_PATH = "/_soundstage"
"""Where a mock is controlled."""

Case = schemathesis.Case[Any]

SchemathesisCheck = Callable[
    [schemathesis.CheckContext, schemathesis.Response, Case], None
]


def emit(**event: object) -> None:
    """Tell the process that waits for us."""
    sys.stderr.write(f"{EVENT_PREFIX}{json.dumps(event, default=str)}\n")
    sys.stderr.flush()


@cache
def load_operations() -> OperationIndex:
    """The operations of the document."""
    return OperationIndex(json.loads(Path(DOCUMENT_FILE).read_bytes()))


def record_exchange(response: schemathesis.Response) -> RecordedExchange:
    """The exchange as it went over the wire."""
    request = response.request
    body: Any = request.body or b""
    return RecordedExchange(
        method=str(request.method),
        url=str(request.url).removeprefix(URL) or "/",
        request_headers=tuple(
            (n, _decode_header(v)) for n, v in request.headers.items()
        ),
        request_body=body.encode() if isinstance(body, str) else bytes(body),
        status=response.status_code,
        response_headers=tuple(
            (n, v) for n, vs in response.headers.items() for v in vs
        ),
        response_body=response.content,
    )


def _decode_header(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def send_request(exchange: RecordedExchange) -> RecordedExchange:
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
        answer = session.send(request, timeout=MOCK_TIMEOUT_S, allow_redirects=False)
    return record_exchange(schemathesis.Response.from_any(answer))


def advance_clock() -> bool:
    """Turn a mock's clock by a minute, for what it does in its own time."""
    return IS_MOCK and _post_control("/clock/advance", {"by": "1m"})


def _post_control(path: str, body: Document) -> bool:
    url = f"{URL.removesuffix(CONTROL_PATH)}{CONTROL_PATH}{path}"
    return requests.post(url, json=body, timeout=MOCK_TIMEOUT_S).ok


class WorldResetter:
    """Whose turn it is: an operation's, or that of chains of operations."""

    def __init__(self) -> None:
        self._current: str | None = None

    def reset_if_changed(self, case: Case) -> None:
        """Let a mock's world be as it was made, for each.

        What one operation deletes would else be missed by all that follow.
        """
        phase = case.meta.phase.name if case.meta else None
        turn = "chains" if phase is TestPhase.STATEFUL else case.operation.label
        if turn != self._current:
            self._current = turn
            _post_control("/worlds/default/reset", {})


WORLD_RESETTER = WorldResetter()


@schemathesis.hook
def before_call(
    _context: schemathesis.HookContext, case: Case, _kwargs: dict[str, Any]
) -> None:
    """Before every request of schemathesis's."""
    if RESET_PER_OPERATION:
        WORLD_RESETTER.reset_if_changed(case)


def create_check(name: str, check: Check) -> SchemathesisCheck:
    """One of our rules, as a check of schemathesis's."""

    def run_check(
        _context: schemathesis.CheckContext,
        response: schemathesis.Response,
        case: Case,
    ) -> None:
        operation = load_operations().operations.get(case.operation.label)
        if not operation or response.request.method != operation.method.upper():
            return
        try:
            wrong = check(
                CheckContext(
                    record_exchange(response),
                    operation,
                    load_operations(),
                    send_request,
                    advance_clock,
                )
            )
        except requests.RequestException:
            return  # schemathesis tells of servers that do not answer
        if wrong:
            raise AssertionError(wrong)

    run_check.__name__ = name
    return run_check


for _name in SELECTED_CHECKS:
    schemathesis.check(create_check(_name, CHECKS[_name]))


@schemathesis.serializer("application/x-ndjson")
def serialize_ndjson(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """A list as JSON lines; what is no list as a text that cannot be one."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return "".join(f"{json.dumps(item)}\n" for item in value).encode() or b"\n"
    return json.dumps(value, indent=1).encode()


FRAMING_HEADERS = frozenset(
    {"connection", "content-length", "transfer-encoding", "upgrade"}
)
"""Headers that say how HTTP itself is spoken: a server that finds them odd refuses the
message before it is a request of any API."""


@schemathesis.hook
def filter_headers(
    _context: schemathesis.HookContext, headers: Document | None
) -> bool:
    """Let HTTP be spoken as it is."""
    return FRAMING_HEADERS.isdisjoint(name.lower() for name in headers or ())


@schemathesis.hook
def filter_query(
    context: schemathesis.HookContext, query: dict[str, Any] | None
) -> bool:
    """Let nothing bad be drawn that is sent as something good is."""
    label = context.operation.label if context.operation else ""
    operation = load_operations().operations.get(label)
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
    if not IS_MOCK or "positive_data_acceptance" not in failure.checks:
        return True
    if VIOLATIONS_HEADER in response.headers:
        return True
    emit(event="refused", operation=case.operation.label)
    return False


@cli.handler()
class EventReporter(cli.EventHandler[Any]):
    """Tells what happens."""

    def handle_event(
        self, _context: cli.ExecutionContext, event: events.EngineEvent
    ) -> None:
        """Tell of an event, if it is one that somebody waits for."""
        match event:
            case cli.LoadingFinished():
                emit(event="loaded", operations=event.statistic.operations.selected)
            case events.PhaseStarted():
                emit(event="phase", phase=event.phase.name.value)
            case events.ScenarioFinished():
                emit(event="tested", **_count_cases(event.recorder))
                for failure in _iter_failures(event.recorder):
                    emit(event="failure", phase=event.phase.value, **failure)
            case events.NonFatalError():
                emit(event="error", where=event.label, message=str(event.value))
            case events.FatalError():
                emit(event="error", where="", message=str(event.exception))
            case events.EngineFinished():
                emit(event="finished", reason=event.stop_reason.value)


def _count_cases(recorder: RecordedScenario) -> Document:
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


def _iter_failures(recorder: RecordedScenario) -> Iterator[Document]:
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
