"""Exchanges on their way into the journal: raw, only long bodies are cut."""

from collections.abc import Mapping

from starlette.types import Scope

from soundstage.contract.violation import Violation
from soundstage.server.exchange import Exchange, base_url_of, path_of
from soundstage.server.guard import Headers
from soundstage.server.journal.coverage import Bodies
from soundstage.server.journal.entry import Seen
from soundstage.server.message import Message
from soundstage.types import Json
from soundstage.world.clock import wall

BODY_LIMIT = 64 * 2**10
"""Bytes of a body that are kept."""

NOTHING: Mapping[str, Json] = {}
UNANSWERED = (None, (), b"")


def record(scope: Scope, exchange: Exchange) -> None:
    """Write down an exchange that an API has answered, or that a fault cut off."""
    seen = _seen_of(scope, exchange)
    is_cut = seen.body_size > BODY_LIMIT or seen.answer_size > BODY_LIMIT
    bodies = _bodies_of(exchange) if is_cut else None
    exchange.hosted.journal.record(seen, bodies)


def _seen_of(scope: Scope, exchange: Exchange) -> Seen:
    arguments, struck = exchange.arguments, exchange.struck
    message = exchange.message if struck is None or struck.fault.ANSWERS else None
    status, headers, answer = message or UNANSWERED
    body, began = exchange.request_body, exchange.wall
    return Seen(  # in the order of its fields: names would cost as much as the rest
        exchange.now,
        began,
        wall() - began,
        exchange.service.api.name,
        exchange.operation,
        scope["method"],
        exchange.base_url,
        path_of(scope),
        scope["query_string"],
        arguments.parameters if arguments else NOTHING,
        exchange.headers,
        body[:BODY_LIMIT],
        len(body),
        status,
        headers,
        answer[:BODY_LIMIT],
        len(answer),
        exchange.violations,
        exchange.fault,
    )


def _bodies_of(exchange: Exchange) -> Bodies:
    """The values of bodies of which the journal keeps the beginning only."""
    answer, arguments = exchange.answer, exchange.arguments
    return arguments.body if arguments else None, answer.body if answer else None


def stray_of(
    scope: Scope, headers: Headers, at: int, reason: str, message: Message
) -> Seen:
    """An exchange whose path no API has."""
    return Seen(
        at=at,
        wall=wall(),
        took=0,
        api=None,
        operation=None,
        method=scope["method"],
        base_url=base_url_of(scope, headers),
        path=path_of(scope),
        query=scope["query_string"],
        parameters=NOTHING,
        headers=headers,
        body=b"",
        body_size=0,
        status=message.status,
        answer_headers=message.headers,
        answer_body=message.body,
        answer_size=len(message.body),
        violations=(Violation("path", "route", reason),),
        fault=None,
    )
