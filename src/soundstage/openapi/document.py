"""YAML and JSON documents: loaded as JSON, with a line for every JSON pointer."""

from dataclasses import dataclass
from pathlib import Path

from soundstage import cache
from soundstage.openapi.errors import DocumentError
from soundstage.types import Json, JsonObject


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A document and the file it came from."""

    path: Path
    document: JsonObject

    def error_at(self, message: str, pointer: str = "") -> DocumentError:
        """A complaint about a place in this file, with its line."""
        line = find_line(self.path, pointer)
        return DocumentError(message, pointer, str(self.path), line)


def load_document(path: Path) -> SourceFile:
    """The document in this file. Raises ``DocumentError`` for what is no mapping."""
    text = read_text(path)
    entry = cache.entry_name("document", text)
    document = cache.get(entry)
    if document is None:
        document = parse_document(text, str(path))
        cache.put(entry, document)
    return SourceFile(path, document)


def read_text(path: Path) -> str:
    """The text of a file. Raises ``DocumentError``."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"cannot be read: {reason}", file=str(path)) from error


def parse_document(text: str, file: str = "") -> JsonObject:
    """The mapping that this text is. Raises ``DocumentError`` for anything else."""
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
        raise DocumentError("holds no mapping", file=file, line=1)
    return document


def find_line(path: Path, pointer: str) -> int | None:
    """The line of a JSON pointer, or of the deepest part of it that is there."""
    import yaml

    from soundstage.openapi.yaml_loader import Loader

    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=Loader)
    except (yaml.YAMLError, OSError):
        return None
    line = 1
    for raw in pointer.split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == step:
                    line, node = key.start_mark.line + 1, value
                    break
            else:
                break
        elif isinstance(node, yaml.SequenceNode) and step.isdigit():
            if int(step) >= len(node.value):
                break
            node = node.value[int(step)]
            line = node.start_mark.line + 1
        else:
            break
    return line


def resolve_pointer(document: JsonObject, pointer: str) -> Json:
    """The node at a pointer or local reference (``#/components/...``).

    Raises ``KeyError`` if there is none.
    """
    node: Json = document
    for raw in pointer.removeprefix("#").split("/")[1:]:
        step = raw.replace("~1", "/").replace("~0", "~")
        try:
            node = node[int(step)] if isinstance(node, list) else node[step]
        except (IndexError, ValueError, TypeError) as error:
            raise KeyError(pointer) from error
    return node


def resolve_reference(
    document: JsonObject, node: JsonObject, pointer: str
) -> JsonObject:
    """A node, its references followed. Raises ``DocumentError`` for one to nothing."""
    while "$ref" in node:
        try:
            node = resolve_pointer(document, node["$ref"])
        except KeyError:
            raise DocumentError(f"{node['$ref']} leads nowhere", pointer) from None
    return node
