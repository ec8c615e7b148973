"""A contract to validate traffic against, and the error responses of its API."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from soundstage import vendored_files
from soundstage.apis.api import ApiError, Response
from soundstage.apis.registry import load_api
from soundstage.openapi.contract import (
    METHODS,
    Contract,
    compile_schemas,
    load_contract,
)
from soundstage.openapi.errors import (
    DocumentError,
    InvalidRequest,
    RouteNotFound,
    format_pointer,
)
from soundstage.openapi.operation import Operation, compile_operation
from soundstage.openapi.router import Router
from soundstage.openapi.specs import open_spec
from soundstage.server.problems import render_error
from soundstage.types import JsonObject


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """The operation of a request; None for one that could not be compiled."""

    operation: Operation | None
    path_values: Mapping[str, str]


class ContractRouter:
    """Routes requests to the operations of a contract.

    ``render_error`` creates the error response to an invalid request. ``skipped`` are
    operations (method, path) that cannot be compiled, with the reason; their traffic is
    forwarded without validation.
    """

    def __init__(
        self,
        contract: Contract,
        render_error: Callable[[InvalidRequest | ApiError], Response],
        skipped: Mapping[tuple[str, str], str],
    ) -> None:
        self.contract = contract
        self.render_error = render_error
        self.skipped = skipped
        self._router: Router[Operation | None] = Router()
        for operation in contract.operations.values():
            self._router.add(operation.method, operation.path, operation)
        # Their paths exist, so that requests for them are not rejected.
        for method, path in skipped:
            self._router.add(method, path, None)

    def route(self, method: str, raw_path: bytes) -> RoutedRequest:
        """Return the operation of a request. Raises ``Unrouted``."""
        path = raw_path.decode("latin-1")
        match = self._router.find(raw_path, method)
        if match is None:
            raise RouteNotFound(path)
        if method not in match.methods:
            raise RouteNotFound(path, tuple(sorted(match.methods)))
        return RoutedRequest(match.methods[method], match.values)


def build_api_router(name: str) -> ContractRouter:
    """Build the router of a vendored API. Raises ``Unknown`` and ``DocumentError``."""
    api = load_api(name)
    contract = load_contract(api.name, vendored_files.specs() / api.name)
    return ContractRouter(contract, api.render_error, {})


def build_document_router(reference: str) -> ContractRouter:
    """Build the router of an OpenAPI document: a file, or a folder with an overlay.

    Raises ``DocumentError`` if no operation can be compiled.
    """
    spec = open_spec(reference)
    operations: dict[str, Operation] = {}
    skipped: dict[tuple[str, str], str] = {}
    for route, compiled in _compile_operations(spec.document):
        if isinstance(compiled, Operation):
            operations[compiled.id] = compiled
        else:
            skipped[route] = compiled
    if not operations:
        reason = next(iter(skipped.values()), "it has none")
        msg = f"no operation can be validated: {reason}"
        raise spec.source.error_at(msg, "/paths")
    contract = Contract(spec.name, spec.document, operations)
    return ContractRouter(contract, render_error, skipped)


def _compile_operations(
    document: JsonObject,
) -> Iterator[tuple[tuple[str, str], Operation | str]]:
    """Yield method and path of each operation with the compiled one, or the error."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            pointer = format_pointer(("paths", path, method))
            compiled: Operation | str
            try:
                compiled = compile_schemas(
                    compile_operation(document, path, method, pointer)
                )
            except DocumentError as error:
                compiled = str(error)
            except (KeyError, TypeError, AttributeError) as error:
                compiled = f"{pointer}: is malformed: {error!r}"
            yield (method.upper(), path), compiled
