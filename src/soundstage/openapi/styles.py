"""Styles: from the texts that were sent for a parameter to a JSON value.

A reader makes a value of the schema's type where it can, and leaves a text where it
cannot, so that the schema says what is wrong. A text that is not of its style at all
raises ``ValueError``.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from soundstage.openapi.document import resolved
from soundstage.openapi.schema import Schema, types_of
from soundstage.types import Document, Json

_INTEGER: Final = re.compile(r"-?\d{1,400}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)

Read = Callable[[str], Json]
"""From one text."""

ReadAll = Callable[[list[str]], Json]
"""From all texts that were sent for a parameter."""

_DELIMITERS: Final = {
    "form": ",",
    "simple": ",",
    "label": ",",
    "matrix": ",",
    "spaceDelimited": " ",
    "pipeDelimited": "|",
}
STYLES: Final = {
    "path": frozenset({"simple", "label", "matrix"}),
    "header": frozenset({"simple"}),
    "cookie": frozenset({"form"}),
    "query": frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"}),
}
SPREAD: Final = frozenset({"form", "spaceDelimited", "pipeDelimited"})
"""Styles in which an exploded object is a pair of the query for each property."""


def converter(types: frozenset[str]) -> Read:
    """From one text to a value of the first of these types that it can be."""

    def convert(text: str) -> Json:
        if "null" in types and (text == "null" or (not text and "string" not in types)):
            return None
        if "integer" in types and _INTEGER.fullmatch(text):
            return int(text)
        if "number" in types and _NUMBER.fullmatch(text):
            return float(text)
        if "boolean" in types and text in {"true", "false"}:
            return text == "true"
        return text

    if types == {"string"}:
        return _as_it_is
    return convert


def _as_it_is(text: str) -> Json:
    return text


def scalar(types: frozenset[str]) -> ReadAll:
    """A reader of what is no list and no object."""
    convert = converter(types)
    return lambda texts: convert(texts[-1])


def array(schema: Document, style: str, *, explode: bool) -> ReadAll:
    """Repeated keys are taken either way; joined ones where explode is off."""
    items = _followed(schema, schema).get("items", {})
    item_types = types_of(schema, items)
    convert = converter(item_types)
    # A client joins [null, "a"] as ",a": an empty text is null unless "" is valid.
    blank_is_null = "null" in item_types and not _admits_blank(schema, items)
    delimiter = "." if style == "label" and explode else _DELIMITERS[style]
    repeated = explode and (style in SPREAD or style == "matrix")
    in_header = style == "simple"  # where lists may have spaces (RFC 9110, 5.6.1)

    def item(text: str) -> Json:
        return None if not text and blank_is_null else convert(text)

    def read(texts: list[str]) -> Json:
        if repeated:
            return [item(text) for text in texts]
        joined = [part for text in texts if text for part in text.split(delimiter)]
        return [item(part.strip() if in_header else part) for part in joined]

    return read


def _admits_blank(schema: Document, node: Json) -> bool:
    return Schema({"allOf": [node], "$defs": schema.get("$defs", {})}, "").is_valid("")


def joined_object(schema: Document, style: str, *, explode: bool) -> ReadAll:
    """``x,1,y,2``, or ``x=1,y=2`` where it explodes."""
    delimiter = _DELIMITERS[style]
    if explode:
        delimiter = {"label": ".", "matrix": ";"}.get(style, delimiter)
    convert = _leaves(schema)

    def read(texts: list[str]) -> Json:
        parts = texts[-1].split(delimiter) if texts[-1] else []
        pairs = _assigned(parts) if explode else _alternating(parts)
        if pairs is None:
            return texts[-1]
        return {name: convert(name, text) for name, text in pairs}

    return read


def spread_object(schema: Document) -> ReadAll:
    """A pair of the query for each property, given as ``x=1`` and so on."""
    convert = _leaves(schema)

    def read(texts: list[str]) -> Json:
        pairs = (text.partition("=") for text in texts)
        return {name: convert(name, text) for name, _, text in pairs}

    return read


def _assigned(parts: list[str]) -> list[tuple[str, str]] | None:
    if not all("=" in part for part in parts):
        return None
    return [(name, text) for name, _, text in (p.partition("=") for p in parts)]


def _alternating(parts: list[str]) -> list[tuple[str, str]] | None:
    if len(parts) % 2:
        return None
    return list(zip(parts[::2], parts[1::2], strict=True))


def _leaves(schema: Document) -> Callable[[str, str], Json]:
    """The value of a property of an object, from its name and text."""
    node = _followed(schema, schema)
    known = {
        name: converter(types_of(schema, inner))
        for name, inner in node.get("properties", {}).items()
    }
    more = converter(types_of(schema, node.get("additionalProperties", {})))
    return lambda name, text: known.get(name, more)(text)


def deep_object(schema: Document, name: str) -> ReadAll:
    """``page[size]=10&page[at][from]=1``: brackets around each step to a value."""
    start = len(name) + 1

    def read(texts: list[str]) -> Json:
        result: Document = {}
        for text in texts:
            key, _, value = text.partition("=")
            *outer, last = key[start:-1].split("][")
            place, node = result, _followed(schema, schema)
            for step in outer:
                node = _property(schema, node, step)
                inner = place.setdefault(step, {})
                place = inner if isinstance(inner, dict) else {}
            leaf = _property(schema, node, last)
            place[last] = converter(types_of(schema, leaf))(value)
        return result

    return read


def labelled(read: ReadAll) -> ReadAll:
    """A reader of style ``label``: a point is before the value (RFC 6570, 3.2.5)."""
    return lambda texts: read([_without(texts[-1], ".")])


def matrix(read: ReadAll, name: str, spread: str) -> ReadAll:
    """A reader of style ``matrix`` (RFC 6570, 3.2.7).

    What is spread says its name with each item, if it is a list, or never at all.
    """
    start = ";" if spread == "object" else f";{name}="
    if spread == "array":
        return lambda texts: read(_without(texts[-1], start).split(start))
    return lambda texts: read([_without(texts[-1], start)])


def _without(text: str, start: str) -> str:
    if not text.startswith(start):
        msg = f"does not begin with {start!r}"
        raise ValueError(msg)
    return text[len(start) :]


def _property(schema: Document, node: Mapping[str, Json], name: str) -> Document:
    return _followed(schema, node.get("properties", {}).get(name, {}))


def _followed(schema: Document, node: Json) -> Document:
    while isinstance(node, dict) and "$ref" in node:
        node = resolved(schema, node["$ref"])
    return node if isinstance(node, dict) else {}


def open_names(schema: Document) -> tuple[frozenset[str], bool]:
    """The names that an object is known to have, and whether any other will do."""
    node = _followed(schema, schema)
    more = node.get("additionalProperties", False) is not False
    return frozenset(node.get("properties", {})), more
