"""Where faults strike: valid requests, before they reach their handlers."""

from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.server.exchange import KEY, Exchange


class Faults:
    """Asks the world's rules, and lets what struck act on the way in.

    The way out is Delivery's: what went through the stack by then was found valid.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope[KEY]
        if exchange.hosted.faults:
            _strike(exchange)
        if not exchange.forced:
            await self.app(scope, receive, send)


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
