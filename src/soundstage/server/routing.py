"""Where a request goes: Connexion's routing, with a router of ours."""

from collections.abc import Awaitable
from typing import Any

from connexion.middleware.abstract import ROUTING_CONTEXT, AbstractRoutingAPI
from connexion.middleware.routing import RoutingMiddleware
from connexion.operations import AbstractOperation
from connexion.spec import OpenAPISpecification
from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.contract.operation import Operation
from soundstage.contract.route import Router
from soundstage.contract.violation import Unrouted
from soundstage.server.exchange import KEY, Exchange
from soundstage.server.middleware import Compiled
from soundstage.types import Document


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
        self._contexts: dict[str, Document] = {}

    def add_api(self, specification: OpenAPISpecification, **kwargs: Any) -> None:
        api = RoutingApi(specification, router=self.router, **kwargs)
        for name in api.service.contract.operations:
            self._contexts[name] = {"api_base_path": "", "operation_id": name}

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        method = scope["method"]
        match = self.router.find(scope["raw_path"], method)
        if match is None:
            raise Unrouted(scope["path"])
        operation = match.methods.get(method)
        if operation is None:
            raise Unrouted(scope["path"], tuple(sorted(match.methods)))
        exchange: Exchange = scope[KEY]
        exchange.operation, exchange.path_values = operation, match.values
        extensions = scope.setdefault("extensions", {})
        extensions[ROUTING_CONTEXT] = self._contexts[operation.id]
        return self.app(scope, receive, send)
