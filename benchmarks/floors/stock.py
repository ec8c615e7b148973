"""Stock Connexion: strict, with ``validate_responses=True``, and our own handlers."""

import copy
from typing import Any

from connexion import AsyncApp, request
from connexion.middleware.main import API as RegisteredApi  # noqa: N811 - not a constant
from connexion.resolver import Resolver
from connexion.spec import OpenAPISpecification

from benchmarks.floors.serve import read_recorded_responses, serve
from soundstage.apis.api import RequestContext
from soundstage.apis.registry import Service, load_services
from soundstage.openapi.operation import Arguments
from soundstage.server.hosts import WorldOptions, Worlds
from soundstage.world.clock import parse_rfc3339

NOW = parse_rfc3339("2026-01-01T00:00:00Z")


class Document31(OpenAPISpecification):
    """Connexion's class without its check of the version."""

    @classmethod
    def _validate_spec(cls, _spec: dict[str, Any]) -> None:
        """Skip: Connexion only has the schema of OpenAPI 3.0."""


def accept_credentials(*_: Any, **__: Any) -> dict[str, str]:
    """Accept all credentials; Connexion requires such a function."""
    return {"sub": "caller"}


def _build_document(service: Service, operations: set[str]) -> dict[str, Any]:
    """Return the contract with the given operations, as Connexion needs it."""
    document = copy.deepcopy(service.contract.document)
    for path, item in list(document["paths"].items()):
        for method, operation in list(item.items()):
            if isinstance(operation, dict) and (operation.get("operationId") not in operations):
                del item[method]
        if not any(isinstance(one, dict) for one in item.values()):
            del document["paths"][path]
    for scheme in document["components"].get("securitySchemes", {}).values():
        kind = "apikey" if scheme["type"] == "apiKey" else scheme.get("scheme")
        scheme[f"x-{kind}InfoFunc"] = "benchmarks.floors.stock.accept_credentials"
    return document


def _build_handler(service: Service, worlds: Worlds, operation: str) -> Any:
    handler = service.api.handlers[operation]
    hosted = worlds.default
    parameters = service.contract.operations[operation].parameters
    defaults = {one.name: one.default for one in parameters}
    in_headers = [one.name for one in parameters if one.location == "header"]

    async def handle(**values: Any) -> Any:
        body = values.pop("body", None)
        for name in in_headers:  # Connexion does not pass headers
            values[name] = request.headers.get(name)
        call = RequestContext(
            service.name,
            hosted.world,
            NOW,
            Arguments({**defaults, **values}, body),
            service.fixture.credentials[0],
            "http://127.0.0.1",
            hosted.waiters,
        )
        response = handler(call)
        return response.body, response.status, {"content-type": response.media_type}

    return handle


def build() -> AsyncApp:
    """Build an application with all recorded APIs, each below its name."""
    wanted: dict[str, set[str]] = {}
    for one in read_recorded_responses():
        wanted.setdefault(one["api"], set()).add(one["operation"])
    services = load_services(wanted)
    worlds = Worlds(services, WorldOptions(0, NOW, 0))
    app = AsyncApp("stock", strict_validation=True, validate_responses=True)
    for name, service in services.items():
        document = Document31(_build_document(service, wanted[name]))
        bound = {op: _build_handler(service, worlds, op) for op in wanted[name]}
        options = app.middleware.options.replace(
            resolver=Resolver(bound.__getitem__), strict_validation=True, validate_responses=True
        )
        api = RegisteredApi(document, base_path=f"/{name}", **options.__dict__)
        app.middleware.apis.append(api)
    return app


if __name__ == "__main__":
    serve(build())
