"""Hooks inside schemathesis: our checks, filters, and events for the parent process.

schemathesis imports this module (``SCHEMATHESIS_HOOKS``) in the work folder of
``engine``, which contains the document as ``openapi.json``.
"""

import json
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from http import HTTPStatus
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
from soundstage.types import JsonObject

# Shells start background commands with SIGINT ignored, but the time limit of a campaign
# is enforced by SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)

URL = os.environ["SOUNDSTAGE_CAMPAIGN_URL"].rstrip("/")

IS_MOCK = bool(os.environ["SOUNDSTAGE_CAMPAIGN_IS_MOCK"])
"""Whether the server is a mock."""

RESET_PER_OPERATION = bool(os.environ["SOUNDSTAGE_CAMPAIGN_RESET"])
"""Whether the world is reset before each operation."""

SELECTED_CHECKS = [name for name in os.environ["SOUNDSTAGE_CAMPAIGN_CHECKS"].split(",") if name]

CONTROL_PATH = "/_soundstage"
"""Path prefix of the control API."""

Case = schemathesis.Case[Any]

SchemathesisCheck = Callable[[schemathesis.CheckContext, schemathesis.Response, Case], None]


def emit(**event: object) -> None:
    """Write an event for the parent process to standard error."""
    sys.stderr.write(f"{EVENT_PREFIX}{json.dumps(event, default=str)}\n")
    sys.stderr.flush()


@cache
def load_operations() -> OperationIndex:
    """Load the operations of the document, once."""
    return OperationIndex(json.loads(Path(DOCUMENT_FILE).read_bytes()))


def record_exchange(response: schemathesis.Response) -> RecordedExchange:
    """Convert a response, with its request, to a recorded exchange."""
    request = response.request
    body: Any = request.body or b""
    return RecordedExchange(
        method=str(request.method),
        url=str(request.url).removeprefix(URL) or "/",
        request_headers=tuple((n, _decode_header(v)) for n, v in request.headers.items()),
        request_body=body.encode() if isinstance(body, str) else bytes(body),
        status=response.status_code,
        response_headers=tuple((n, v) for n, vs in response.headers.items() for v in vs),
        response_body=response.content,
    )


def _decode_header(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


def send_request(exchange: RecordedExchange) -> RecordedExchange:
    """Send the request of an exchange and return it with its response."""
    request = requests.PreparedRequest()
    request.prepare(
        method=exchange.method,
        url=URL,
        headers={n: v for n, v in exchange.request_headers if n.lower() != "content-length"},
        data=exchange.request_body or None,
    )
    # Set afterwards, because prepare() would normalize the path.
    request.url = URL + exchange.url
    with requests.Session() as session:
        response = session.send(request, timeout=MOCK_TIMEOUT_S, allow_redirects=False)
    return record_exchange(schemathesis.Response.from_any(response))


def advance_clock() -> bool:
    """Advance the clock of a mock by a minute; return whether it is a mock."""
    return IS_MOCK and _post_control("/clock/advance", {"by": "1m"})


def _post_control(path: str, body: JsonObject) -> bool:
    # The URL of the control API already ends with its prefix.
    url = f"{URL.removesuffix(CONTROL_PATH)}{CONTROL_PATH}{path}"
    return requests.post(url, json=body, timeout=MOCK_TIMEOUT_S).ok


class WorldResetter:
    """Resets the world when the tested operation changes."""

    def __init__(self) -> None:
        self._current: str | None = None

    def reset_if_changed(self, case: Case) -> None:
        """Reset the world if the case starts another operation.

        Records that one operation deletes would otherwise be missing for the next.
        """
        phase = case.meta.phase.name if case.meta else None
        # Chains of operations share one world.
        subject = "chains" if phase is TestPhase.STATEFUL else case.operation.label
        if subject != self._current:
            self._current = subject
            _post_control("/worlds/default/reset", {})


WORLD_RESETTER = WorldResetter()


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: Case, _kwargs: dict[str, Any]) -> None:
    """Run before every request."""
    if RESET_PER_OPERATION:
        WORLD_RESETTER.reset_if_changed(case)


def create_check(name: str, check: Check) -> SchemathesisCheck:
    """Wrap a semantic check as a check of schemathesis."""

    def run_check(
        _context: schemathesis.CheckContext, response: schemathesis.Response, case: Case
    ) -> None:
        operation = load_operations().operations.get(case.operation.label)
        # schemathesis also sends undocumented methods.
        if not operation or response.request.method != operation.method.upper():
            return
        try:
            message = check(
                CheckContext(
                    record_exchange(response),
                    operation,
                    load_operations(),
                    send_request,
                    advance_clock,
                )
            )
        except requests.RequestException:
            return  # schemathesis itself reports servers that do not respond
        if message:
            raise AssertionError(message)

    run_check.__name__ = name
    return run_check


for _name in SELECTED_CHECKS:
    schemathesis.check(create_check(_name, CHECKS[_name]))


@schemathesis.serializer("application/x-ndjson")
def serialize_ndjson(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Serialize a list as JSON lines, and another value so that it is invalid."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, list):
        return "".join(f"{json.dumps(item)}\n" for item in value).encode() or b"\n"
    # With line breaks inside, it cannot be read as JSON lines.
    return json.dumps(value, indent=1).encode()


FRAMING_HEADERS = frozenset({"connection", "content-length", "transfer-encoding", "upgrade"})
"""HTTP framing: servers reject wrong values before an API sees the request."""


@schemathesis.hook
def filter_headers(_context: schemathesis.HookContext, headers: JsonObject | None) -> bool:
    """Keep only cases that leave HTTP framing intact."""
    return FRAMING_HEADERS.isdisjoint(name.lower() for name in headers or ())


@schemathesis.hook
def filter_query(context: schemathesis.HookContext, query: dict[str, Any] | None) -> bool:
    """Keep only queries that differ from valid ones on the wire too."""
    label = context.operation.label if context.operation else ""
    operation = load_operations().operations.get(label)
    return operation is None or operation.is_unambiguous(query or {})


@schemathesis.hook
def filter_failure(
    _context: schemathesis.HookContext, failure: Any, case: Case, response: schemathesis.Response
) -> bool:
    """Drop failures for valid requests that a mock rejects because of its state.

    The mock confirms the validity: it sends no violations header. Such rejections are
    counted; an operation without any success is visible in the report.
    """
    if not IS_MOCK or "positive_data_acceptance" not in failure.checks:
        return True
    if VIOLATIONS_HEADER in response.headers:
        return True
    emit(event="rejected", operation=case.operation.label)
    return False


@cli.handler()
class EventReporter(cli.EventHandler[Any]):
    """Emits events of schemathesis for the parent process."""

    def handle_event(self, _context: cli.ExecutionContext, event: events.EngineEvent) -> None:
        """Emit an event if the parent process needs it."""
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


def _count_cases(recorder: RecordedScenario) -> JsonObject:
    """Count cases and 2xx responses by operation, and checks by name."""
    cases: Counter[str] = Counter()
    successes: Counter[str] = Counter()
    for case_id, interaction in recorder.interactions.items():
        if interaction.response is None:
            continue
        label = recorder.cases[case_id].value.operation.label
        cases[label] += 1
        successes[label] += interaction.response.status_code < HTTPStatus.MULTIPLE_CHOICES
    checks = Counter(c.name for checks in recorder.checks.values() for c in checks)
    return {"cases": cases, "successes": successes, "checks": checks}


def _iter_failures(recorder: RecordedScenario) -> Iterator[JsonObject]:
    for case_id, checks in recorder.checks.items():
        for check in checks:
            if check.status is not Status.FAILURE or check.failure_info is None:
                continue
            info, failure = check.failure_info, check.failure_info.failure
            interaction = recorder.interactions.get(failure.case_id or case_id)
            response = interaction.response if interaction else None
            yield {
                "operation": recorder.cases[case_id].value.operation.label,
                "check": check.name,
                "title": failure.title,
                "message": failure.message,
                "code": failure.code,
                "status": response.status_code if response else None,
                # A stateful failure has a command for each of its steps.
                "curl": [step.curl for step in info.steps] or [info.code_sample],
            }
