"""What traffic is held against: a contract, and how its API refuses."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from soundstage import resources
from soundstage.apis.api import Answer, ApiError
from soundstage.apis.service import api
from soundstage.contract.contract import METHODS, Contract, load_contract
from soundstage.contract.operation import Operation, compile_operation
from soundstage.contract.route import Router
from soundstage.contract.violation import (
    DocumentError,
    Refused,
    Unrouted,
    pointer_of,
)
from soundstage.server.problems import problem
from soundstage.testing.specification import specification
from soundstage.types import Document


@dataclass(frozen=True, slots=True)
class Routed:
    """Where a request leads; ``operation`` is None where it cannot be judged."""

    operation: Operation | None
    values: Mapping[str, str]


class Terms:
    """A contract, ready for requests as they were sent.

    ``problem`` words a refusal. ``unjudged`` are operations that cannot be compiled,
    each with the reason; what they say is passed on as it is.
    """

    def __init__(
        self,
        contract: Contract,
        problem: Callable[[Refused | ApiError], Answer],
        unjudged: Mapping[tuple[str, str], str],
    ) -> None:
        self.contract = contract
        self.problem = problem
        self.unjudged = unjudged
        self._router: Router[Operation | None] = Router()
        for operation in contract.operations.values():
            self._router.add(operation.method, operation.path, operation)
        for method, path in unjudged:
            self._router.add(method, path, None)

    def route(self, method: str, raw_path: bytes) -> Routed:
        """The operation of a request. Raises ``Unrouted``."""
        path = raw_path.decode("latin-1")
        match = self._router.find(raw_path, method)
        if match is None:
            raise Unrouted(path)
        if method not in match.methods:
            raise Unrouted(path, tuple(sorted(match.methods)))
        return Routed(match.methods[method], match.values)


def terms_of_api(name: str) -> Terms:
    """Those of a vendored API. Raises ``Unknown`` and ``DocumentError``."""
    module = api(name)
    contract = load_contract(module.name, resources.specs() / module.name)
    return Terms(contract, module.problem, {})


def terms_of_document(given: str) -> Terms:
    """Those of any OpenAPI document: a file, or a folder with its overlay.

    Raises ``DocumentError`` for a document of which no operation can be judged.
    """
    found = specification(given)
    document = found.document
    operations: dict[str, Operation] = {}
    unjudged: dict[tuple[str, str], str] = {}
    for route, made in _compiled(document):
        if isinstance(made, Operation):
            operations[made.id] = made
        else:
            unjudged[route] = made
    if not operations:
        reason = next(iter(unjudged.values()), "it has none")
        msg = f"no operation can be judged: {reason}"
        raise found.source.error(msg, "/paths")
    return Terms(Contract(found.name, document, operations), problem, unjudged)


def _compiled(
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
                made = compile_operation(document, path, method, pointer)
            except DocumentError as error:
                made = str(error)
            except (KeyError, TypeError, AttributeError) as error:
                made = f"{pointer}: is malformed: {error!r}"
            yield (method.upper(), path), made
