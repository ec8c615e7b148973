"""YAML and JSON documents: loaded as JSON, with a line for every JSON pointer."""

import re
from dataclasses import dataclass
from pathlib import Path

import yaml

from soundstage import cache
from soundstage.contract.violation import DocumentError
from soundstage.types import Document, Json

_Base = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc,valid-type]  # chosen at run time
    """YAML as JSON has it: dates stay text, and a key stands once."""


# What a plain text may stand for: YAML 1.2's core schema, as OpenAPI asks for it.
# PyYAML knows 1.1, where "on" is true, 010 is 8, and a date is no text.
_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first
    )


def _whole(_loader: _Loader, node: yaml.ScalarNode) -> int:
    return int(node.value, 0 if node.value[:2] in {"0o", "0x"} else 10)


_Loader.add_constructor("tag:yaml.org,2002:int", _whole)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Document:
    result: Document = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)  # as it is written: a response 200, a method "on"
        if key == "<<":
            msg = "merge keys (<<) are not JSON"
            raise yaml.constructor.ConstructorError(
                None, None, msg, key_node.start_mark
            )
        if key in result:
            msg = f"the key {key!r} stands here twice"
            raise yaml.constructor.ConstructorError(
                None, None, msg, key_node.start_mark
            )
        result[key] = loader.construct_object(value_node, deep=True)
    return result


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


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
    try:
        document: Json = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
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
    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=_Loader)
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
