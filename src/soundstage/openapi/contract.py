"""A contract: an OpenAPI document, its overlay applied, its operations compiled."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from soundstage import cache
from soundstage.openapi import overlay
from soundstage.openapi.document import SourceFile, parse_document, read_text, resolve_pointer
from soundstage.openapi.errors import DocumentError, format_pointer
from soundstage.openapi.operation import Operation, compile_operation
from soundstage.openapi.schema import Direction, Schema, compile_schema
from soundstage.types import JsonObject

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

SUPPORTED_VERSIONS = ("3.0.", "3.1.")

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - names


@dataclass(frozen=True, slots=True)
class Contract:
    """The compiled operations of one API, by operationId.

    ``document`` is the effective one: the vendor's with the overlay applied.
    ``skipped`` are the operations (method, path) that could not be compiled, with the
    reason; a strict contract has none.
    """

    name: str
    document: JsonObject
    operations: Mapping[str, Operation]
    skipped: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def hosts(self) -> frozenset[str]:
        """The vendor's host names, with every value of each server variable.

        Local names are excluded: the mock itself is reached by them.
        """
        return frozenset(
            host
            for server in self.document.get("servers", ())
            for host in _server_hosts(server)
            if host not in LOCAL_HOSTS
        )

    def response_schema(self, pointer: str) -> Schema:
        """Compile a schema that responses use. Raises ``DocumentError``."""
        try:
            node = resolve_pointer(self.document, pointer)
        except KeyError:
            raise DocumentError("this schema does not exist", pointer) from None
        schema = compile_schema(self.document, node, pointer, Direction.RESPONSE)
        schema.compile()
        return schema


def load_contract(name: str, folder: Path) -> Contract:
    """Load the contract in ``openapi.yaml`` and ``overlay.yaml`` of a folder.

    Documents that were compiled without error before come from the cache, and their
    schemas are compiled when they are first used. Raises ``DocumentError`` with file,
    line and JSON pointer.
    """
    paths = [folder / "openapi.yaml", folder / "overlay.yaml"]
    texts = [read_text(path) for path in paths if path == paths[0] or path.exists()]
    entry = cache.entry_name("contract", *texts)
    if known := cache.get(entry):
        return compile_contract(name, known, eager=False)
    sources = [
        SourceFile(path, parse_document(text, str(path)))
        for path, text in zip(paths, texts, strict=False)
    ]
    contract = _compile_sources(name, *sources)
    cache.put(entry, contract.document)
    return contract


def _compile_sources(
    name: str, vendor_file: SourceFile, overlay_file: SourceFile | None = None
) -> Contract:
    document = vendor_file.document
    if overlay_file:
        document = apply_overlay(vendor_file, overlay_file)
    try:
        return compile_contract(name, document)
    except DocumentError as error:
        raise vendor_file.error_at(error.message, error.pointer) from error


def apply_overlay(vendor_file: SourceFile, overlay_file: SourceFile) -> JsonObject:
    """Return the vendor's document with the actions of the overlay applied.

    Raises ``DocumentError`` with the place in the overlay file.
    """
    if not str(overlay_file.document.get("overlay", "")).startswith("1."):
        raise overlay_file.error_at("is not an OpenAPI Overlay 1.x", "/overlay")
    try:
        return overlay.apply(vendor_file.document, overlay_file.document)
    except DocumentError as error:
        raise overlay_file.error_at(error.message, error.pointer) from error
    except KeyError as error:
        raise overlay_file.error_at(f"an action lacks {error}", "/actions") from error


def compile_contract(
    name: str, document: JsonObject, *, eager: bool = True, strict: bool = True
) -> Contract:
    """Compile an effective document. Raises ``DocumentError``.

    If not ``eager``, schemas are compiled when they are first used. If not ``strict``,
    operations that cannot be compiled are skipped.

    >>> paths = {"/runs": {"get": {"operationId": "listRuns", "responses": {}}}}
    >>> contract = compile_contract("a", {"openapi": "3.1.0", "paths": paths})
    >>> contract.operations["listRuns"].path
    '/runs'
    """
    check_version(document)
    operations: dict[str, Operation] = {}
    skipped: dict[tuple[str, str], str] = {}
    for path, method in _iter_routes(document):
        try:
            operation = _compile_operation(document, path, method, eager=eager)
            _check_unique(operation, operations)
        except DocumentError as error:
            if strict:
                raise
            skipped[method.upper(), path] = str(error)
        else:
            operations[operation.id] = operation
    return Contract(name, document, operations, skipped)


def _iter_routes(document: JsonObject) -> Iterator[tuple[str, str]]:
    """Yield path and method (in lower case) of each operation, in document order."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield path, method


def _compile_operation(document: JsonObject, path: str, method: str, *, eager: bool) -> Operation:
    pointer = format_pointer(("paths", path, method))
    try:
        operation = compile_operation(document, path, method, pointer)
        if eager:
            compile_schemas(operation)
    except (KeyError, TypeError, AttributeError) as error:
        msg = f"this operation is incomplete or malformed: {error!r}"
        raise DocumentError(msg, pointer) from error
    return operation


def _check_unique(operation: Operation, others: Mapping[str, Operation]) -> None:
    if operation.id in others:
        msg = f"the operationId {operation.id!r} is not unique"
        raise DocumentError(msg, f"{operation.pointer}/operationId")


def compile_schemas(operation: Operation) -> Operation:
    """Compile all schemas that would be compiled at their first use.

    Returns the operation. Raises ``DocumentError``.
    """
    bodies = [operation.body.contents] if operation.body else []
    for contents in (*operation.responses.values(), *bodies):
        for content in contents.values():
            content.schema.compile()
    for parameters in (operation.parameters, *operation.response_headers.values()):
        for parameter in parameters:
            parameter.schema.compile()
    return operation


def check_version(document: JsonObject) -> None:
    """Raise ``DocumentError`` for an unsupported version of OpenAPI."""
    if not str(document.get("openapi", "")).startswith(SUPPORTED_VERSIONS):
        version = document.get("openapi")
        msg = f"OpenAPI 3.0 and 3.1 are supported, not {version!r}"
        raise DocumentError(msg, "/openapi")


def _server_hosts(server: JsonObject) -> list[str]:
    urls = [server["url"]]
    for name, variable in server.get("variables", {}).items():
        values = variable.get("enum", [variable.get("default", "")])
        urls = [url.replace(f"{{{name}}}", value) for url in urls for value in values]
    return [host for url in urls if (host := urlsplit(url).hostname)]
