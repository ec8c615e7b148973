"""What traffic is held against: a contract, and how its API refuses."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from soundstage import vendored_files
from soundstage.apis.api import ApiError, Response
from soundstage.apis.registry import load_api
from soundstage.openapi.contract import METHODS, Contract, complete, load_contract
from soundstage.openapi.errors import DocumentError, Refused, Unrouted, pointer_of
from soundstage.openapi.operation import Operation, compile_operation
from soundstage.openapi.router import Router
from soundstage.openapi.specs import specification
from soundstage.server.problems import render_error
from soundstage.types import Document


@dataclass(frozen=True, slots=True)
class RoutedRequest:
    """Where a request leads; ``operation`` is None where it cannot be judged."""

    operation: Operation | None
    path_values: Mapping[str, str]


class ContractRouter:
    """A contract, ready for requests as they were sent.

    ``problem`` words a refusal. ``unjudged`` are operations that cannot be compiled,
    each with the reason; what they say is passed on as it is.
    """

    def __init__(
        self,
        contract: Contract,
        render_error: Callable[[Refused | ApiError], Response],
        skipped: Mapping[tuple[str, str], str],
    ) -> None:
        self.contract = contract
        self.render_error = render_error
        self.skipped = skipped
        self._router: Router[Operation | None] = Router()
        for operation in contract.operations.values():
            self._router.add(operation.method, operation.path, operation)
        for method, path in skipped:
            self._router.add(method, path, None)

    def route(self, method: str, raw_path: bytes) -> RoutedRequest:
        """The operation of a request. Raises ``Unrouted``."""
        path = raw_path.decode("latin-1")
        match = self._router.find(raw_path, method)
        if match is None:
            raise Unrouted(path)
        if method not in match.methods:
            raise Unrouted(path, tuple(sorted(match.methods)))
        return RoutedRequest(match.methods[method], match.values)


def build_api_router(name: str) -> ContractRouter:
    """Those of a vendored API. Raises ``Unknown`` and ``DocumentError``."""
    module = load_api(name)
    contract = load_contract(module.name, vendored_files.specs() / module.name)
    return ContractRouter(contract, module.render_error, {})


def build_document_router(reference: str) -> ContractRouter:
    """Those of any OpenAPI document: a file, or a folder with its overlay.

    Raises ``DocumentError`` for a document of which no operation can be judged.
    """
    found = specification(reference)
    document = found.document
    operations: dict[str, Operation] = {}
    unjudged: dict[tuple[str, str], str] = {}
    for route, made in _compile_operations(document):
        if isinstance(made, Operation):
            operations[made.id] = made
        else:
            unjudged[route] = made
    if not operations:
        reason = next(iter(unjudged.values()), "it has none")
        msg = f"no operation can be judged: {reason}"
        raise found.source.error(msg, "/paths")
    return ContractRouter(
        Contract(found.name, document, operations), render_error, unjudged
    )


def _compile_operations(
    document: Document,
) -> Iterator[tuple[tuple[str, str], Operation | str]]:
    """Method and path of every operation, and what became of it."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            pointer = pointer_of(("paths", path, method))
            made: Operation | str
            try:
                made = complete(compile_operation(document, path, method, pointer))
            except DocumentError as error:
                made = str(error)
            except (KeyError, TypeError, AttributeError) as error:
                made = f"{pointer}: is malformed: {error!r}"
            yield (method.upper(), path), made
