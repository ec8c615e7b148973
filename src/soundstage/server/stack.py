"""The stack of one API: what a request passes through, in order.

``build_stack`` runs at start. Connexion then reads the routing document, resolves every
handler and calls each step's ``make_operation`` for every operation. At request time,
only the ``__call__`` methods of ``middleware.py`` and ``response_sender.py`` run.
"""

from connexion.middleware import ConnexionMiddleware
from connexion.middleware.main import API as RegisteredApi  # noqa: N811 - not a constant
from connexion.resolver import Resolver
from connexion.spec import OpenAPISpecification
from starlette.types import ASGIApp

from soundstage.apis.registry import Service
from soundstage.openapi.contract import Contract
from soundstage.server.middleware import (
    FaultInjection,
    Handlers,
    RequestValidation,
    ResponseValidation,
    Routing,
    Security,
)
from soundstage.server.response_sender import ResponseSender
from soundstage.types import JsonObject

STEPS = [
    # Outermost: whatever happens inside, one response is encoded and sent.
    ResponseSender,
    # Path and method -> operation. The steps below are made for that operation.
    Routing,
    # Renders errors raised below in the API's own shape, and validates every response.
    ResponseValidation,
    # Before validation: a client without credentials learns nothing about its request.
    Security,
    # Parameters and body -> arguments, or all violations at once.
    RequestValidation,
    # Valid requests only: an injected fault may replace the handler's response.
    FaultInjection,
]
"""Every request of an operation goes through these, and then to its handler."""


def build_stack(service: Service) -> ASGIApp:
    """Build the ASGI application of one API, complete before its first request."""
    app = ConnexionMiddleware(
        Handlers(), middlewares=STEPS, resolver=Resolver(service.api.handlers.__getitem__)
    )
    specification = PrecompiledSpecification(_build_routing_document(service.contract))
    options = {**app.options.__dict__, "service": service}
    app.apis.append(RegisteredApi(specification, base_path="", **options))
    # Connexion would build the stack at the first request.
    stack: ASGIApp
    stack, app.middleware_stack = app._build_middleware_stack()  # noqa: SLF001
    return stack


def _build_routing_document(contract: Contract) -> JsonObject:
    """Build the part of a document that Connexion needs: paths and operationIds.

    Connexion would copy and resolve the rest several times; it is compiled already.
    """
    paths: JsonObject = {}
    for operation in contract.operations.values():
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = {"operationId": operation.id}
    version = contract.document["openapi"]
    return {"openapi": version, "paths": paths, "components": {}}


class PrecompiledSpecification(OpenAPISpecification):
    """A document that our compiler has checked.

    Connexion would validate it as OpenAPI 3.0 and copy it twice.
    """

    def __init__(self, raw_spec: JsonObject, *, base_uri: str = "") -> None:
        self._raw_spec = self._spec = raw_spec
        self._base_uri = base_uri
