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
from connexion.middleware.security import SecurityAPI, SecurityMiddleware
from connexion.operations import AbstractOperation
from connexion.spec import OpenAPISpecification
from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.apis.api import Answer, Call
from soundstage.apis.service import Service
from soundstage.contract.operation import Operation
from soundstage.contract.security import Admission
from soundstage.contract.violation import (
    Broken,
    ContractError,
    TooLarge,
    Violation,
)
from soundstage.server.exchange import KEY, Exchange
from soundstage.types import Json
from soundstage.world.clock import within_years

BODY_LIMIT = 10 * 2**20
"""Bytes of a request's body; more is refused with 413."""


class Compiled:
    """For a ``RoutedAPI``: finds the compiled operation of Connexion's."""

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        self.service = service
        super().__init__(*args, **kwargs)

    def compiled(self, operation: AbstractOperation) -> Operation:
        return self.service.contract.operations[operation.operation_id]


class ByOperation(RoutedMiddleware[Any]):
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


class _AnswerOperation:
    def __init__(self, next_app: ASGIApp, operation: Operation) -> None:
        self.next_app = next_app
        self.operation = operation

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.next_app(scope, receive, send)
        exchange: Exchange = scope[KEY]
        answer = exchange.answer
        if answer is None or exchange.forced:
            return
        if answer.stream is not None:
            judged = self._judged(answer, answer.stream)
            exchange.answer = answer._replace(stream=judged)
            return
        status, media_type, body = answer.status, answer.media_type, answer.body
        exchange.written = self.operation.write(status, media_type, body)
        if exchange.written is not None:
            wrong = self.operation.judge_headers(status, answer.headers)
        else:
            kind = None if body is None else media_type
            wrong = self.operation.judge(status, kind, body, answer.headers)
        if wrong:
            raise Broken(*wrong)

    async def _judged(
        self, answer: Answer, stream: AsyncIterator[Json]
    ) -> AsyncIterator[Json]:
        """The items, each held against the contract as a list of one."""
        items: Any = stream  # an async generator, if it is one of ours
        async with aclosing(items):
            async for item in items:
                wrong = self.operation.judge(answer.status, answer.media_type, [item])
                if wrong:
                    raise Broken(*wrong)
                yield item


class AnswerValidationApi(Compiled, ResponseValidationAPI):
    """Makes compiled operations."""

    def make_operation(self, operation: AbstractOperation) -> _AnswerOperation:
        return _AnswerOperation(self.next_app, self.compiled(operation))


class AnswerValidation(ByOperation, ResponseValidationMiddleware):
    """Judges the value of an answer, before it is written as bytes once."""

    api_cls = AnswerValidationApi


class _SecurityOperation:
    def __init__(self, next_app: ASGIApp, admission: Admission) -> None:
        self.next_app = next_app
        self.admission = admission

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: Exchange = scope[KEY]
        exchange.credential = self.admission.admit(
            exchange.headers, scope["query_string"]
        )
        return self.next_app(scope, receive, send)


class SecurityApi(Compiled, SecurityAPI):
    """Makes compiled operations."""

    def make_operation(self, operation: AbstractOperation) -> _SecurityOperation:
        security = self.compiled(operation).security
        admission = security.among(self.service.fixture.credentials)
        return _SecurityOperation(self.next_app, admission)


class Security(ByOperation, SecurityMiddleware):
    """Compares credentials with the fixture's."""

    api_cls = SecurityApi


class _RequestOperation:
    def __init__(self, next_app: ASGIApp, operation: Operation) -> None:
        self.next_app = next_app
        self.operation = operation

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        exchange: Exchange = scope[KEY]
        exchange.arguments = self.operation.read(
            exchange.path_values,
            scope["query_string"],
            exchange.headers,
            exchange.request_body,
        )
        return self.next_app(scope, receive, send)


class _BodyOperation(_RequestOperation):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[KEY].request_body = await _body(receive)
        await super().__call__(scope, receive, send)


async def _body(receive: Receive) -> bytes:
    """The whole body. Raises ``TooLarge`` as soon as it is over the limit."""
    chunks, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            break
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > BODY_LIMIT:
            text = f"the body is larger than {BODY_LIMIT} bytes"
            raise TooLarge(Violation("body", "size", text))
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


class RequestValidationApi(Compiled, RequestValidationAPI):
    """Makes compiled operations."""

    def make_operation(self, operation: AbstractOperation) -> _RequestOperation:
        compiled = self.compiled(operation)
        kind = _BodyOperation if compiled.body else _RequestOperation
        return kind(self.next_app, compiled)


class RequestValidation(ByOperation, RequestValidationMiddleware):
    """Reads parameters and body, collecting all that is wrong with them."""

    api_cls = RequestValidationApi


class _HandlerOperation:
    def __init__(self, operation: AbstractOperation) -> None:
        self.handler = operation.function

    async def __call__(self, scope: Scope, receive: Receive, _send: Send) -> None:
        exchange: Exchange = scope[KEY]
        if exchange.arguments is None:
            raise RuntimeError("a handler was reached by a request nobody validated")
        hosted, lag = exchange.hosted, exchange.lag
        lobby = hosted.lobby
        call = Call(
            exchange.service.api.name,
            hosted.world,
            within_years(exchange.now - lag) if lag else exchange.now,
            exchange.arguments,
            exchange.credential,
            exchange.base_url,
            lobby,
            lobby.changes,
            exchange.root,
        )
        answer = self.handler(call)
        if not isinstance(answer, Answer):
            answer = await lobby.accompany(answer, receive)
        exchange.answer = answer


class HandlersApi(Compiled, RoutedAPI[_HandlerOperation]):
    """Binds each operation to the handler that Connexion's resolver found for it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> _HandlerOperation:
        return _HandlerOperation(operation)


class Handlers(ByOperation):
    """The end of the stack: the handlers."""

    api_cls = HandlersApi

    def __init__(self) -> None:
        super().__init__(_unreachable)


async def _unreachable(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ContractError("an operation was routed that no handler is bound to")
