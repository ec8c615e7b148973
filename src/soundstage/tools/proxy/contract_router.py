"""A contract to validate traffic against, and the error responses of its API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from soundstage import vendored_files
from soundstage.apis.api import ApiError, Response
from soundstage.apis.registry import load_api
from soundstage.openapi.contract import Contract, load_contract
from soundstage.openapi.errors import InvalidRequest, RouteNotFound
from soundstage.openapi.operation import Operation
from soundstage.openapi.router import Router
from soundstage.openapi.specs import open_spec
from soundstage.server.problems import render_error


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """The operation of a request; None for one that could not be compiled."""

    operation: Operation | None
    path_values: Mapping[str, str]


class ContractRouter:
    """Routes requests to the operations of a contract.

    ``render_error`` creates the error response to an invalid request. The traffic of
    operations that the contract has skipped is forwarded without validation.
    """

    def __init__(
        self, contract: Contract, render_error: Callable[[InvalidRequest | ApiError], Response]
    ) -> None:
        self.contract = contract
        self.render_error = render_error
        self._router: Router[Operation | None] = Router()
        for operation in contract.operations.values():
            self._router.add(operation.method, operation.path, operation)
        # Their paths exist, so that requests for them are not rejected.
        for method, path in contract.skipped:
            self._router.add(method, path, None)

    def route(self, method: str, raw_path: bytes) -> RoutedRequest:
        """Return the operation of a request. Raises ``RouteNotFound``."""
        path = raw_path.decode("latin-1")
        match = self._router.find(raw_path, method)
        if match is None:
            raise RouteNotFound(path)
        if method not in match.methods:
            raise RouteNotFound(path, tuple(sorted(match.methods)))
        return RoutedRequest(match.methods[method], match.values)


def build_api_router(name: str) -> ContractRouter:
    """Build the router of a vendored API.

    Raises ``UnknownName`` and ``DocumentError``.

    >>> build_api_router("trieve").route("POST", b"/api/dataset").operation.id
    'create_dataset'
    """
    api = load_api(name)
    contract = load_contract(api.name, vendored_files.specs() / api.name)
    return ContractRouter(contract, api.render_error)


def build_document_router(reference: str) -> ContractRouter:
    """Build the router of an OpenAPI document: a file, or a folder with an overlay.

    Raises ``DocumentError`` if no operation can be compiled.
    """
    spec = open_spec(reference)
    contract = spec.compile(strict=False)
    if not contract.operations:
        reason = next(iter(contract.skipped.values()), "it has none")
        msg = f"no operation can be validated: {reason}"
        raise spec.source.error_at(msg, "/paths")
    return ContractRouter(contract, render_error)
