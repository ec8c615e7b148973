"""Exchanges on their way into the journal: raw, only long bodies are cut."""

from collections.abc import Mapping

from starlette.types import Scope

from soundstage.exchange.coverage import ParsedBodies
from soundstage.exchange.exchange import RawExchange
from soundstage.openapi.errors import Violation
from soundstage.server.exchange import Exchange, get_base_url, get_request_path
from soundstage.server.guard import HeaderMap
from soundstage.server.message import EncodedResponse
from soundstage.types import Json
from soundstage.world.clock import wall

MAX_RECORDED_BODY_BYTES = 64 * 2**10
"""Bytes of a body that are kept."""

NO_PARAMETERS: Mapping[str, Json] = {}
NO_RESPONSE = (None, (), b"")


def record_exchange(scope: Scope, exchange: Exchange) -> None:
    """Write down an exchange that an API has answered, or that a fault cut off."""
    seen = _build_raw_exchange(scope, exchange)
    is_cut = (
        seen.request_size > MAX_RECORDED_BODY_BYTES
        or seen.response_size > MAX_RECORDED_BODY_BYTES
    )
    bodies = _get_parsed_bodies(exchange) if is_cut else None
    exchange.world_host.journal.record(seen, bodies)


def _build_raw_exchange(scope: Scope, exchange: Exchange) -> RawExchange:
    arguments, struck = exchange.arguments, exchange.applied_fault
    message = (
        exchange.encoded_response
        if struck is None or struck.fault.SENDS_RESPONSE
        else None
    )
    status, headers, answer = message or NO_RESPONSE
    body, began = exchange.request_body, exchange.received_at
    # Positional: keyword arguments would cost as much as the rest of this function.
    return RawExchange(
        exchange.now,
        began,
        wall() - began,
        exchange.service.api.name,
        exchange.operation,
        scope["method"],
        exchange.base_url,
        get_request_path(scope),
        scope["query_string"],
        arguments.parameters if arguments else NO_PARAMETERS,
        exchange.headers,
        body[:MAX_RECORDED_BODY_BYTES],
        len(body),
        status,
        headers,
        answer[:MAX_RECORDED_BODY_BYTES],
        len(answer),
        exchange.violations,
        exchange.fault_kind,
    )


def _get_parsed_bodies(exchange: Exchange) -> ParsedBodies:
    """The values of bodies of which the journal keeps the beginning only."""
    answer, arguments = exchange.response, exchange.arguments
    return arguments.body if arguments else None, answer.body if answer else None


def build_unrouted_exchange(
    scope: Scope,
    headers: HeaderMap,
    timestamp: int,
    reason: str,
    response: EncodedResponse,
) -> RawExchange:
    """An exchange whose path no API has."""
    return RawExchange(
        timestamp=timestamp,
        wall_time=wall(),
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
