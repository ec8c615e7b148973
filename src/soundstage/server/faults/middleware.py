"""Where faults strike: valid requests, before they reach their handlers."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.server.exchange import SCOPE_KEY, Exchange


class FaultInjection:
    """Asks the world's rules, and lets what struck act on the way in.

    The way out is Delivery's: what went through the stack by then was found valid.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: Exchange = scope[SCOPE_KEY]
        if exchange.world_host.faults:
            _apply_fault(exchange)
        return (
            _skip_handler()
            if exchange.skip_validation
            else self.app(scope, receive, send)
        )


async def _skip_handler() -> None:
    """The handler is not asked."""


def _apply_fault(exchange: Exchange) -> None:
    operation, arguments = exchange.operation, exchange.arguments
    if operation is None or arguments is None:
        raise RuntimeError("a fault was to strike a request that nobody validated")
    exchange.applied_fault = struck = exchange.world_host.faults.choose(
        exchange.service.name, operation.id, arguments, exchange.world.opening.seed
    )
    if struck:
        exchange.read_lag_ms = struck.fault.read_lag_ms()
        exchange.response = struck.fault.replace_response(exchange.service.api)
        exchange.skip_validation = exchange.response is not None
