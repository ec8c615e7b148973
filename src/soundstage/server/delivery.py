"""Connexion's exception middleware, twice: refusals are worded, answers are sent."""

import logging

from connexion.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.apis.api import ApiError, Response
from soundstage.openapi.errors import Broken, Refused, Unrouted, Violation
from soundstage.server.exchange import SCOPE_KEY, Exchange
from soundstage.server.faults.connection import ClientConnection
from soundstage.server.message import EncodedResponse, encode_response
from soundstage.server.problems import clock_jump_problem, render_error, render_problem
from soundstage.server.streaming import send_stream
from soundstage.server.waiters import ClientDisconnected, WorldClosed
from soundstage.world.errors import TooFar

log = logging.getLogger("soundstage")


class ResponseSender(ExceptionMiddleware):
    """Sends what the stack has come to."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope[SCOPE_KEY]
        try:
            await self.app(scope, receive, send)
        except Unrouted as error:
            reject(exchange, error)
        except ClientDisconnected:
            return
        except WorldClosed as error:
            exchange.set_response(render_problem(503, str(error)))
        except TooFar as error:
            exchange.set_response(render_error(clock_jump_problem(error)))
        except Exception as error:  # noqa: BLE001 - nothing may escape to the client
            exchange.set_response(*render_failure(error))
        answer = exchange.response or _fail_without_response(exchange)
        exchange.encoded_response = _encode(exchange, answer)
        struck, wire = exchange.applied_fault, ClientConnection(scope, receive, send)
        if answer.stream is not None and (not struck or struck.fault.SENDS_RESPONSE):
            exchange.applied_fault = None  # nothing but a cut does anything to a stream
            await send_stream(exchange, wire)
        elif struck is None:
            await wire.send_all(exchange.encoded_response)
        else:
            exchange.encoded_response = struck.transform(exchange.encoded_response)
            await struck.send(exchange.encoded_response, wire)


def _fail_without_response(exchange: Exchange) -> Response:
    answer, violations = render_failure(RuntimeError("no answer came of this request"))
    exchange.set_response(answer, violations)
    return answer


def _encode(exchange: Exchange, response: Response) -> EncodedResponse:
    """The answer as bytes; an answer that is no JSON is a bug of ours, too."""
    try:
        return encode_response(response, exchange.violations, exchange.serialized_body)
    except (TypeError, ValueError) as error:
        failed, violations = render_failure(error)
        exchange.set_response(failed, violations)
        return encode_response(failed, violations)


def render_failure(error: Exception) -> tuple[Response, tuple[Violation, ...]]:
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
    return Response(
        {**body, "detail": detail}, 500, "application/problem+json"
    ), violations


class ErrorResponses(ExceptionMiddleware):
    """Turns refusals into answers."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.app(scope, receive, send)
        except (Refused, ApiError) as error:
            reject(scope[SCOPE_KEY], error)


def reject(exchange: Exchange, error: Refused | ApiError) -> None:
    """Let the API word a refusal; all methods of the path go into ``Allow``."""
    answer = exchange.service.api.render_error(error)
    if isinstance(error, Unrouted) and error.allowed:
        allow = ("Allow", ", ".join(error.allowed))
        answer = answer._replace(headers=(*answer.headers, allow))
    exchange.response = answer
    if isinstance(error, Refused):
        exchange.violations = error.violations
