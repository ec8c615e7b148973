"""Open the OpenAPI document that a command line or a setting names."""

from dataclasses import dataclass
from pathlib import Path

from soundstage import vendored_files
from soundstage.openapi.contract import Contract, apply_overlay, check_version, compile_contract
from soundstage.openapi.document import SourceFile, load_document
from soundstage.openapi.errors import DocumentError
from soundstage.types import JsonObject

FILE_NAMES = ("openapi.yaml", "openapi.yml", "openapi.json")


@dataclass(frozen=True, slots=True)
class Spec:
    """An OpenAPI document.

    ``document`` is the effective one, with the overlay of its folder applied;
    ``source`` is the vendor's file, to which errors refer.
    """

    name: str
    source: SourceFile
    document: JsonObject

    def compile(self, *, strict: bool = True) -> Contract:
        """Compile the contract. Raises ``DocumentError`` with file and line.

        If not ``strict``, operations that cannot be compiled are skipped
        (``Contract.skipped``).
        """
        try:
            return compile_contract(self.name, self.document, strict=strict)
        except DocumentError as error:
            raise self.source.error_at(error.message, error.pointer) from error


def open_spec(reference: str) -> Spec:
    """Open a file, a folder (with its overlay applied), or a vendored API by its name.

    An existing path takes precedence over a vendored name. Raises ``DocumentError``.

    >>> spec = open_spec("trieve")
    >>> spec.name, spec.document["openapi"]
    ('trieve', '3.0.3')
    """
    if reference.startswith(("http://", "https://")):
        msg = "is a URL; download the document and name the file"
        raise DocumentError(msg, file=reference)
    path = _find_path(reference)
    if not path.is_dir():
        source = load_document(path)
        return _check_spec(path.stem, source, source.document)
    file = next((path / name for name in FILE_NAMES if (path / name).exists()), None)
    if file is None:
        raise DocumentError(f"has none of {', '.join(FILE_NAMES)}", file=reference)
    source, overlay = load_document(file), path / "overlay.yaml"
    document = source.document
    if overlay.exists():
        document = apply_overlay(source, load_document(overlay))
    return _check_spec(path.resolve().name, source, document)


def _find_path(reference: str) -> Path:
    path, vendored = Path(reference), vendored_files.specs() / reference
    # The parent is compared, so that "../x" and "" do not name vendored APIs.
    is_vendored = vendored.is_dir() and vendored.parent == vendored_files.specs()
    return vendored if is_vendored and not path.exists() else path


def _check_spec(name: str, source: SourceFile, document: JsonObject) -> Spec:
    try:
        check_version(document)
    except DocumentError as error:
        raise source.error_at(error.message, error.pointer) from error
    return Spec(name, source, document)
