"""Answers that go out piece by piece, as the world's clock brings their items."""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from soundstage.contract.violation import Broken
from soundstage.server.exchange import Exchange
from soundstage.server.faults.wire import Wire
from soundstage.server.journal.recording import BODY_LIMIT
from soundstage.server.message import event_of
from soundstage.server.waiting import Closed, Gone
from soundstage.types import Json

log = logging.getLogger("soundstage")


async def deliver_stream(exchange: Exchange, wire: Wire) -> None:
    """Send the items until there are no more, or nobody is there for them.

    An item that breaks the contract is a bug of ours, as is a stream that fails: it is
    logged, and the connection is closed in the middle of the answer.
    """
    answer, message = exchange.answer, exchange.message
    if answer is None or message is None or answer.stream is None:
        raise RuntimeError("a stream was to be sent that nobody started")
    await wire.start(message)
    sending = _send(exchange, answer.stream, wire)
    try:
        await exchange.hosted.lobby.accompany(sending, wire.receive)
    except Gone:
        return
    except Closed:
        await wire.send_part(b"", last=True)
    except Broken as error:
        exchange.violations = error.violations
        log.error("our own stream breaks the contract: %s", error)  # noqa: TRY400 - it says where
        await wire.finish()
    except Exception:
        log.exception("a stream failed")
        await wire.finish()
    else:
        await wire.send_part(b"", last=True)


async def _send(exchange: Exchange, stream: AsyncIterator[Json], wire: Wire) -> None:
    items: Any = stream  # an async generator, if it is one of ours
    async with aclosing(items):
        async for item in items:
            part = event_of(item)
            message = exchange.message
            if message and len(message.body) < BODY_LIMIT:
                exchange.message = message.extended(part)
            await wire.send_part(part)
