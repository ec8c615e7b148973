"""A contract: a vendor's document, its overlay applied, its operations compiled."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from soundstage import cache
from soundstage.openapi import overlay
from soundstage.openapi.document import (
    SourceFile,
    parse_document,
    read_text,
    resolve_pointer,
)
from soundstage.openapi.errors import DocumentError, format_pointer
from soundstage.openapi.operation import Operation, compile_operation
from soundstage.openapi.schema import Direction, Schema, compile_schema
from soundstage.types import JsonObject

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

SUPPORTED_VERSIONS = ("3.0.", "3.1.")

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - names


@dataclass(frozen=True, slots=True)
class Contract:
    """What may be said at one API.

    ``document`` is the effective one: the vendor's with the overlay applied.
    """

    name: str
    document: JsonObject
    operations: Mapping[str, Operation]

    @property
    def hosts(self) -> frozenset[str]:
        """The vendor's own host names, every value of every variable in them.

        Local names are left out: they are ours too.
        """
        return frozenset(
            host
            for server in self.document.get("servers", ())
            for host in _server_hosts(server)
            if host not in LOCAL_HOSTS
        )

    def response_schema(self, pointer: str) -> Schema:
        """The compiled schema of an answer's part. Raises ``DocumentError``."""
        try:
            node = resolve_pointer(self.document, pointer)
        except KeyError:
            raise DocumentError("there is no such schema", pointer) from None
        schema = compile_schema(self.document, node, pointer, Direction.RESPONSE)
        schema.compile()
        return schema


def load_contract(name: str, folder: Path) -> Contract:
    """The contract in ``openapi.yaml`` and ``overlay.yaml`` of a folder.

    Raises ``DocumentError`` with file, line and JSON pointer. What was found good once
    is compiled as it is needed.
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
    document = (
        apply_overlay(vendor_file, overlay_file)
        if overlay_file
        else vendor_file.document
    )
    try:
        return compile_contract(name, document)
    except DocumentError as error:
        raise vendor_file.error_at(error.message, error.pointer) from error


def apply_overlay(vendor_file: SourceFile, overlay_file: SourceFile) -> JsonObject:
    """The vendor's document with the overlay's actions applied."""
    if not str(overlay_file.document.get("overlay", "")).startswith("1."):
        raise overlay_file.error_at("is no OpenAPI Overlay of version 1", "/overlay")
    try:
        return overlay.apply(vendor_file.document, overlay_file.document)
    except DocumentError as error:
        raise overlay_file.error_at(error.message, error.pointer) from error
    except KeyError as error:
        raise overlay_file.error_at(f"an action lacks {error}", "/actions") from error


def compile_contract(
    name: str, document: JsonObject, *, eager: bool = True
) -> Contract:
    """A contract from an effective document. Raises ``DocumentError``.

    If it need not be ``whole``, its schemas are compiled when they are first used.
    """
    check_version(document)
    operations: dict[str, Operation] = {}
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method not in item:
                continue
            pointer = format_pointer(("paths", path, method))
            try:
                operation = compile_operation(document, path, method, pointer)
                if eager:
                    compile_schemas(operation)
            except (KeyError, TypeError, AttributeError) as error:
                msg = f"this operation lacks something or is malformed: {error!r}"
                raise DocumentError(msg, pointer) from error
            if operation.id in operations:
                msg = f"the operationId {operation.id!r} stands twice"
                raise DocumentError(msg, f"{pointer}/operationId")
            operations[operation.id] = operation
    return Contract(name, document, operations)


def compile_schemas(operation: Operation) -> Operation:
    """The operation, with all compiled that would be compiled at its first use.

    Raises ``DocumentError``.
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
    """Raise ``DocumentError`` for a version of OpenAPI that is not served."""
    if not str(document.get("openapi", "")).startswith(SUPPORTED_VERSIONS):
        msg = f"OpenAPI 3.0 and 3.1 are served, not {document.get('openapi')!r}"
        raise DocumentError(msg, "/openapi")


def _server_hosts(server: JsonObject) -> list[str]:
    """The host names of a server, one for every value of the variables in it."""
    urls = [server["url"]]
    for name, variable in server.get("variables", {}).items():
        values = variable.get("enum", [variable.get("default", "")])
        urls = [url.replace(f"{{{name}}}", value) for url in urls for value in values]
    return [host for url in urls if (host := urlsplit(url).hostname)]
