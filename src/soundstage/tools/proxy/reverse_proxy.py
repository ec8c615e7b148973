"""The proxy: an ASGI application that forwards requests and validates each exchange.

Bodies are forwarded as they arrive. Only a body that is useless before its end (JSON,
or a short one) is buffered first, so that the response can list its violations.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass

from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.apis.api import Response
from soundstage.exchange.exchange import VIOLATIONS_HEADER
from soundstage.openapi.errors import RouteNotFound, Violation, format_header
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
    """What the proxy does about violations, besides logging them."""

    rejects_requests: bool = False
    withholds_responses: bool = False
    adds_violations_header: bool = True


ExchangeListener = Callable[[ProxiedExchange], None]
"""Called with each exchange when it has ended, for whatever reason."""


class ReverseProxy:
    """Forwards requests to a service and validates both sides of each exchange.

    Requests for ``/_soundstage/`` are for the ``control_app``.
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
        """Handle one request."""
        # Contracts describe HTTP only.
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1000})
        if scope["type"] != "http":
            return
        if self._control_app and scope["raw_path"].startswith(CONTROL_PATH):
            await self._control_app(scope, receive, send)
            return
        headers = group_headers(scope["headers"])
        exchange = ProxiedExchange(scope, RequestBody(receive, headers), headers)
        try:
            await self._run_until_disconnect(self._handle(exchange, send), exchange)
        finally:
            self._on_exchange(exchange)

    def close(self) -> None:
        """Cancel the exchanges in progress."""
        for task in tuple(self._tasks):
            task.cancel()

    async def _run_until_disconnect(
        self, work: Coroutine[None, None, None], exchange: ProxiedExchange
    ) -> None:
        """Run until the work is done, the client disconnects, or the proxy closes."""
        task = asyncio.ensure_future(work)
        disconnect = asyncio.ensure_future(exchange.request_body.wait_for_disconnect())
        self._tasks.add(task)
        try:
            await asyncio.wait({task, disconnect}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                # Cancelling the task closes the connection to the service too.
                exchange.note = "the client disconnected before the end"
                task.cancel()
            await task
        except (asyncio.CancelledError, ClientDisconnected):
            exchange.note = exchange.note or "interrupted before the end"
        finally:
            self._tasks.discard(task)
            disconnect.cancel()
            task.cancel()

    async def _handle(self, exchange: ProxiedExchange, send: Send) -> None:
        """Forward the request; send an error response if none has started."""
        try:
            await self._forward(exchange, send)
        except UpstreamError as error:
            exchange.note = str(error)
            if not exchange.is_response_started:
                response = render_problem(error.status, str(error))
                await self._respond(exchange, response, send)
        except ClientDisconnected:
            raise  # no response is possible any more
        except Exception as error:
            log.exception("the proxy failed")
            exchange.note = f"the proxy failed: {error!r}"
            if not exchange.is_response_started:
                await self._respond(exchange, render_problem(500, exchange.note), send)

    async def _forward(self, exchange: ProxiedExchange, send: Send) -> None:
        body, scope, validator = exchange.request_body, exchange.scope, self._validator
        if self._policy.rejects_requests or is_bufferable(exchange.request_headers):
            await body.read_ahead()
        validator.route(exchange)
        validator.validate_request(exchange)
        if exchange.request_errors and self._policy.rejects_requests:
            await self._reject_request(exchange, send)
            return
        content = body.iterate_chunks() if body.is_present else None
        request = UpstreamRequest(scope["method"], exchange.target, scope["headers"], content)
        try:
            async with self._upstream.send(request) as response:
                # A streamed body may be complete by now, or only with the response.
                validator.validate_request(exchange)
                await self._relay_response(exchange, response, send)
        finally:
            validator.validate_request(exchange)

    async def _relay_response(
        self, exchange: ProxiedExchange, response: UpstreamResponse, send: Send
    ) -> None:
        """Relay a response: as a whole if it can be buffered, else as it arrives."""
        exchange.status, exchange.response_headers = response.status, response.headers
        chunks = response.iterate_chunks()
        headers = group_headers(response.headers)
        if not (is_bufferable(headers) or _is_bodiless(exchange)):
            self._validator.validate_response_head(exchange)
            await self._stream(exchange, chunks, send)
            return
        async for chunk in chunks:
            exchange.response_body.append(chunk)
            if exchange.response_body.is_truncated:
                # Too long after all: stream what was buffered, and the rest.
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
        """Send what has arrived, then the rest as it arrives; validate the whole."""
        if exchange.response_violations and self._policy.withholds_responses:
            await self._withhold_response(exchange, send)
            return
        empty = EncodedResponse(exchange.status or 0, (), b"")
        added = self._add_violations_header(exchange, empty)
        headers = [*exchange.response_headers, *added.headers]
        exchange.is_response_started = True
        start = {"type": "http.response.start", "status": exchange.status}
        await send({**start, "headers": headers})
        # The events so far are a valid list; any other body must be complete.
        is_valid_list = is_event_stream(exchange.response_content_type)
        is_complete = False
        try:
            for chunk in exchange.response_body.chunks:
                await _send_chunk(chunk, send)
            async for chunk in chunks:
                exchange.response_body.append(chunk)
                await _send_chunk(chunk, send)
            is_complete = True
        finally:
            if is_complete or is_valid_list:
                self._validator.validate_response(exchange)
        await send({"type": "http.response.body", "body": b""})

    async def _reject_request(self, exchange: ProxiedExchange, send: Send) -> None:
        """Send the error response that the API itself would send."""
        error = exchange.request_errors[0]
        response = self._router.render_error(error)
        if isinstance(error, RouteNotFound) and error.allowed:
            allow = ("Allow", ", ".join(error.allowed))
            response = response._replace(headers=(*response.headers, allow))
        exchange.note = "rejected, not forwarded"
        await self._respond(exchange, response, send)

    async def _withhold_response(self, exchange: ProxiedExchange, send: Send) -> None:
        """Send a 502 that lists the violations instead of an invalid response."""
        exchange.note = "withheld; the client received a 502"
        invalid = f"the response {exchange.status} of {self._upstream.base_url}"
        response = render_problem(502, f"{invalid} violates the contract")
        listed = [violation.to_json() for violation in exchange.response_violations]
        response = response._replace(body={**response.body, "violations": listed})
        await self._send(exchange, encode_response(response), send)

    async def _respond(self, exchange: ProxiedExchange, response: Response, send: Send) -> None:
        """Send a response of the proxy itself, recorded as that of the exchange."""
        encoded = encode_response(response)
        exchange.status, exchange.response_headers = encoded.status, encoded.headers
        exchange.response_body.replace(encoded.body)
        exchange.decoded_response_body = None
        exchange.response_violations = ()
        await self._send(exchange, encoded, send)

    async def _send(self, exchange: ProxiedExchange, response: EncodedResponse, send: Send) -> None:
        exchange.is_response_started = True
        await send_response(self._add_violations_header(exchange, response), send)

    def _add_violations_header(
        self, exchange: ProxiedExchange, response: EncodedResponse
    ) -> EncodedResponse:
        """Return the response with a header that lists the violations so far."""
        violations: tuple[Violation, ...] = exchange.violations
        if not violations or not self._policy.adds_violations_header:
            return response
        name = VIOLATIONS_HEADER_NAME
        # The service may be a Soundstage too, and have sent a header of its own.
        others = tuple(pair for pair in response.headers if pair[0] != name)
        added = (name, format_header(violations).encode())
        return response._replace(headers=(*others, added))


def _encode_buffered_response(exchange: ProxiedExchange) -> EncodedResponse:
    """Return a buffered response; one to HEAD keeps the length of the missing body."""
    headers, body = exchange.response_headers, exchange.response_body.data
    # A buffered body has one length, even if the service sent it in chunks.
    if exchange.scope["method"] != "HEAD":
        headers = tuple(pair for pair in headers if pair[0] != b"content-length")
        if not _is_bodiless(exchange):
            headers = (*headers, (b"content-length", str(len(body)).encode()))
    return EncodedResponse(exchange.status or 0, headers, body)


def _is_bodiless(exchange: ProxiedExchange) -> bool:
    """Whether there is no body, regardless of the headers (RFC 9112, 6.3)."""
    return exchange.scope["method"] == "HEAD" or exchange.status in {204, 304}


async def _send_chunk(chunk: bytes, send: Send) -> None:
    await send({"type": "http.response.body", "body": chunk, "more_body": True})
