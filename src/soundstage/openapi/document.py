"""OpenAPI and fixture documents: parsing, JSON pointers and ``$ref``."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from soundstage import cache
from soundstage.openapi.errors import DocumentError
from soundstage.types import Json, JsonObject


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A parsed document and the path of its file."""

    path: Path
    document: JsonObject

    def error_at(self, message: str, pointer: str = "") -> DocumentError:
        """Return an error at a JSON pointer of this file, with the line number."""
        line = find_line(self.path, pointer)
        return DocumentError(message, pointer, str(self.path), line)


def load_document(path: Path) -> SourceFile:
    """Load a YAML or JSON file, from the cache if its text is unchanged.

    Raises ``DocumentError`` if it cannot be read or is not a mapping.
    """
    text = read_text(path)
    entry = cache.entry_name("document", text)
    document = cache.get(entry)
    if document is None:
        document = parse_document(text, str(path))
        cache.put(entry, document)
    return SourceFile(path, document)


def read_text(path: Path) -> str:
    """Read a UTF-8 file. Raises ``DocumentError``."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"cannot be read: {reason}", file=str(path)) from error


def parse_document(text: str, file: str = "") -> JsonObject:
    r"""Parse a YAML (or JSON) mapping. Raises ``DocumentError`` naming ``file``.

    >>> parse_document("openapi: 3.1.0\npaths: {}")
    {'openapi': '3.1.0', 'paths': {}}
    """
    # Imported here: with a warm cache nothing is parsed, and PyYAML is slow to import.
    import yaml

    from soundstage.openapi.yaml_loader import Loader

    try:
        document: Json = yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else None
        msg = f"is not YAML: {error.problem}"
        raise DocumentError(msg, file=file, line=line) from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DocumentError(f"is not YAML: {error}", file=file) from error
    if not isinstance(document, dict):
        raise DocumentError("is not a mapping", file=file, line=1)
    return document


def find_line(path: Path, pointer: str) -> int | None:
    """Find the line of a JSON pointer, or of its deepest existing ancestor.

    Returns ``None`` if the file cannot be parsed.
    """
    import yaml

    from soundstage.openapi.yaml_loader import Loader

    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=Loader)
    except (yaml.YAMLError, OSError):
        return None
    line = 1
    for step in _split_pointer(pointer):
        if isinstance(node, yaml.MappingNode):
            pairs = (pair for pair in node.value if pair[0].value == step)
            key, node = next(pairs, (None, None))
            if key is None:
                break
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and step.isdigit():
            if int(step) >= len(node.value):
                break
            node = node.value[int(step)]
            line = node.start_mark.line + 1
        else:
            break
    return line


def resolve_pointer(document: JsonObject, pointer: str) -> Json:
    """Return the node at a JSON pointer, or at a local reference (``#/components/…``).

    Raises ``KeyError`` if it does not exist.

    >>> resolve_pointer({"paths": {"/a": [1, 2]}}, "#/paths/~1a/1")
    2
    """
    node: Json = document
    for step in _split_pointer(pointer.removeprefix("#")):
        try:
            node = node[int(step)] if isinstance(node, list) else node[step]
        except (IndexError, ValueError, TypeError) as error:
            raise KeyError(pointer) from error
    return node


def _split_pointer(pointer: str) -> list[str]:
    # The order matters (RFC 6901, 4): "~01" is "~1", not "/".
    steps = pointer.split("/")[1:]
    return [step.replace("~1", "/").replace("~0", "~") for step in steps]


def follow_reference(document: JsonObject, reference: str, pointer: str = "") -> Json:
    """Return the target of one ``$ref`` within the document.

    ``pointer`` is where the reference is. Raises ``DocumentError`` if the target does
    not exist or is in another document.
    """
    if not reference.startswith("#/"):
        msg = f"only references within the document are followed, not {reference!r}"
        raise DocumentError(msg, pointer)
    try:
        return resolve_pointer(document, unquote(reference))
    except KeyError:
        raise DocumentError(f"{reference} does not exist", pointer) from None


def resolve_reference(document: JsonObject, node: Json, pointer: str = "") -> JsonObject:
    """Return a node with its ``$ref`` followed, also repeatedly.

    A node that is not an object, such as the schema ``true``, becomes ``{}``. Raises
    ``DocumentError`` like ``follow_reference``, and for a circular reference.

    >>> document = {"components": {"schemas": {"Id": {"type": "string"}}}}
    >>> resolve_reference(document, {"$ref": "#/components/schemas/Id"})
    {'type': 'string'}
    """
    followed: set[str] = set()
    while isinstance(node, dict) and "$ref" in node:
        reference = node["$ref"]
        if reference in followed:
            raise DocumentError(f"{reference} refers to itself", pointer)
        followed.add(reference)
        node = follow_reference(document, reference, pointer)
    return node if isinstance(node, dict) else {}
