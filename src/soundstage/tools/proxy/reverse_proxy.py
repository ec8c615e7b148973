"""The proxy itself, an ASGI application: every exchange is judged as it passes."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.apis.api import Response
from soundstage.exchange.exchange import VIOLATIONS_HEADER
from soundstage.openapi.errors import Unrouted, Violation, header_of
from soundstage.server.exchange import group_headers
from soundstage.server.message import EncodedResponse, encode_response, send_response
from soundstage.server.problems import render_problem
from soundstage.server.waiters import ClientDisconnected
from soundstage.tools.proxy.bodies import RequestBody, is_bufferable
from soundstage.tools.proxy.contract_router import ContractRouter
from soundstage.tools.proxy.control import CONTROL_PATH
from soundstage.tools.proxy.proxied_exchange import ProxiedExchange
from soundstage.tools.proxy.upstream import (
    Upstream,
    UpstreamError,
    UpstreamRequest,
    UpstreamResponse,
)
from soundstage.tools.proxy.validation import ExchangeValidator, is_event_stream

log = logging.getLogger("soundstage")

VIOLATIONS_HEADER_NAME = VIOLATIONS_HEADER.encode()


@dataclass(frozen=True, slots=True)
class ProxyPolicy:
    """What is done about violations: of which side they are refused, whether told."""

    rejects_requests: bool = False
    withholds_responses: bool = False
    adds_violations_header: bool = True


ExchangeListener = Callable[[ProxiedExchange], None]
"""Is shown every exchange when it is over, however it ended."""


class ReverseProxy:
    """Passes requests on to a service and its answers back; both are judged.

    What is asked below ``/_soundstage/`` is for the ``desk``.
    """

    def __init__(
        self,
        router: ContractRouter,
        upstream: Upstream,
        policy: ProxyPolicy,
        on_exchange: ExchangeListener,
        control_app: ASGIApp | None = None,
    ) -> None:
        self._router = router
        self._control_app = control_app
        self._upstream = upstream
        self._policy = policy
        self._on_exchange = on_exchange
        self._validator = ExchangeValidator(router, upstream.codings)
        self._tasks: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One exchange."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        if scope["type"] != "http":
            return
        if self._control_app and scope["raw_path"].startswith(CONTROL_PATH):
            await self._control_app(scope, receive, send)
            return
        headers = group_headers(scope["headers"])
        passage = ProxiedExchange(scope, RequestBody(receive, headers), headers)
        try:
            await self._run_until_disconnect(self._handle(passage, send), passage)
        finally:
            self._on_exchange(passage)

    def close(self) -> None:
        """Let go of whatever is under way."""
        for task in tuple(self._tasks):
            task.cancel()

    async def _run_until_disconnect(
        self, work: Coroutine[None, None, None], exchange: ProxiedExchange
    ) -> None:
        """Do the work until it is done, the client has gone, or we stop."""
        task = asyncio.ensure_future(work)
        leaving = asyncio.ensure_future(exchange.request_body.wait_for_disconnect())
        self._tasks.add(task)
        try:
            await asyncio.wait({task, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                exchange.note = "the client went before the end"
                task.cancel()
            await task
        except (asyncio.CancelledError, ClientDisconnected):
            exchange.note = exchange.note or "cut off before the end"
        finally:
            self._tasks.discard(task)
            leaving.cancel()
            task.cancel()

    async def _handle(self, exchange: ProxiedExchange, send: Send) -> None:
        """Answer whatever happens; an answer that has begun is cut off."""
        try:
            await self._forward(exchange, send)
        except UpstreamError as error:
            exchange.note = str(error)
            if not exchange.is_response_started:
                answer = render_problem(error.status, str(error))
                await self._respond(exchange, answer, send)
        except ClientDisconnected:
            raise
        except Exception as error:
            log.exception("the proxy failed")
            exchange.note = f"the proxy failed: {error!r}"
            if not exchange.is_response_started:
                await self._respond(exchange, render_problem(500, exchange.note), send)

    async def _forward(self, exchange: ProxiedExchange, send: Send) -> None:
        intake, scope, judgement = (
            exchange.request_body,
            exchange.scope,
            self._validator,
        )
        if self._policy.rejects_requests or is_bufferable(exchange.request_headers):
            await intake.read_ahead()
        judgement.route(exchange)
        judgement.validate_request(exchange)
        if exchange.request_errors and self._policy.rejects_requests:
            await self._reject_request(exchange, send)
            return
        content = intake.iterate_chunks() if intake.is_present else None
        outgoing = UpstreamRequest(
            scope["method"], exchange.target, scope["headers"], content
        )
        try:
            async with self._upstream.send(outgoing) as incoming:
                judgement.validate_request(exchange)
                await self._relay_response(exchange, incoming, send)
        finally:
            judgement.validate_request(exchange)

    async def _relay_response(
        self, exchange: ProxiedExchange, response: UpstreamResponse, send: Send
    ) -> None:
        """Pass an answer on: whole if it can be waited for, else as it comes."""
        exchange.status, exchange.response_headers = response.status, response.headers
        chunks = response.iterate_chunks()
        if not (
            is_bufferable(group_headers(response.headers)) or _is_bodiless(exchange)
        ):
            self._validator.validate_response_head(exchange)
            await self._stream(exchange, chunks, send)
            return
        async for chunk in chunks:
            exchange.response_body.append(chunk)
            if exchange.response_body.is_truncated:
                self._validator.validate_response_head(exchange)
                await self._stream(exchange, chunks, send)
                return
        self._validator.validate_response(exchange)
        if exchange.response_violations and self._policy.withholds_responses:
            await self._withhold_response(exchange, send)
        else:
            await self._send(exchange, _encode_buffered_response(exchange), send)

    async def _stream(
        self, exchange: ProxiedExchange, chunks: AsyncIterator[bytes], send: Send
    ) -> None:
        """Send what has come, and the rest as it comes; judge it at its end."""
        if exchange.response_violations and self._policy.withholds_responses:
            await self._withhold_response(exchange, send)
            return
        message = self._add_violations_header(
            exchange, EncodedResponse(exchange.status or 0, (), b"")
        )
        headers = [*exchange.response_headers, *message.headers]
        exchange.is_response_started = True
        start = {"type": "http.response.start", "status": exchange.status}
        await send({**start, "headers": headers})
        ended = is_event_stream(exchange.response_content_type)
        try:
            for chunk in exchange.response_body.chunks:
                await _send_chunk(chunk, send)
            async for chunk in chunks:
                exchange.response_body.append(chunk)
                await _send_chunk(chunk, send)
            ended = True
        finally:
            if ended:
                self._validator.validate_response(exchange)
        await send({"type": "http.response.body", "body": b""})

    async def _reject_request(self, exchange: ProxiedExchange, send: Send) -> None:
        """Answer as the API itself refuses."""
        error = exchange.request_errors[0]
        answer = self._router.render_error(error)
        if isinstance(error, Unrouted) and error.allowed:
            allow = ("Allow", ", ".join(error.allowed))
            answer = answer._replace(headers=(*answer.headers, allow))
        exchange.note = "refused, and not passed on"
        await self._respond(exchange, answer, send)

    async def _withhold_response(self, exchange: ProxiedExchange, send: Send) -> None:
        """Say what is wrong with an answer instead of passing it on."""
        exchange.note = "kept back; the client was given a 502"
        told = f"the answer {exchange.status} of {self._upstream.base_url}"
        answer = render_problem(502, f"{told} breaks the contract")
        listed = [violation.as_json() for violation in exchange.response_violations]
        answer = answer._replace(body={**answer.body, "violations": listed})
        await self._send(exchange, encode_response(answer), send)

    async def _respond(
        self, exchange: ProxiedExchange, response: Response, send: Send
    ) -> None:
        """Give an answer of our own, and note it as the one that there was."""
        message = encode_response(response)
        exchange.status, exchange.response_headers = message.status, message.headers
        exchange.response_body.replace(message.body)
        exchange.decoded_response_body = None
        exchange.response_violations = ()
        await self._send(exchange, message, send)

    async def _send(
        self, exchange: ProxiedExchange, message: EncodedResponse, send: Send
    ) -> None:
        exchange.is_response_started = True
        await send_response(self._add_violations_header(exchange, message), send)

    def _add_violations_header(
        self, exchange: ProxiedExchange, message: EncodedResponse
    ) -> EncodedResponse:
        """The message with a header that lists the violations so far."""
        wrong: tuple[Violation, ...] = exchange.violations
        if not wrong or not self._policy.adds_violations_header:
            return message
        kept = tuple(
            pair for pair in message.headers if pair[0] != VIOLATIONS_HEADER_NAME
        )
        return message._replace(
            headers=(*kept, (VIOLATIONS_HEADER_NAME, header_of(wrong).encode()))
        )


def _encode_buffered_response(exchange: ProxiedExchange) -> EncodedResponse:
    """An answer that was waited for. To HEAD it tells of a body that does not come."""
    headers, body = exchange.response_headers, exchange.response_body.data
    if exchange.scope["method"] != "HEAD":
        headers = tuple(pair for pair in headers if pair[0] != b"content-length")
        if not _is_bodiless(exchange):
            headers = (*headers, (b"content-length", str(len(body)).encode()))
    return EncodedResponse(exchange.status or 0, headers, body)


def _is_bodiless(exchange: ProxiedExchange) -> bool:
    """Whether there can be no body, whatever the headers say (RFC 9112, 6.3)."""
    return exchange.scope["method"] == "HEAD" or exchange.status in {204, 304}


async def _send_chunk(chunk: bytes, send: Send) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})
