"""Answers that go out piece by piece, as the world's clock brings their items."""

import logging
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

from soundstage.openapi.errors import Broken
from soundstage.server.exchange import Exchange
from soundstage.server.faults.connection import ClientConnection
from soundstage.server.message import encode_event
from soundstage.server.recording import MAX_RECORDED_BODY_BYTES
from soundstage.server.waiters import ClientDisconnected, WorldClosed
from soundstage.types import Json

log = logging.getLogger("soundstage")


async def send_stream(exchange: Exchange, connection: ClientConnection) -> None:
    """Send the items until there are no more, or nobody is there for them.

    An item that breaks the contract is a bug of ours, as is a stream that fails: it is
    logged, and the connection is closed in the middle of the answer.
    """
    answer, message = exchange.response, exchange.encoded_response
    if answer is None or message is None or answer.stream is None:
        raise RuntimeError("a stream was to be sent that nobody started")
    await connection.send_start(message)
    sending = _send_items(exchange, answer.stream, connection)
    try:
        await exchange.world_host.waiters.run_until_disconnect(
            sending, connection.receive
        )
    except ClientDisconnected:
        return
    except WorldClosed:
        await connection.send_chunk(b"", last=True)
    except Broken as error:
        exchange.violations = error.violations
        log.error("our own stream breaks the contract: %s", error)  # noqa: TRY400 - it says where
        await connection.finish()
    except Exception:
        log.exception("a stream failed")
        await connection.finish()
    else:
        await connection.send_chunk(b"", last=True)


async def _send_items(
    exchange: Exchange, stream: AsyncIterator[Json], connection: ClientConnection
) -> None:
    items: Any = stream  # an async generator, if it is one of ours
    async with aclosing(items):
        async for item in items:
            part = encode_event(item)
            message = exchange.encoded_response
            if message and len(message.body) < MAX_RECORDED_BODY_BYTES:
                exchange.encoded_response = message.with_more_body(part)
            await connection.send_chunk(part)
