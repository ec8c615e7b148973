"""The Connexion middleware list of one API, in order."""

from connexion.middleware import ConnexionMiddleware
from connexion.middleware.main import API as RegisteredApi  # noqa: N811 - not a constant
from connexion.resolver import Resolver
from connexion.spec import OpenAPISpecification
from starlette.types import ASGIApp

from soundstage.apis.service import Service
from soundstage.contract.contract import Contract
from soundstage.server.delivery import Delivery, Refusals
from soundstage.server.faults.middleware import Faults
from soundstage.server.middleware import (
    AnswerValidation,
    Handlers,
    RequestValidation,
    Security,
)
from soundstage.server.routing import Routing
from soundstage.types import Document


def build_stack(service: Service) -> ASGIApp:
    """The ASGI application of one API, complete before its first request."""
    app = ConnexionMiddleware(
        Handlers(),
        middlewares=[
            Delivery,  # sends the answer; an error that nobody expected becomes a 500
            Routing,  # path and method -> operation, or Unrouted
            AnswerValidation,  # holds every answer of an operation against the contract
            Refusals,  # words what is raised below in the API's own error body
            Security,  # credentials, before anything is said of the request
            RequestValidation,  # parameters and body -> arguments, or all violations
            Faults,  # whether one strikes; its answer may take the handler's place
        ],
        resolver=Resolver(service.api.handlers.__getitem__),
    )
    specification = Document31(_outline(service.contract))
    options = {**app.options.__dict__, "service": service}
    app.apis.append(RegisteredApi(specification, base_path="", **options))
    # Connexion would do this at the first request.
    stack: ASGIApp
    stack, app.middleware_stack = app._build_middleware_stack()  # noqa: SLF001
    return stack


def _outline(contract: Contract) -> Document:
    """What Connexion needs of a document: who answers where.

    It would copy and resolve the rest, which is compiled already, several times.
    """
    paths: Document = {}
    for operation in contract.operations.values():
        item = paths.setdefault(operation.path, {})
        item[operation.method.lower()] = {"operationId": operation.id}
    version = contract.document["openapi"]
    return {"openapi": version, "paths": paths, "components": {}}


class Document31(OpenAPISpecification):
    """Connexion's view of a document that our own compiler has checked."""

    def __init__(self, raw_spec: Document, *, base_uri: str = "") -> None:
        """As it is. Connexion would validate it as OpenAPI 3.0 and copy it twice."""
        self._raw_spec = self._spec = raw_spec
        self._base_uri = base_uri
