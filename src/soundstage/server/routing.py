"""Where a request goes: Connexion's routing, with a router of ours."""

from typing import Any

from connexion.middleware.abstract import ROUTING_CONTEXT, AbstractRoutingAPI
from connexion.middleware.routing import RoutingMiddleware
from connexion.operations import AbstractOperation
from connexion.spec import OpenAPISpecification
from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.contract.operation import Operation
from soundstage.contract.route import Router
from soundstage.contract.violation import Unrouted
from soundstage.server.delivery import refuse
from soundstage.server.exchange import KEY, Exchange
from soundstage.server.middleware import Compiled


class RoutingApi(Compiled, AbstractRoutingAPI[Operation]):
    """Collects the operations of one API in a router."""

    def __init__(self, *args: Any, router: Router[Operation], **kwargs: Any) -> None:
        self.router = router
        super().__init__(*args, **kwargs)

    def make_operation(self, operation: AbstractOperation) -> Operation:
        return self.compiled(operation)

    @staticmethod
    def _framework_path_and_name(
        operation: AbstractOperation, path: str
    ) -> tuple[str, str]:
        return path, operation.operation_id

    def _add_operation_internal(
        self,
        method: str,
        path: str,
        operation: Operation,
        name: str | None = None,  # noqa: ARG002 - Connexion hands it in
    ) -> None:
        self.router.add(method.upper(), path, operation)


class Routing(RoutingMiddleware):
    """Connexion's, with a router that knows every method of a path and no redirects."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.router: Router[Operation] = Router()

    def add_api(self, specification: OpenAPISpecification, **kwargs: Any) -> None:
        RoutingApi(specification, router=self.router, **kwargs)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope[KEY]
        try:
            self._route(scope)
        except Unrouted as error:
            refuse(exchange, error)
        else:
            await self.app(scope, receive, send)
        if exchange.answer is None:
            raise RuntimeError("no answer came of this request")

    def _route(self, scope: Scope) -> None:
        method = scope["method"]
        match = self.router.find(scope["raw_path"], method)
        if match is None:
            raise Unrouted(scope["path"])
        operation = match.methods.get(method)
        if operation is None:
            raise Unrouted(scope["path"], tuple(sorted(match.methods)))
        exchange: Exchange = scope[KEY]
        exchange.operation, exchange.path_values = operation, match.values
        scope.setdefault("extensions", {})[ROUTING_CONTEXT] = {
            "api_base_path": "",
            "operation_id": operation.id,
        }
