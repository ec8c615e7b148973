"""Parameters: from the bytes of a request to JSON values, by style and explode."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import orjson

from soundstage.openapi import styles
from soundstage.openapi.document import resolved
from soundstage.openapi.errors import DocumentError, Violation
from soundstage.openapi.schema import Schema, Side, compile_schema, types_of
from soundstage.types import Document, Json


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation, compiled.

    ``read`` makes a JSON value of the texts that were sent for it. Texts that are not
    of its type stay texts, so that the schema says what is wrong with them; for what is
    not of its style it raises ``ValueError``. An object may be many pairs of a query:
    ``claims`` says which, and ``read`` is then given ``name=text``.
    """

    name: str
    place: str
    required: bool
    default: Json
    many: bool
    claims: Callable[[str], bool] | None
    read: styles.ReadAll
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
    if style not in styles.STYLES[place]:
        msg = f"style {style!r} is not served for a parameter in {place}"
        raise DocumentError(msg, f"{pointer}/style")
    explode = node.get("explode", style == "form")
    types = types_of(schema.document, schema.document)
    if {"array", "object"} <= types and "string" not in types:
        msg = "whether a parameter is a list or an object cannot be told from its text"
        raise DocumentError(msg, f"{pointer}/schema")
    shape = _shape(types)
    claims = None
    if style == "deepObject":
        claims = _deep(name)
    elif shape == "object" and explode and style in styles.SPREAD:
        claims = _spread(schema)
        if place == "cookie":
            msg = "an object that is spread over cookies is not served"
            raise DocumentError(msg, f"{pointer}/explode")
    return Parameter(
        name=name,
        place=place,
        required=node.get("required", False),
        default=_default(document, node.get("schema", {})),
        many=shape == "array",
        claims=claims,
        read=_reader(schema.document, name, style, shape, explode=explode),
        schema=schema,
    )


def _shape(types: frozenset[str]) -> str:
    """How values are written; where a text will do, nothing is read into it."""
    for shape in ("string", "array", "object"):
        if shape in types:
            return "scalar" if shape == "string" else shape
    return "scalar"


def _reader(
    schema: Document, name: str, style: str, shape: str, *, explode: bool
) -> styles.ReadAll:
    if style == "deepObject":
        return styles.deep_object(schema, name)
    if shape == "array":
        read = styles.array(schema, style, explode=explode)
    elif shape == "scalar":
        read = styles.scalar(types_of(schema, schema))
    elif explode and style in styles.SPREAD:
        read = styles.spread_object(schema)
    else:
        read = styles.joined_object(schema, style, explode=explode)
    if style == "label":
        return styles.labelled(read)
    if style == "matrix":
        return styles.matrix(read, name, shape if explode else "scalar")
    return read


def _deep(name: str) -> Callable[[str], bool]:
    return lambda key: key.startswith(f"{name}[") and key.endswith("]")


def _spread(schema: Schema) -> Callable[[str], bool]:
    names, more = styles.open_names(schema.document)
    return lambda key: more or key in names


def _default(document: Document, node: Json) -> Json:
    while isinstance(node, dict) and "default" not in node and "$ref" in node:
        node = resolved(document, node["$ref"])
    return node.get("default") if isinstance(node, dict) else None


def _json_parameter(document: Document, node: Document, pointer: str) -> Parameter:
    (media_type, content), *_ = node["content"].items()
    place = f"{pointer}/content/{media_type.replace('/', '~1')}/schema"
    schema = compile_schema(document, content.get("schema", {}), place, Side.REQUEST)

    return Parameter(
        name=node["name"],
        place=node["in"],
        required=node.get("required", False),
        default=None,
        many=False,
        claims=None,
        read=lambda texts: orjson.loads(texts[-1]),
        schema=schema,
    )


def unquoted(raw: bytes) -> str:
    """Percent-decoded text. Raises ``UnicodeDecodeError`` if that is not UTF-8."""
    return unquote_to_bytes(raw).decode() if b"%" in raw else raw.decode()


def query_of(raw: bytes) -> list[tuple[str, str]]:
    """The pairs of a query string, in order. Raises ``UnicodeDecodeError``."""
    if b"%" not in raw and b"+" not in raw:
        parts = (part.partition("=") for part in raw.decode().split("&") if part)
        return [(name, value) for name, _, value in parts]
    pairs = []
    for part in raw.split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            pairs.append((unquoted(name), unquoted(value)))
    return pairs
