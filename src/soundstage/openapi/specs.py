"""OpenAPI documents as they are named on a command line."""

from dataclasses import dataclass
from pathlib import Path

from soundstage import vendored_files
from soundstage.openapi.contract import (
    Contract,
    check_version,
    compile_contract,
    overlaid,
)
from soundstage.openapi.document import Source, load
from soundstage.openapi.errors import DocumentError
from soundstage.types import Document

NAMES = ("openapi.yaml", "openapi.yml", "openapi.json")


@dataclass(frozen=True, slots=True)
class Specification:
    """A document; where it came from a folder with an overlay, this is applied."""

    name: str
    source: Source
    document: Document

    def contract(self) -> Contract:
        """It, compiled. Raises ``DocumentError``."""
        try:
            return compile_contract(self.name, self.document)
        except DocumentError as error:
            raise self.source.error(error.message, error.pointer) from error


def specification(given: str) -> Specification:
    """A file, a folder (its overlay applied), or the name of a vendored API.

    Raises ``DocumentError``.
    """
    path = Path(given)
    vendored = vendored_files.specs() / given
    if (
        not path.exists()
        and vendored.is_dir()
        and vendored.parent == vendored_files.specs()
    ):
        path = vendored
    if not path.is_dir():
        source = load(path)
        return _checked(path.stem, source, source.document)
    file = next((path / name for name in NAMES if (path / name).exists()), None)
    if file is None:
        raise DocumentError(f"has none of {', '.join(NAMES)}", file=given)
    source = load(file)
    repairs = path / "overlay.yaml"
    document = overlaid(source, load(repairs)) if repairs.exists() else source.document
    return _checked(path.resolve().name, source, document)


def _checked(name: str, source: Source, document: Document) -> Specification:
    try:
        check_version(document)
    except DocumentError as error:
        raise source.error(error.message, error.pointer) from error
    return Specification(name, source, document)
