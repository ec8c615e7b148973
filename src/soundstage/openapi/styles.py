"""Parse the styles of parameters: from the texts that were sent to a JSON value.

A parser converts a text to the type of its schema where it can. Other texts it returns
unchanged, so that the schema finds the violation. A text that is not of the style
raises ``ValueError``. ``root`` is always a normalized schema (schema.py).
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from soundstage.openapi.document import resolve_reference
from soundstage.openapi.schema import build_schema, possible_types
from soundstage.types import Json, JsonObject

# Of ASCII digits only, unlike int() and float(); int() rejects very long texts.
_INTEGER: Final = re.compile(r"-?\d{1,400}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)

ParseText = Callable[[str], Json]
"""Parses one text."""

ParseTexts = Callable[[list[str]], Json]
"""Parses all texts that were sent for one parameter."""

_DELIMITERS: Final = {
    "form": ",",
    "simple": ",",
    "label": ",",
    "matrix": ",",
    "spaceDelimited": " ",
    "pipeDelimited": "|",
}
STYLES_BY_LOCATION: Final = {
    "path": frozenset({"simple", "label", "matrix"}),
    "header": frozenset({"simple"}),
    "cookie": frozenset({"form"}),
    "query": frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"}),
}
EXPLODABLE_STYLES: Final = frozenset({"form", "spaceDelimited", "pipeDelimited"})
"""Styles in which an exploded object is one pair of the query per property."""


def build_converter(types: frozenset[str]) -> ParseText:
    """Build a function that converts a text to the first possible one of these types.

    >>> convert = build_converter(frozenset({"integer", "null"}))
    >>> convert("7"), convert("null"), convert("x")
    (7, None, 'x')
    """

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

    return _keep_text if types == {"string"} else convert


def _keep_text(text: str) -> Json:
    return text


def build_scalar_parser(types: frozenset[str]) -> ParseTexts:
    """Build the parser of a value that is neither a list nor an object."""
    convert = build_converter(types)
    return lambda texts: convert(texts[-1])


def build_array_parser(root: JsonObject, style: str, *, explode: bool) -> ParseTexts:
    """Build the parser of a list: of repeated keys if exploded, else of joined texts.

    Joined texts may be repeated, too.
    """
    items = resolve_reference(root, root).get("items", {})
    item_types = possible_types(root, items)
    convert = build_converter(item_types)
    # A client joins [null, "a"] as ",a": an empty text is null unless "" is valid.
    blank_is_null = "null" in item_types and not _accepts_empty_text(root, items)
    delimiter = "." if style == "label" and explode else _DELIMITERS[style]
    is_repeated = explode and (style in EXPLODABLE_STYLES or style == "matrix")
    in_header = style == "simple"  # there, lists may have spaces (RFC 9110, 5.6.1)

    def parse_item(text: str) -> Json:
        return None if not text and blank_is_null else convert(text)

    def parse(texts: list[str]) -> Json:
        if is_repeated:
            return [parse_item(text) for text in texts]
        joined = [part for text in texts if text for part in text.split(delimiter)]
        return [parse_item(part.strip() if in_header else part) for part in joined]

    return parse


def _accepts_empty_text(root: JsonObject, node: Json) -> bool:
    return build_schema({"allOf": [node]}, root.get("$defs", {}), "").is_valid("")


def build_joined_object_parser(root: JsonObject, style: str, *, explode: bool) -> ParseTexts:
    """Build the parser of ``x,1,y,2``, or of ``x=1,y=2`` if exploded."""
    delimiter = _DELIMITERS[style]
    if explode:
        delimiter = {"label": ".", "matrix": ";"}.get(style, delimiter)
    convert = _build_property_converter(root)

    def parse(texts: list[str]) -> Json:
        parts = texts[-1].split(delimiter) if texts[-1] else []
        pairs = _split_assignments(parts) if explode else _pair_up(parts)
        if pairs is None:
            return texts[-1]
        return {name: convert(name, text) for name, text in pairs}

    return parse


def build_exploded_object_parser(root: JsonObject) -> ParseTexts:
    """Build the parser of one text (``x=1``) per property."""
    convert = _build_property_converter(root)

    def parse(texts: list[str]) -> Json:
        pairs = (text.partition("=") for text in texts)
        return {name: convert(name, text) for name, _, text in pairs}

    return parse


def _split_assignments(parts: list[str]) -> list[tuple[str, str]] | None:
    if not all("=" in part for part in parts):
        return None
    return [(name, text) for name, _, text in (p.partition("=") for p in parts)]


def _pair_up(parts: list[str]) -> list[tuple[str, str]] | None:
    if len(parts) % 2:
        return None
    return list(zip(parts[::2], parts[1::2], strict=True))


def _build_property_converter(root: JsonObject) -> Callable[[str, str], Json]:
    """Build a function that converts a property, from its name and text."""
    node = resolve_reference(root, root)
    by_name = {
        name: build_converter(possible_types(root, inner))
        for name, inner in node.get("properties", {}).items()
    }
    others = build_converter(possible_types(root, node.get("additionalProperties", {})))
    return lambda name, text: by_name.get(name, others)(text)


def build_deep_object_parser(root: JsonObject, name: str) -> ParseTexts:
    """Build the parser of ``page[size]=10``, also nested: ``page[at][from]=1``."""
    start = len(name) + 1

    def parse(texts: list[str]) -> Json:
        result: JsonObject = {}
        for text in texts:
            key, _, value = text.partition("=")
            *outer, last = key[start:-1].split("][")
            target, node = result, resolve_reference(root, root)
            for step in outer:
                node = _property_schema(root, node, step)
                inner = target.setdefault(step, {})
                target = inner if isinstance(inner, dict) else {}
            leaf = _property_schema(root, node, last)
            target[last] = build_converter(possible_types(root, leaf))(value)
        return result

    return parse


def strip_label(parse: ParseTexts) -> ParseTexts:
    """Wrap a parser for style ``label``: a point before the value (RFC 6570, 3.2.5)."""
    return lambda texts: parse([_strip_prefix(texts[-1], ".")])


def strip_matrix(parse: ParseTexts, name: str, exploded_shape: str) -> ParseTexts:
    """Wrap a parser for style ``matrix`` (RFC 6570, 3.2.7).

    An exploded list repeats its name with each item; an exploded object has no name.
    """
    start = ";" if exploded_shape == "object" else f";{name}="
    if exploded_shape == "array":
        return lambda texts: parse(_strip_prefix(texts[-1], start).split(start))
    return lambda texts: parse([_strip_prefix(texts[-1], start)])


def _strip_prefix(text: str, start: str) -> str:
    if not text.startswith(start):
        msg = f"does not begin with {start!r}"
        raise ValueError(msg)
    return text[len(start) :]


def _property_schema(root: JsonObject, node: Mapping[str, Json], name: str) -> JsonObject:
    return resolve_reference(root, node.get("properties", {}).get(name, {}))


def property_names(root: JsonObject) -> tuple[frozenset[str], bool]:
    """Return the names of an object's properties, and whether it may have others."""
    node = resolve_reference(root, root)
    allows_others = node.get("additionalProperties", False) is not False
    return frozenset(node.get("properties", {})), allows_others
