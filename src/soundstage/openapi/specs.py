"""OpenAPI documents as they are named on a command line."""

from dataclasses import dataclass
from pathlib import Path

from soundstage import vendored_files
from soundstage.openapi.contract import (
    Contract,
    apply_overlay,
    check_version,
    compile_contract,
)
from soundstage.openapi.document import SourceFile, load_document
from soundstage.openapi.errors import DocumentError
from soundstage.types import JsonObject

FILE_NAMES = ("openapi.yaml", "openapi.yml", "openapi.json")


@dataclass(frozen=True, slots=True)
class Spec:
    """A document; where it came from a folder with an overlay, this is applied."""

    name: str
    source: SourceFile
    document: JsonObject

    def compile(self) -> Contract:
        """It, compiled. Raises ``DocumentError``."""
        try:
            return compile_contract(self.name, self.document)
        except DocumentError as error:
            raise self.source.error_at(error.message, error.pointer) from error


def open_spec(reference: str) -> Spec:
    """A file, a folder (its overlay applied), or the name of a vendored API.

    Raises ``DocumentError``.
    """
    path = Path(reference)
    vendored = vendored_files.specs() / reference
    if (
        not path.exists()
        and vendored.is_dir()
        and vendored.parent == vendored_files.specs()
    ):
        path = vendored
    if not path.is_dir():
        source = load_document(path)
        return _check_spec(path.stem, source, source.document)
    file = next((path / name for name in FILE_NAMES if (path / name).exists()), None)
    if file is None:
        raise DocumentError(f"has none of {', '.join(FILE_NAMES)}", file=reference)
    source = load_document(file)
    repairs = path / "overlay.yaml"
    document = (
        apply_overlay(source, load_document(repairs))
        if repairs.exists()
        else source.document
    )
    return _check_spec(path.resolve().name, source, document)


def _check_spec(name: str, source: SourceFile, document: JsonObject) -> Spec:
    try:
        check_version(document)
    except DocumentError as error:
        raise source.error_at(error.message, error.pointer) from error
    return Spec(name, source, document)
