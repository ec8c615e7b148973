"""The steps of a request, as subclasses of Connexion's middleware classes.

Connexion registers an API with each step at start and calls ``make_operation`` once
for every operation of the document. Connexion's own operations build their validators
again for every request and know no OpenAPI 3.1, so each class here makes one that was
compiled at start instead (docs/adr/0002). ``stack.py`` lists the steps in order.

``Routing`` finds the operation of a request once. From there on, every step is an
object of that one operation and calls the next one directly.
"""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import aclosing
from typing import Any, NamedTuple

from connexion.middleware.abstract import AbstractRoutingAPI, RoutedAPI, RoutedMiddleware
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

from soundstage.apis.api import ApiError, RequestContext, Response
from soundstage.apis.registry import Service
from soundstage.openapi.errors import (
    BodyTooLarge,
    InvalidRequest,
    InvalidResponse,
    RouteNotFound,
    Violation,
)
from soundstage.openapi.operation import Operation
from soundstage.openapi.router import Router
from soundstage.openapi.security import Authenticator
from soundstage.server.exchange import SCOPE_KEY, Exchange
from soundstage.types import Json
from soundstage.world.clock import clamp_timestamp

MAX_BODY_BYTES = 10 * 2**20
"""Limit of a request's body; a longer one is rejected with 413."""


class CompiledOperations:
    """Mixin for Connexion's APIs: compiled operations, linked to the next step."""

    next_app: "OperationMiddleware"

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        self.service = service
        super().__init__(*args, **kwargs)

    def get_compiled(self, operation: AbstractOperation) -> Operation:
        """Return our operation for one of Connexion's."""
        return self.service.contract.operations[operation.operation_id]

    def get_next(self, operation: AbstractOperation) -> ASGIApp:
        """Return the next step of the same operation."""
        return self.next_app.operations[operation.operation_id]


class OperationMiddleware(RoutedMiddleware[Any]):
    """A step of the stack: an ASGI application for each operation.

    Connexion adds the API to the innermost step first. So the operations of the next
    step exist when those of this one are made, and are linked to them.
    """

    operations: Mapping[str, ASGIApp]

    def add_api(self, specification: OpenAPISpecification, **kwargs: Any) -> Any:
        api = super().add_api(specification, **kwargs)
        self.operations = api.operations
        return api


class _Route(NamedTuple):
    operation: Operation
    app: ASGIApp


class RoutingApi(CompiledOperations, AbstractRoutingAPI[_Route]):
    """Adds the operations of one API to a router."""

    def __init__(
        self, *args: Any, router: Router[_Route], next_app: OperationMiddleware, **kwargs: Any
    ) -> None:
        self.router, self.next_app = router, next_app
        super().__init__(*args, **kwargs)

    def make_operation(self, operation: AbstractOperation) -> _Route:
        return _Route(self.get_compiled(operation), self.get_next(operation))

    @staticmethod
    def _framework_path_and_name(operation: AbstractOperation, path: str) -> tuple[str, str]:
        return path, operation.operation_id

    def _add_operation_internal(
        self,
        method: str,
        path: str,
        operation: _Route,
        name: str | None = None,  # noqa: ARG002 - part of Connexion's signature
    ) -> None:
        self.router.add(method.upper(), path, operation)


class Routing(RoutingMiddleware):
    """Finds the operation of a path and method. Raises ``RouteNotFound``.

    Connexion's router (Starlette's) lists one method in ``Allow`` and redirects
    trailing slashes; ours knows all methods of a path and redirects nothing.
    """

    app: OperationMiddleware

    def __init__(self, app: OperationMiddleware) -> None:
        self.app = app
        self.router: Router[_Route] = Router()

    def add_api(self, specification: OpenAPISpecification, **kwargs: Any) -> None:
        RoutingApi(specification, router=self.router, next_app=self.app, **kwargs)

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        method = scope["method"]
        match = self.router.find(scope["raw_path"], method)
        if match is None:
            raise RouteNotFound(scope["path"])
        route = match.methods.get(method)
        if route is None:
            raise RouteNotFound(scope["path"], tuple(sorted(match.methods)))
        exchange: Exchange = scope[SCOPE_KEY]
        exchange.operation, exchange.path_values = route.operation, match.values
        # Not a coroutine: the awaitable of the next step saves a frame per request. All
        # steps that have nothing to await do the same.
        return route.app(scope, receive, send)


class _ResponseOperation:
    def __init__(self, next_app: ASGIApp, operation: Operation) -> None:
        self.next_app = next_app
        self.operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange: Exchange = scope[SCOPE_KEY]
        try:
            await self.next_app(scope, receive, send)
        except (InvalidRequest, ApiError) as error:
            # Rendered here, so that error responses are validated as well.
            exchange.reject(error)
        response = exchange.response
        if response is None or exchange.skip_validation:
            return
        if response.stream is None:
            self._validate(exchange, response)
        else:
            stream = self._validate_stream(response, response.stream)
            exchange.response = response._replace(stream=stream)

    def _validate(self, exchange: Exchange, response: Response) -> None:
        """Validate and serialize a response. Raises ``InvalidResponse``."""
        body, status, media_type, headers, _ = response
        # Serialization validates what was not validated before: None asks for the slow
        # way, which finds every violation.
        serialized = self.operation.serialize_response(status, media_type, body)
        exchange.serialized_body = serialized
        if serialized is not None:
            violations = self.operation.validate_response_headers(status, headers)
        else:
            content_type = None if body is None else media_type
            violations = self.operation.validate_response(status, content_type, body, headers)
        if violations:
            raise InvalidResponse(*violations)

    async def _validate_stream(
        self, response: Response, stream: AsyncIterator[Json]
    ) -> AsyncIterator[Json]:
        """Validate each item of a stream as a list of one, before it is sent."""
        items: Any = stream  # an async generator in all our APIs, which can be closed
        status, media_type = response.status, response.media_type
        async with aclosing(items):
            async for item in items:
                violations = self.operation.validate_response(status, media_type, [item])
                if violations:
                    raise InvalidResponse(*violations)
                yield item


class ResponseValidationApi(CompiledOperations, ResponseValidationAPI):
    """Connexion's API with compiled operations."""

    def make_operation(self, operation: AbstractOperation) -> _ResponseOperation:
        return _ResponseOperation(self.get_next(operation), self.get_compiled(operation))


class ResponseValidation(OperationMiddleware, ResponseValidationMiddleware):
    """Renders errors as responses of the API, and validates every response."""

    api_cls = ResponseValidationApi


class _SecurityOperation:
    def __init__(self, next_app: ASGIApp, authenticator: Authenticator) -> None:
        self.next_app = next_app
        self.authenticator = authenticator

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: Exchange = scope[SCOPE_KEY]
        exchange.credential = self.authenticator.authenticate(
            exchange.headers, scope["query_string"]
        )
        return self.next_app(scope, receive, send)


class SecurityApi(CompiledOperations, SecurityAPI):
    """Connexion's API with compiled operations."""

    def make_operation(self, operation: AbstractOperation) -> _SecurityOperation:
        security = self.get_compiled(operation).security
        authenticator = security.with_credentials(self.service.fixture.credentials)
        return _SecurityOperation(self.get_next(operation), authenticator)


class Security(OperationMiddleware, SecurityMiddleware):
    """Authenticates a request by the credentials of the fixture."""

    api_cls = SecurityApi


class _RequestOperation:
    def __init__(self, next_app: ASGIApp, operation: Operation) -> None:
        self.next_app = next_app
        self.operation = operation

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: Exchange = scope[SCOPE_KEY]
        exchange.arguments = self.operation.parse_request(
            exchange.path_values, scope["query_string"], exchange.headers, exchange.request_body
        )
        return self.next_app(scope, receive, send)


class _BodyOperation(_RequestOperation):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[SCOPE_KEY].request_body = await _read_body(receive)
        await super().__call__(scope, receive, send)


async def _read_body(receive: Receive) -> bytes:
    """Read the whole body. Raises ``TooLarge`` as soon as it exceeds the limit."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            text = f"the body is larger than {MAX_BODY_BYTES} bytes"
            raise BodyTooLarge(Violation("body", "size", text))
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


class RequestValidationApi(CompiledOperations, RequestValidationAPI):
    """Connexion's API with compiled operations."""

    def make_operation(self, operation: AbstractOperation) -> _RequestOperation:
        compiled = self.get_compiled(operation)
        step = _BodyOperation if compiled.body else _RequestOperation
        return step(self.get_next(operation), compiled)


class RequestValidation(OperationMiddleware, RequestValidationMiddleware):
    """Parses parameters and body. Raises ``InvalidRequest`` with all violations."""

    api_cls = RequestValidationApi


class _FaultOperation:
    def __init__(self, next_app: ASGIApp, operation: Operation) -> None:
        self.next_app = next_app
        self.operation_id = operation.id

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: Exchange = scope[SCOPE_KEY]
        if exchange.world_host.faults:
            self._apply(exchange)
        if exchange.skip_validation:
            return _skip_handler()
        return self.next_app(scope, receive, send)

    def _apply(self, exchange: Exchange) -> None:
        if exchange.arguments is None:
            raise RuntimeError("a fault needs a request that was validated")
        exchange.applied_fault = applied = exchange.world_host.faults.choose(
            exchange.service.name,
            self.operation_id,
            exchange.arguments,
            exchange.world.options.seed,
        )
        if applied:
            exchange.read_lag_ms = applied.fault.read_lag_ms()
            exchange.response = applied.fault.replace_response(exchange.service.api)
            exchange.skip_validation = exchange.response is not None


async def _skip_handler() -> None:
    """Do nothing: the fault's response takes the place of the handler's."""


class FaultApi(CompiledOperations, RoutedAPI[_FaultOperation]):
    """Connexion has no such step; this is made of its base class."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> _FaultOperation:
        return _FaultOperation(self.get_next(operation), self.get_compiled(operation))


class FaultInjection(OperationMiddleware):
    """Applies the first fault rule of the world that matches a valid request.

    What the fault does to the response is left to ``ResponseSender``: it changes
    responses that are valid.
    """

    api_cls = FaultApi


class _HandlerOperation:
    def __init__(self, operation: AbstractOperation) -> None:
        self.handler = operation.function

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        exchange: Exchange = scope[SCOPE_KEY]
        if exchange.arguments is None:
            raise RuntimeError("a handler needs a request that was validated")
        host, lag = exchange.world_host, exchange.read_lag_ms
        waiters = host.waiters
        # Positional: keyword arguments cost as much as the rest of this call.
        context = RequestContext(
            exchange.service.api.name,
            host.world,
            clamp_timestamp(exchange.now - lag) if lag else exchange.now,
            exchange.arguments,
            exchange.credential,
            exchange.base_url,
            waiters,
            waiters.change_count,
            exchange.root_path,
        )
        response = self.handler(context)
        if not isinstance(response, Response):
            response = await waiters.run_until_disconnect(response, receive)
        exchange.response = response


class HandlersApi(CompiledOperations, RoutedAPI[_HandlerOperation]):
    """Binds each operation to the handler that Connexion's resolver found for it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> _HandlerOperation:
        return _HandlerOperation(operation)


class Handlers(OperationMiddleware):
    """Calls the handler of the operation; the innermost application of the stack."""

    api_cls = HandlersApi

    def __init__(self) -> None:
        super().__init__(None)  # a handler has no next step
