"""``soundstage check``: validate specs, overlays and fixtures before they are used."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from soundstage import vendored_files
from soundstage.apis import registry
from soundstage.openapi.contract import apply_overlay, check_version, compile_contract
from soundstage.openapi.document import SourceFile, load_document
from soundstage.openapi.errors import DocumentError, format_pointer
from soundstage.types import JsonObject
from soundstage.world.errors import UnknownName


@dataclass(frozen=True, slots=True)
class FileCheck:
    """Result for one file: ``what`` describes a valid one, ``error`` an invalid one."""

    file: str
    what: str
    error: str | None = None


def check(files: Iterable[Path] = ()) -> Iterator[FileCheck]:
    """Check these files, by default all vendored ones."""
    for path in files or _iter_vendored_files():
        try:
            yield FileCheck(str(path), _check_file(path))
        except DocumentError as error:
            yield FileCheck(str(path), "", str(error))


def _iter_vendored_files() -> Iterator[Path]:
    for folder in sorted(vendored_files.specs().iterdir()):
        yield from sorted(folder.glob("*.yaml"), reverse=True)
    yield from sorted(vendored_files.fixtures().glob("*.yaml"))


def _check_file(path: Path) -> str:
    """Describe a valid file. Raises ``DocumentError``."""
    source = load_document(path)
    if "overlay" in source.document:
        apply_overlay(load_document(path.parent / "openapi.yaml"), source)
        return f"overlay of {len(source.document.get('actions', ()))} actions"
    if "openapi" in source.document:
        return _check_document(source)
    if "api" in source.document:
        return _check_fixture(path)
    raise source.error_at("is neither an OpenAPI document, an overlay nor a fixture")


def _check_document(source: SourceFile) -> str:
    overlay = source.path.parent / "overlay.yaml"
    document = source.document
    if overlay.exists():
        document = apply_overlay(source, load_document(overlay))
    try:
        check_version(document)
        _validate_specification(document)
        contract = compile_contract(source.path.parent.name, document)
    except DocumentError as error:
        raise source.error_at(error.message, error.pointer) from error
    return f"OpenAPI {document['openapi']} of {len(contract.operations)} operations"


def _validate_specification(document: JsonObject) -> None:
    """Raise ``DocumentError`` for the first error of openapi-spec-validator."""
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

    is_version_30 = str(document["openapi"]).startswith("3.0.")
    validator = OpenAPIV30SpecValidator if is_version_30 else OpenAPIV31SpecValidator
    try:
        error = next(validator(document).iter_errors(), None)
    except Exception:  # noqa: BLE001 - the library raises various ones for broken $refs
        return  # compile_contract reports them
    if error is not None:
        raise DocumentError(error.message, format_pointer(error.absolute_path))


def _check_fixture(path: Path) -> str:
    source = registry.load_fixture(path)
    try:
        api = registry.load_api(source.document["api"])
    except UnknownName as error:
        raise source.error_at(str(error), "/api") from error
    service = registry.load_service(api, source)
    return f"fixture of {len(service.fixture.definitions.scenarios)} scenarios"
