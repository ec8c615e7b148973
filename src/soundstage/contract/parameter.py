"""Parameters: from the bytes of a request to JSON values, by style and explode."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

import orjson

from soundstage.contract.document import resolved
from soundstage.contract.schema import Schema, Side, compile_schema, types_of
from soundstage.contract.violation import DocumentError, Violation
from soundstage.types import Document, Json

_INTEGER: Final = re.compile(r"-?\d{1,400}", re.ASCII)
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)

Read = Callable[[str], Json]

_DELIMITERS: Final = {
    "form": ",",
    "simple": ",",
    "spaceDelimited": " ",
    "pipeDelimited": "|",
}
_STYLES: Final = {
    "path": frozenset({"simple"}),
    "header": frozenset({"simple"}),
    "cookie": frozenset({"form"}),
    "query": frozenset({"form", "spaceDelimited", "pipeDelimited", "deepObject"}),
}


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation, compiled.

    ``read`` makes a JSON value of the texts that were sent for it. Texts that are not
    of its type stay texts, so that the schema says what is wrong with them.
    """

    name: str
    place: str
    required: bool
    default: Json
    many: bool
    deep: bool
    read: Callable[[list[str]], Json]
    schema: Schema

    @property
    def location(self) -> str:
        """``query.limit``, as violations have it."""
        return f"{self.place}.{self.name}"

    def violations(self, value: Json) -> list[Violation]:
        """What is wrong with a value that was read."""
        return self.schema.violations(value, self.place, self.name)


def compile_parameter(document: Document, node: Document, pointer: str) -> Parameter:
    """A parameter from its OpenAPI object (its reference followed)."""
    place, name = node["in"], node["name"]
    if "content" in node:
        return _json_parameter(document, node, pointer)
    schema = compile_schema(
        document, node.get("schema", {}), f"{pointer}/schema", Side.REQUEST
    )
    style = node.get("style", "form" if place in {"query", "cookie"} else "simple")
    if style not in _STYLES[place]:
        msg = f"style {style!r} is not served for a parameter in {place}"
        raise DocumentError(msg, f"{pointer}/style")
    types = types_of(schema.document, schema.document)
    many = "array" in types and not types & {"string", "object"}
    if style == "deepObject":
        read = _deep(schema.document)
    elif many:
        read = _array(
            schema.document, style, explode=node.get("explode", style == "form")
        )
    elif "object" in types and "string" not in types:
        msg = f"an object in style {style!r} is not served"
        raise DocumentError(msg, f"{pointer}/style")
    else:
        read = _scalar(types)
    return Parameter(
        name=name,
        place=place,
        required=node.get("required", False),
        default=_default(document, node.get("schema", {})),
        many=many,
        deep=style == "deepObject",
        read=read,
        schema=schema,
    )


def _default(document: Document, node: Json) -> Json:
    while isinstance(node, dict) and "default" not in node and "$ref" in node:
        node = resolved(document, node["$ref"])
    return node.get("default") if isinstance(node, dict) else None


def _json_parameter(document: Document, node: Document, pointer: str) -> Parameter:
    (media_type, content), *_ = node["content"].items()
    place = f"{pointer}/content/{media_type.replace('/', '~1')}/schema"
    schema = compile_schema(document, content.get("schema", {}), place, Side.REQUEST)

    def read(texts: list[str]) -> Json:
        try:
            return orjson.loads(texts[-1])
        except orjson.JSONDecodeError:
            return texts[-1]

    return Parameter(
        name=node["name"],
        place=node["in"],
        required=node.get("required", False),
        default=None,
        many=False,
        deep=False,
        read=read,
        schema=schema,
    )


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


def _scalar(types: frozenset[str]) -> Callable[[list[str]], Json]:
    convert = converter(types)
    return lambda texts: convert(texts[-1])


def _array(
    schema: Document, style: str, *, explode: bool
) -> Callable[[list[str]], Json]:
    """Repeated keys are taken either way; joined ones where explode is off."""
    items = _followed(schema, schema).get("items", {})
    item_types = types_of(schema, items)
    convert = converter(item_types)
    # A client joins [null, "a"] as ",a": an empty text is null unless "" is valid.
    blank_is_null = "null" in item_types and not _admits_blank(schema, items)
    delimiter = _DELIMITERS[style]
    in_header = style == "simple"  # where lists may have spaces (RFC 9110, 5.6.1)

    def item(text: str) -> Json:
        return None if not text and blank_is_null else convert(text)

    def read(texts: list[str]) -> Json:
        if explode:
            return [item(text) for text in texts]
        joined = [part for text in texts if text for part in text.split(delimiter)]
        return [item(part.strip() if in_header else part) for part in joined]

    return read


def _admits_blank(schema: Document, node: Json) -> bool:
    return Schema({"allOf": [node], "$defs": schema.get("$defs", {})}, "").is_valid("")


def _deep(schema: Document) -> Callable[[list[str]], Json]:
    """``page[size]=10&filter[at][from]=1``, given as ``[size]=10`` and so on."""

    def read(texts: list[str]) -> Json:
        result: Document = {}
        for text in texts:
            key, _, value = text.partition("=")
            *outer, last = key[1:-1].split("][")
            place, node = result, _followed(schema, schema)
            for step in outer:
                node = _property(schema, node, step)
                inner = place.setdefault(step, {})
                place = inner if isinstance(inner, dict) else {}
            leaf = _property(schema, node, last)
            place[last] = converter(types_of(schema, leaf))(value)
        return result

    return read


def _property(schema: Document, node: Mapping[str, Json], name: str) -> Document:
    return _followed(schema, node.get("properties", {}).get(name, {}))


def _followed(schema: Document, node: Json) -> Document:
    while isinstance(node, dict) and "$ref" in node:
        node = resolved(schema, node["$ref"])
    return node if isinstance(node, dict) else {}


def unquoted(raw: bytes) -> str:
    """Percent-decoded text. Raises ``UnicodeDecodeError`` if that is not UTF-8."""
    return unquote_to_bytes(raw).decode() if b"%" in raw else raw.decode()


def query_of(raw: bytes) -> list[tuple[str, str]]:
    """The pairs of a query string, in order. Raises ``UnicodeDecodeError``."""
    pairs = []
    for part in raw.split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            pairs.append((unquoted(name), unquoted(value)))
    return pairs
