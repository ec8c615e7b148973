"""The outermost step of a stack: sends the response, whatever the steps inside did."""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from connexion.middleware.exceptions import ExceptionMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.apis.api import Response
from soundstage.openapi.errors import InvalidResponse, RouteNotFound
from soundstage.server.exchange import SCOPE_KEY, Exchange
from soundstage.server.faults.connection import ClientConnection
from soundstage.server.message import EncodedResponse, encode_event, encode_response
from soundstage.server.problems import (
    clock_jump_problem,
    render_error,
    render_failure,
    render_problem,
)
from soundstage.server.recording import MAX_RECORDED_BODY_BYTES
from soundstage.server.waiters import ClientDisconnected, WorldClosed
from soundstage.types import Json
from soundstage.world.errors import ClockJumpTooLarge

log = logging.getLogger("soundstage")


class ResponseSender(ExceptionMiddleware):
    """Turns exceptions into responses, encodes the response and sends it.

    An applied fault decides how it is sent. No exception of the steps inside gets out,
    except those by which a fault cuts a connection in process.
    """

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(app)
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope[SCOPE_KEY]
        try:
            await self.app(scope, receive, send)
        except RouteNotFound as error:
            exchange.reject(error)
        except ClientDisconnected:
            return
        except WorldClosed as error:
            exchange.set_response(render_problem(503, str(error)))
        except ClockJumpTooLarge as error:
            exchange.set_response(render_error(clock_jump_problem(error)))
        except Exception as error:  # noqa: BLE001 - nothing may escape to the client
            exchange.set_response(*render_failure(error))
        response = exchange.response or _fail_without_response(exchange)
        exchange.encoded_response = _encode(exchange, response)
        connection = ClientConnection(scope, receive, send)
        applied = exchange.applied_fault
        if response.stream and not (applied and not applied.fault.SENDS_RESPONSE):
            # Of all faults, only those that send no response apply to a stream.
            exchange.applied_fault = None
            await send_stream(exchange, connection)
        elif applied is None:
            await connection.send_all(exchange.encoded_response)
        else:
            exchange.encoded_response = applied.transform(exchange.encoded_response)
            await applied.send(exchange.encoded_response, connection)


def _fail_without_response(exchange: Exchange) -> Response:
    response, violations = render_failure(RuntimeError("no step returned a response"))
    exchange.set_response(response, violations)
    return response


def _encode(exchange: Exchange, response: Response) -> EncodedResponse:
    """Encode a response; a value that is not JSON is a failure of ours, too."""
    try:
        return encode_response(response, exchange.violations, exchange.serialized_body)
    except (TypeError, ValueError) as error:
        failure, violations = render_failure(error)
        exchange.set_response(failure, violations)
        return encode_response(failure, violations)


async def send_stream(exchange: Exchange, connection: ClientConnection) -> None:
    """Send the items of a stream until it ends or the client disconnects.

    An item that violates the contract, or a stream that raises, is a failure of ours:
    it is logged, and the connection is closed in the middle of the response, since the
    status has been sent.
    """
    response, encoded = exchange.response, exchange.encoded_response
    if response is None or encoded is None or response.stream is None:
        raise RuntimeError("a stream is sent after its response was encoded")
    await connection.send_start(encoded)
    sending = _send_items(exchange, response.stream, connection)
    try:
        waiters = exchange.world_host.waiters
        await waiters.run_until_disconnect(sending, connection.receive)
    except ClientDisconnected:
        return
    except WorldClosed:
        await connection.send_chunk(b"", last=True)
    except InvalidResponse as error:
        exchange.violations = error.violations
        log.error("our own stream violates the contract: %s", error)  # noqa: TRY400 - the message names the place
        await connection.finish()
    except Exception:
        log.exception("a stream failed")
        await connection.finish()
    else:
        await connection.send_chunk(b"", last=True)


async def _send_items(
    exchange: Exchange, stream: AsyncIterator[Json], connection: ClientConnection
) -> None:
    items: Any = stream  # an async generator in all our APIs, which can be closed
    async with aclosing(items):
        async for item in items:
            chunk = encode_event(item)
            encoded = exchange.encoded_response
            # The journal needs the beginning of a long stream only.
            if encoded and len(encoded.body) < MAX_RECORDED_BODY_BYTES:
                exchange.encoded_response = encoded.with_more_body(chunk)
            await connection.send_chunk(chunk)
