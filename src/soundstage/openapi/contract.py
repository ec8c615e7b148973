"""A contract: a vendor's document, its overlay applied, its operations compiled."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from soundstage import cache
from soundstage.openapi import overlay
from soundstage.openapi.document import Source, loads, read, resolved
from soundstage.openapi.errors import DocumentError, pointer_of
from soundstage.openapi.operation import Operation, compile_operation
from soundstage.openapi.schema import Schema, Side, compile_schema
from soundstage.types import Document

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

VERSIONS = ("3.0.", "3.1.")

LOCAL = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - names


@dataclass(frozen=True, slots=True)
class Contract:
    """What may be said at one API.

    ``document`` is the effective one: the vendor's with the overlay applied.
    """

    name: str
    document: Document
    operations: Mapping[str, Operation]

    @property
    def hosts(self) -> frozenset[str]:
        """The vendor's own host names, every value of every variable in them.

        Local names are left out: they are ours too.
        """
        return frozenset(
            host
            for server in self.document.get("servers", ())
            for host in _hosts(server)
            if host not in LOCAL
        )

    def schema(self, pointer: str) -> Schema:
        """The compiled schema of an answer's part. Raises ``DocumentError``."""
        try:
            node = resolved(self.document, pointer)
        except KeyError:
            raise DocumentError("there is no such schema", pointer) from None
        schema = compile_schema(self.document, node, pointer, Side.ANSWER)
        schema.compile()
        return schema


def load_contract(name: str, folder: Path) -> Contract:
    """The contract in ``openapi.yaml`` and ``overlay.yaml`` of a folder.

    Raises ``DocumentError`` with file, line and JSON pointer. What was found good once
    is compiled as it is needed.
    """
    paths = [folder / "openapi.yaml", folder / "overlay.yaml"]
    texts = [read(path) for path in paths if path == paths[0] or path.exists()]
    entry = cache.entry("contract", *texts)
    if known := cache.get(entry):
        return compile_contract(name, known, whole=False)
    sources = [
        Source(path, loads(text, str(path)))
        for path, text in zip(paths, texts, strict=False)
    ]
    contract = _judged(name, *sources)
    cache.put(entry, contract.document)
    return contract


def _judged(name: str, vendor: Source, repairs: Source | None = None) -> Contract:
    document = overlaid(vendor, repairs) if repairs else vendor.document
    try:
        return compile_contract(name, document)
    except DocumentError as error:
        raise vendor.error(error.message, error.pointer) from error


def overlaid(vendor: Source, repairs: Source) -> Document:
    """The vendor's document with the overlay's actions applied."""
    if not str(repairs.document.get("overlay", "")).startswith("1."):
        raise repairs.error("is no OpenAPI Overlay of version 1", "/overlay")
    try:
        return overlay.apply(vendor.document, repairs.document)
    except DocumentError as error:
        raise repairs.error(error.message, error.pointer) from error
    except KeyError as error:
        raise repairs.error(f"an action lacks {error}", "/actions") from error


def compile_contract(name: str, document: Document, *, whole: bool = True) -> Contract:
    """A contract from an effective document. Raises ``DocumentError``.

    If it need not be ``whole``, its schemas are compiled when they are first used.
    """
    check_version(document)
    operations: dict[str, Operation] = {}
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            pointer = pointer_of(("paths", path, method))
            try:
                operation = compile_operation(document, path, method, pointer)
                if whole:
                    complete(operation)
            except (KeyError, TypeError, AttributeError) as error:
                msg = f"this operation lacks something or is malformed: {error!r}"
                raise DocumentError(msg, pointer) from error
            if operation.id in operations:
                msg = f"the operationId {operation.id!r} stands twice"
                raise DocumentError(msg, f"{pointer}/operationId")
            operations[operation.id] = operation
    return Contract(name, document, operations)


def complete(operation: Operation) -> Operation:
    """The operation, with all compiled that would be compiled at its first use.

    Raises ``DocumentError``.
    """
    bodies = [operation.body.contents] if operation.body else []
    for contents in (*operation.answers.values(), *bodies):
        for content in contents.values():
            content.schema.compile()
    for parameters in (operation.parameters, *operation.answer_headers.values()):
        for parameter in parameters:
            parameter.schema.compile()
    return operation


def check_version(document: Document) -> None:
    """Raise ``DocumentError`` for a version of OpenAPI that is not served."""
    if not str(document.get("openapi", "")).startswith(VERSIONS):
        msg = f"OpenAPI 3.0 and 3.1 are served, not {document.get('openapi')!r}"
        raise DocumentError(msg, "/openapi")


def _hosts(server: Document) -> list[str]:
    """The host names of a server, one for every value of the variables in it."""
    urls = [server["url"]]
    for name, variable in server.get("variables", {}).items():
        values = variable.get("enum", [variable.get("default", "")])
        urls = [url.replace(f"{{{name}}}", value) for url in urls for value in values]
    return [host for url in urls if (host := urlsplit(url).hostname)]
