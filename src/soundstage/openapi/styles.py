"""Styles: from the texts that were sent for a parameter to a JSON value.

A reader makes a value of the schema's type where it can, and leaves a text where it
cannot, so that the schema says what is wrong. A text that is not of its style at all
raises ``ValueError``.
"""

import re
from collections.abc import Callable, Mapping
from typing import Final

from soundstage.openapi.document import resolve_reference
from soundstage.openapi.schema import Schema, possible_types
from soundstage.types import Json, JsonObject

_INTEGER: Final = re.compile(r"-?\d{1,400}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)

ParseText = Callable[[str], Json]
"""From one text."""

ParseTexts = Callable[[list[str]], Json]
"""From all texts that were sent for a parameter."""

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
"""Styles in which an exploded object is a pair of the query for each property."""


def build_converter(types: frozenset[str]) -> ParseText:
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
        return _keep_text
    return convert


def _keep_text(text: str) -> Json:
    return text


def build_scalar_parser(types: frozenset[str]) -> ParseTexts:
    """A reader of what is no list and no object."""
    convert = build_converter(types)
    return lambda texts: convert(texts[-1])


def build_array_parser(schema: JsonObject, style: str, *, explode: bool) -> ParseTexts:
    """Repeated keys are taken either way; joined ones where explode is off."""
    items = resolve_reference(schema, schema).get("items", {})
    item_types = possible_types(schema, items)
    convert = build_converter(item_types)
    # A client joins [null, "a"] as ",a": an empty text is null unless "" is valid.
    blank_is_null = "null" in item_types and not _accepts_empty_text(schema, items)
    delimiter = "." if style == "label" and explode else _DELIMITERS[style]
    repeated = explode and (style in EXPLODABLE_STYLES or style == "matrix")
    in_header = style == "simple"  # where lists may have spaces (RFC 9110, 5.6.1)

    def item(text: str) -> Json:
        return None if not text and blank_is_null else convert(text)

    def read(texts: list[str]) -> Json:
        if repeated:
            return [item(text) for text in texts]
        joined = [part for text in texts if text for part in text.split(delimiter)]
        return [item(part.strip() if in_header else part) for part in joined]

    return read


def _accepts_empty_text(schema: JsonObject, node: Json) -> bool:
    return Schema({"allOf": [node], "$defs": schema.get("$defs", {})}, "").is_valid("")


def build_joined_object_parser(
    schema: JsonObject, style: str, *, explode: bool
) -> ParseTexts:
    """``x,1,y,2``, or ``x=1,y=2`` where it explodes."""
    delimiter = _DELIMITERS[style]
    if explode:
        delimiter = {"label": ".", "matrix": ";"}.get(style, delimiter)
    convert = _build_property_converter(schema)

    def read(texts: list[str]) -> Json:
        parts = texts[-1].split(delimiter) if texts[-1] else []
        pairs = _split_assignments(parts) if explode else _pair_up(parts)
        if pairs is None:
            return texts[-1]
        return {name: convert(name, text) for name, text in pairs}

    return read


def build_exploded_object_parser(schema: JsonObject) -> ParseTexts:
    """A pair of the query for each property, given as ``x=1`` and so on."""
    convert = _build_property_converter(schema)

    def read(texts: list[str]) -> Json:
        pairs = (text.partition("=") for text in texts)
        return {name: convert(name, text) for name, _, text in pairs}

    return read


def _split_assignments(parts: list[str]) -> list[tuple[str, str]] | None:
    if not all("=" in part for part in parts):
        return None
    return [(name, text) for name, _, text in (p.partition("=") for p in parts)]


def _pair_up(parts: list[str]) -> list[tuple[str, str]] | None:
    if len(parts) % 2:
        return None
    return list(zip(parts[::2], parts[1::2], strict=True))


def _build_property_converter(schema: JsonObject) -> Callable[[str, str], Json]:
    """The value of a property of an object, from its name and text."""
    node = resolve_reference(schema, schema)
    known = {
        name: build_converter(possible_types(schema, inner))
        for name, inner in node.get("properties", {}).items()
    }
    more = build_converter(possible_types(schema, node.get("additionalProperties", {})))
    return lambda name, text: known.get(name, more)(text)


def build_deep_object_parser(schema: JsonObject, name: str) -> ParseTexts:
    """``page[size]=10&page[at][from]=1``: brackets around each step to a value."""
    start = len(name) + 1

    def read(texts: list[str]) -> Json:
        result: JsonObject = {}
        for text in texts:
            key, _, value = text.partition("=")
            *outer, last = key[start:-1].split("][")
            place, node = result, resolve_reference(schema, schema)
            for step in outer:
                node = _property_schema(schema, node, step)
                inner = place.setdefault(step, {})
                place = inner if isinstance(inner, dict) else {}
            leaf = _property_schema(schema, node, last)
            place[last] = build_converter(possible_types(schema, leaf))(value)
        return result

    return read


def strip_label(read: ParseTexts) -> ParseTexts:
    """A reader of style ``label``: a point is before the value (RFC 6570, 3.2.5)."""
    return lambda texts: read([_strip_prefix(texts[-1], ".")])


def strip_matrix(read: ParseTexts, name: str, spread: str) -> ParseTexts:
    """A reader of style ``matrix`` (RFC 6570, 3.2.7).

    What is spread says its name with each item, if it is a list, or never at all.
    """
    start = ";" if spread == "object" else f";{name}="
    if spread == "array":
        return lambda texts: read(_strip_prefix(texts[-1], start).split(start))
    return lambda texts: read([_strip_prefix(texts[-1], start)])


def _strip_prefix(text: str, start: str) -> str:
    if not text.startswith(start):
        msg = f"does not begin with {start!r}"
        raise ValueError(msg)
    return text[len(start) :]


def _property_schema(
    schema: JsonObject, node: Mapping[str, Json], name: str
) -> JsonObject:
    return resolve_reference(schema, node.get("properties", {}).get(name, {}))


def property_names(schema: JsonObject) -> tuple[frozenset[str], bool]:
    """The names that an object is known to have, and whether any other will do."""
    node = resolve_reference(schema, schema)
    more = node.get("additionalProperties", False) is not False
    return frozenset(node.get("properties", {})), more
