"""The Connexion middleware list of one API, in order."""

from connexion.middleware import ConnexionMiddleware
from connexion.middleware.main import API as RegisteredApi  # noqa: N811 - not a constant
from connexion.resolver import Resolver
from connexion.spec import OpenAPISpecification
from starlette.types import ASGIApp

from soundstage.apis.registry import Service
from soundstage.openapi.contract import Contract
from soundstage.server.delivery import ErrorResponses, ResponseSender
from soundstage.server.faults.middleware import FaultInjection
from soundstage.server.middleware import (
    Handlers,
    RequestValidation,
    ResponseValidation,
    Routing,
    Security,
)
from soundstage.types import Document


def build_stack(service: Service) -> ASGIApp:
    """The ASGI application of one API, complete before its first request."""
    app = ConnexionMiddleware(
        Handlers(),
        middlewares=[
            ResponseSender,  # sends the response; unexpected errors become a 500
            Routing,  # path and method -> operation, or Unrouted
            ResponseValidation,  # validates every response
            ErrorResponses,  # renders errors in the API's own shape
            Security,  # credentials, before anything is said of the request
            RequestValidation,  # parameters and body -> arguments, or all violations
            FaultInjection,  # applies a fault rule; it may replace the handler
        ],
        resolver=Resolver(service.api.handlers.__getitem__),
    )
    specification = PrecompiledSpecification(_build_routing_document(service.contract))
    options = {**app.options.__dict__, "service": service}
    app.apis.append(RegisteredApi(specification, base_path="", **options))
    # Connexion would do this at the first request.
    stack: ASGIApp
    stack, app.middleware_stack = app._build_middleware_stack()  # noqa: SLF001
    return stack


def _build_routing_document(contract: Contract) -> Document:
    """What Connexion needs of a document: who answers where.

    It would copy and resolve the rest, which is compiled already, several times.
    """
    paths: Document = {}
    for operation in contract.operations.values():
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = {"operationId": operation.id}
    version = contract.document["openapi"]
    return {"openapi": version, "paths": paths, "components": {}}


class PrecompiledSpecification(OpenAPISpecification):
    """Connexion's view of a document that our own compiler has checked."""

    def __init__(self, raw_spec: Document, *, base_uri: str = "") -> None:
        """As it is. Connexion would validate it as OpenAPI 3.0 and copy it twice."""
        self._raw_spec = self._spec = raw_spec
        self._base_uri = base_uri
