"""Record exchanges in the journal of a world; long bodies are truncated."""

from collections.abc import Mapping

from starlette.types import Scope

from soundstage.exchange.coverage import ParsedBodies
from soundstage.exchange.exchange import RawExchange
from soundstage.openapi.errors import Violation
from soundstage.server.exchange import Exchange, get_base_url, get_request_path
from soundstage.server.guard import HeaderMap
from soundstage.server.message import EncodedResponse
from soundstage.types import Json
from soundstage.world.clock import wall_clock_now

MAX_RECORDED_BODY_BYTES = 64 * 2**10
"""Bytes of a body that a journal stores."""

NO_PARAMETERS: Mapping[str, Json] = {}
NO_RESPONSE = (None, (), b"")


def record_exchange(scope: Scope, exchange: Exchange) -> None:
    """Record an exchange once its response was sent, or a fault has ended it."""
    raw = _build_raw_exchange(scope, exchange)
    is_truncated = (
        raw.request_size > MAX_RECORDED_BODY_BYTES or raw.response_size > MAX_RECORDED_BODY_BYTES
    )
    # Coverage parses bodies later, but it cannot parse truncated ones.
    bodies = _get_parsed_bodies(exchange) if is_truncated else None
    exchange.world_host.journal.record(raw, bodies)


def _build_raw_exchange(scope: Scope, exchange: Exchange) -> RawExchange:
    arguments, applied = exchange.arguments, exchange.applied_fault
    is_sent = applied is None or applied.fault.SENDS_RESPONSE
    response = exchange.encoded_response if is_sent else None
    status, headers, response_body = response or NO_RESPONSE
    body, received_at = exchange.request_body, exchange.received_at
    # Positional: keyword arguments would cost as much as the rest of this function.
    return RawExchange(
        exchange.now,
        received_at,
        wall_clock_now() - received_at,
        exchange.service.api.name,
        exchange.operation,
        scope["method"],
        exchange.base_url,
        get_request_path(scope),
        scope["query_string"],
        arguments.parameters if arguments else NO_PARAMETERS,
        exchange.headers,
        # A slice of all bytes is the same object: short bodies are not copied.
        body[:MAX_RECORDED_BODY_BYTES],
        len(body),
        status,
        headers,
        response_body[:MAX_RECORDED_BODY_BYTES],
        len(response_body),
        exchange.violations,
        exchange.fault_kind,
    )


def _get_parsed_bodies(exchange: Exchange) -> ParsedBodies:
    """Return the values of the bodies, of which the journal stores the beginning."""
    arguments, response = exchange.arguments, exchange.response
    return arguments.body if arguments else None, response.body if response else None


def build_unrouted_exchange(
    scope: Scope, headers: HeaderMap, timestamp: int, reason: str, response: EncodedResponse
) -> RawExchange:
    """Return an exchange whose path no API has."""
    return RawExchange(
        timestamp=timestamp,
        wall_time=wall_clock_now(),
        duration_ms=0,
        api=None,
        operation=None,
        method=scope["method"],
        base_url=get_base_url(scope, headers),
        path=get_request_path(scope),
        query=scope["query_string"],
        parameters=NO_PARAMETERS,
        request_headers=headers,
        request_body=b"",
        request_size=0,
        status=response.status,
        response_headers=response.headers,
        response_body=response.body,
        response_size=len(response.body),
        violations=(Violation("path", "route", reason),),
        fault=None,
    )
