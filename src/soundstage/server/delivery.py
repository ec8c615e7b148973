"""Connexion's exception middleware, twice: refusals are worded, answers are sent."""

import logging

from connexion.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.apis.api import Answer, ApiError
from soundstage.contract.violation import Broken, Refused, Unrouted, Violation
from soundstage.server.exchange import KEY, Exchange
from soundstage.server.faults.wire import Wire
from soundstage.server.message import Message, message_of
from soundstage.server.problems import problem, problem_answer, too_far
from soundstage.server.streaming import deliver_stream
from soundstage.server.waiting import Closed, Gone
from soundstage.world.errors import TooFar

log = logging.getLogger("soundstage")


class Delivery(ExceptionMiddleware):
    """Sends what the stack has come to."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope[KEY]
        try:
            await self.app(scope, receive, send)
        except Gone:
            return
        except Closed as error:
            exchange.answer_with(problem_answer(503, str(error)))
        except TooFar as error:
            exchange.answer_with(problem(too_far(error)))
        except Exception as error:  # noqa: BLE001 - nothing may escape to the client
            exchange.answer_with(*failure(error))
        if exchange.answer is None:
            return
        exchange.message = _message(exchange)
        struck, wire = exchange.struck, Wire(scope, receive, send)
        if exchange.answer.stream is not None and (not struck or struck.fault.ANSWERS):
            exchange.struck = None  # nothing but a cut does anything to a stream
            await deliver_stream(exchange, wire)
        elif struck is None:
            await wire.send_all(exchange.message)
        else:
            exchange.message = struck.written(exchange.message)
            await struck.deliver(exchange.message, wire)


def _message(exchange: Exchange) -> Message:
    """The answer as bytes; an answer that is no JSON is a bug of ours, too."""
    answer = exchange.answer or problem_answer(500, "no answer came of this request")
    try:
        return message_of(answer, exchange.violations, exchange.written)
    except (TypeError, ValueError) as error:
        failed, violations = failure(error)
        exchange.answer_with(failed, violations)
        return message_of(failed, violations)


def failure(error: Exception) -> tuple[Answer, tuple[Violation, ...]]:
    """The answer for a bug of ours: a 500 that says where it is."""
    body = {"type": "about:blank", "title": "Soundstage failed", "status": 500}
    violations: tuple[Violation, ...] = ()
    if isinstance(error, Broken):
        violations = error.violations
        detail = f"our own answer breaks the contract: {error}"
        body["violations"] = [violation.as_json() for violation in violations]
        log.error("%s", detail)
    else:
        detail = f"{type(error).__name__}: {error}"
        log.error("a handler failed", exc_info=error)
    return Answer(
        {**body, "detail": detail}, 500, "application/problem+json"
    ), violations


class Refusals(ExceptionMiddleware):
    """Turns refusals into answers."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except (Refused, ApiError) as error:
            refuse(scope[KEY], error)


def refuse(exchange: Exchange, error: Refused | ApiError) -> None:
    """Let the API word a refusal; all methods of the path go into ``Allow``."""
    answer = exchange.service.api.problem(error)
    if isinstance(error, Unrouted) and error.allowed:
        allow = ("Allow", ", ".join(error.allowed))
        answer = answer._replace(headers=(*answer.headers, allow))
    exchange.answer = answer
    if isinstance(error, Refused):
        exchange.violations = error.violations
