"""``soundstage check``: specs, overlays and fixtures, before anybody serves them."""

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
    """What came of one file: a reason if it cannot be used."""

    file: str
    what: str
    error: str | None = None


def check(files: Iterable[Path] = ()) -> Iterator[FileCheck]:
    """Findings for these files; for everything vendored if there are none."""
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
    repairs = source.path.parent / "overlay.yaml"
    document = source.document
    if repairs.exists():
        document = apply_overlay(source, load_document(repairs))
    try:
        check_version(document)
        _validate_specification(document)
        contract = compile_contract(source.path.parent.name, document)
    except DocumentError as error:
        raise source.error_at(error.message, error.pointer) from error
    return f"OpenAPI {document['openapi']} of {len(contract.operations)} operations"


def _validate_specification(document: JsonObject) -> None:
    """Raise ``DocumentError`` for the first thing openapi-spec-validator finds."""
    from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator

    old = str(document["openapi"]).startswith("3.0.")
    validator = OpenAPIV30SpecValidator if old else OpenAPIV31SpecValidator
    try:
        error = next(validator(document).iter_errors(), None)
    except Exception:  # noqa: BLE001 - it stumbles over references to nothing
        return  # our compiler names them
    if error is not None:
        raise DocumentError(error.message, format_pointer(error.absolute_path))


def _check_fixture(path: Path) -> str:
    source = registry.load_fixture(path)
    try:
        module = registry.load_api(source.document["api"])
    except UnknownName as error:
        raise source.error_at(str(error), "/api") from error
    loaded = registry.load_service(module, source)
    return f"fixture of {len(loaded.fixture.definitions.scenarios)} scenarios"
