"""Where faults strike: valid requests, before they reach their handlers."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.server.exchange import KEY, Exchange


class Faults:
    """Asks the world's rules, and lets what struck act on the way in.

    The way out is Delivery's: what went through the stack by then was found valid.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: Exchange = scope[KEY]
        if exchange.hosted.faults:
            _strike(exchange)
        return _done() if exchange.forced else self.app(scope, receive, send)


async def _done() -> None:
    """The handler is not asked."""


def _strike(exchange: Exchange) -> None:
    operation, arguments = exchange.operation, exchange.arguments
    if operation is None or arguments is None:
        raise RuntimeError("a fault was to strike a request that nobody validated")
    exchange.struck = struck = exchange.hosted.faults.choose(
        exchange.service.name, operation.id, arguments, exchange.world.opening.seed
    )
    if struck:
        exchange.lag = struck.fault.behind()
        exchange.answer = struck.fault.instead(exchange.service.api)
        exchange.forced = exchange.answer is not None
