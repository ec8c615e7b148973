"""Connexion's middleware classes, each with operations that were compiled at start.

Connexion builds its validators anew for every request and knows no OpenAPI 3.1. The
seam is ``RoutedAPI.make_operation``: each class below is Connexion's, but the operation
that it makes is ours (docs/adr/0002). stack.py says in which order they stand.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import aclosing
from typing import Any

from connexion.middleware.abstract import (
    ROUTING_CONTEXT,
    AbstractRoutingAPI,
    RoutedAPI,
    RoutedMiddleware,
)
from connexion.middleware.request_validation import (
    RequestValidationAPI,
    RequestValidationMiddleware,
)
from connexion.middleware.response_validation import (
    ResponseValidationAPI,
    ResponseValidationMiddleware,
)
from connexion.middleware.routing import RoutingMiddleware
from connexion.middleware.security import SecurityAPI, SecurityMiddleware
from connexion.operations import AbstractOperation
from connexion.spec import OpenAPISpecification
from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.registry import Service
from soundstage.openapi.errors import (
    Broken,
    ContractError,
    TooLarge,
    Unrouted,
    Violation,
)
from soundstage.openapi.operation import Operation
from soundstage.openapi.router import Router
from soundstage.openapi.security import Admission
from soundstage.server.exchange import SCOPE_KEY, Exchange
from soundstage.types import Document, Json
from soundstage.world.clock import within_years

MAX_BODY_BYTES = 10 * 2**20
"""Bytes of a request's body; more is refused with 413."""


class CompiledOperations:
    """For a ``RoutedAPI``: finds the compiled operation of Connexion's."""

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        self.service = service
        super().__init__(*args, **kwargs)

    def get_compiled(self, operation: AbstractOperation) -> Operation:
        return self.service.contract.operations[operation.operation_id]


class OperationMiddleware(RoutedMiddleware[Any]):
    """Connexion's, for its one API: hands a routed request on to the operation.

    What has nothing to wait for is called, and gives what is to be awaited.
    """

    operations: Mapping[str, ASGIApp]

    def add_api(self, specification: OpenAPISpecification, **kwargs: Any) -> Any:
        api = super().add_api(specification, **kwargs)
        self.operations = api.operations
        return api

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        operation = scope["extensions"][ROUTING_CONTEXT]["operation_id"]
        return self.operations[operation](scope, receive, send)


class _ResponseOperation:
    def __init__(self, next_app: ASGIApp, operation: Operation) -> None:
        self.next_app = next_app
        self.operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.next_app(scope, receive, send)
        exchange: Exchange = scope[SCOPE_KEY]
        answer = exchange.response
        if answer is None or exchange.skip_validation:
            return
        if answer.stream is not None:
            judged = self._validate_stream(answer, answer.stream)
            exchange.response = answer._replace(stream=judged)
            return
        status, media_type, body = answer.status, answer.media_type, answer.body
        exchange.serialized_body = self.operation.write(status, media_type, body)
        if exchange.serialized_body is not None:
            wrong = self.operation.judge_headers(status, answer.headers)
        else:
            kind = None if body is None else media_type
            wrong = self.operation.judge(status, kind, body, answer.headers)
        if wrong:
            raise Broken(*wrong)

    async def _validate_stream(
        self, response: Response, stream: AsyncIterator[Json]
    ) -> AsyncIterator[Json]:
        """The items, each held against the contract as a list of one."""
        items: Any = stream  # an async generator, if it is one of ours
        async with aclosing(items):
            async for item in items:
                wrong = self.operation.judge(
                    response.status, response.media_type, [item]
                )
                if wrong:
                    raise Broken(*wrong)
                yield item


class ResponseValidationApi(CompiledOperations, ResponseValidationAPI):
    """Makes compiled operations."""

    def make_operation(self, operation: AbstractOperation) -> _ResponseOperation:
        return _ResponseOperation(self.next_app, self.get_compiled(operation))


class ResponseValidation(OperationMiddleware, ResponseValidationMiddleware):
    """Judges the value of an answer, before it is written as bytes once."""

    api_cls = ResponseValidationApi


class _SecurityOperation:
    def __init__(self, next_app: ASGIApp, authenticator: Admission) -> None:
        self.next_app = next_app
        self.authenticator = authenticator

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: Exchange = scope[SCOPE_KEY]
        exchange.credential = self.authenticator.admit(
            exchange.headers, scope["query_string"]
        )
        return self.next_app(scope, receive, send)


class SecurityApi(CompiledOperations, SecurityAPI):
    """Makes compiled operations."""

    def make_operation(self, operation: AbstractOperation) -> _SecurityOperation:
        security = self.get_compiled(operation).security
        admission = security.among(self.service.fixture.credentials)
        return _SecurityOperation(self.next_app, admission)


class Security(OperationMiddleware, SecurityMiddleware):
    """Compares credentials with the fixture's."""

    api_cls = SecurityApi


class _RequestOperation:
    def __init__(self, next_app: ASGIApp, operation: Operation) -> None:
        self.next_app = next_app
        self.operation = operation

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: Exchange = scope[SCOPE_KEY]
        exchange.arguments = self.operation.read(
            exchange.path_values,
            scope["query_string"],
            exchange.headers,
            exchange.request_body,
        )
        return self.next_app(scope, receive, send)


class _BodyOperation(_RequestOperation):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SCOPE_KEY].request_body = await _read_body(receive)
        await super().__call__(scope, receive, send)


async def _read_body(receive: Receive) -> bytes:
    """The whole body. Raises ``TooLarge`` as soon as it is over the limit."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            text = f"the body is larger than {MAX_BODY_BYTES} bytes"
            raise TooLarge(Violation("body", "size", text))
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


class RequestValidationApi(CompiledOperations, RequestValidationAPI):
    """Makes compiled operations."""

    def make_operation(self, operation: AbstractOperation) -> _RequestOperation:
        compiled = self.get_compiled(operation)
        kind = _BodyOperation if compiled.body else _RequestOperation
        return kind(self.next_app, compiled)


class RequestValidation(OperationMiddleware, RequestValidationMiddleware):
    """Reads parameters and body, collecting all that is wrong with them."""

    api_cls = RequestValidationApi


class _HandlerOperation:
    def __init__(self, operation: AbstractOperation) -> None:
        self.handler = operation.function

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        exchange: Exchange = scope[SCOPE_KEY]
        if exchange.arguments is None:
            raise RuntimeError("a handler was reached by a request nobody validated")
        hosted, lag = exchange.world_host, exchange.read_lag_ms
        lobby = hosted.waiters
        call = RequestContext(
            exchange.service.api.name,
            hosted.world,
            within_years(exchange.now - lag) if lag else exchange.now,
            exchange.arguments,
            exchange.credential,
            exchange.base_url,
            lobby,
            lobby.change_count,
            exchange.root_path,
        )
        answer = self.handler(call)
        if not isinstance(answer, Response):
            answer = await lobby.run_until_disconnect(answer, receive)
        exchange.response = answer


class HandlersApi(CompiledOperations, RoutedAPI[_HandlerOperation]):
    """Binds each operation to the handler that Connexion's resolver found for it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> _HandlerOperation:
        return _HandlerOperation(operation)


class Handlers(OperationMiddleware):
    """The end of the stack: the handlers."""

    api_cls = HandlersApi

    def __init__(self) -> None:
        super().__init__(_raise_unbound)


async def _raise_unbound(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ContractError("an operation was routed that no handler is bound to")


class RoutingApi(CompiledOperations, AbstractRoutingAPI[Operation]):
    """Collects the operations of one API in a router."""

    def __init__(self, *args: Any, router: Router[Operation], **kwargs: Any) -> None:
        self.router = router
        super().__init__(*args, **kwargs)

    def make_operation(self, operation: AbstractOperation) -> Operation:
        return self.get_compiled(operation)

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
        exchange: Exchange = scope[SCOPE_KEY]
        exchange.operation, exchange.path_values = operation, match.values
        extensions = scope.setdefault("extensions", {})
        extensions[ROUTING_CONTEXT] = self._contexts[operation.id]
        return self.app(scope, receive, send)
