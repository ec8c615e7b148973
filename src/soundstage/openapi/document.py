"""YAML and JSON documents: loaded as JSON, with a line for every JSON pointer."""

from dataclasses import dataclass
from pathlib import Path

from soundstage import cache
from soundstage.openapi.errors import DocumentError
from soundstage.types import Document, Json


@dataclass(frozen=True, slots=True)
class Source:
    """A document and the file it came from."""

    path: Path
    document: Document

    def error(self, message: str, pointer: str = "") -> DocumentError:
        """A complaint about a place in this file, with its line."""
        line = line_of(self.path, pointer)
        return DocumentError(message, pointer, str(self.path), line)


def load(path: Path) -> Source:
    """The document in this file. Raises ``DocumentError`` for what is no mapping."""
    text = read(path)
    entry = cache.entry("document", text)
    document = cache.get(entry)
    if document is None:
        document = loads(text, str(path))
        cache.put(entry, document)
    return Source(path, document)


def read(path: Path) -> str:
    """The text of a file. Raises ``DocumentError``."""
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError(f"cannot be read: {reason}", file=str(path)) from error


def loads(text: str, file: str = "") -> Document:
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


def line_of(path: Path, pointer: str) -> int | None:
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


def resolved(document: Document, pointer: str) -> Json:
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


def followed(document: Document, node: Document, pointer: str) -> Document:
    """A node, its references followed. Raises ``DocumentError`` for one to nothing."""
    while "$ref" in node:
        try:
            node = resolved(document, node["$ref"])
        except KeyError:
            raise DocumentError(f"{node['$ref']} leads nowhere", pointer) from None
    return node
