"""Parameters: from the bytes of a request to JSON values, by style and explode."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import orjson

from soundstage.openapi import styles
from soundstage.openapi.document import resolve_pointer
from soundstage.openapi.errors import DocumentError, Violation
from soundstage.openapi.schema import Direction, Schema, compile_schema, possible_types
from soundstage.types import Json, JsonObject


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of an operation, compiled.

    ``read`` makes a JSON value of the texts that were sent for it. Texts that are not
    of its type stay texts, so that the schema says what is wrong with them; for what is
    not of its style it raises ``ValueError``. An object may be many pairs of a query:
    ``claims`` says which, and ``read`` is then given ``name=text``.
    """

    name: str
    location: str
    required: bool
    default: Json
    is_array: bool
    matches_key: Callable[[str], bool] | None
    parse: styles.ParseTexts
    schema: Schema

    @property
    def qualified_name(self) -> str:
        """``query.limit``, as violations have it."""
        return f"{self.location}.{self.name}"

    def find_violations(self, value: Json) -> list[Violation]:
        """What is wrong with a value that was read."""
        return self.schema.find_violations(value, self.location, self.name)


def compile_parameter(
    document: JsonObject, node: JsonObject, pointer: str
) -> Parameter:
    """A parameter from its OpenAPI object (its reference followed)."""
    place, name = node["in"], node["name"]
    if "content" in node:
        return _compile_content_parameter(document, node, pointer)
    schema = compile_schema(
        document, node.get("schema", {}), f"{pointer}/schema", Direction.REQUEST
    )
    style = node.get("style", "form" if place in {"query", "cookie"} else "simple")
    if style not in styles.STYLES_BY_LOCATION[place]:
        msg = f"style {style!r} is not served for a parameter in {place}"
        raise DocumentError(msg, f"{pointer}/style")
    explode = node.get("explode", style == "form")
    types = possible_types(schema.root, schema.root)
    if {"array", "object"} <= types and "string" not in types:
        msg = "whether a parameter is a list or an object cannot be told from its text"
        raise DocumentError(msg, f"{pointer}/schema")
    shape = _choose_shape(types)
    claims = None
    if style == "deepObject":
        claims = _match_brackets(name)
    elif shape == "object" and explode and style in styles.EXPLODABLE_STYLES:
        claims = _match_properties(schema)
        if place == "cookie":
            msg = "an object that is spread over cookies is not served"
            raise DocumentError(msg, f"{pointer}/explode")
    return Parameter(
        name=name,
        location=place,
        required=node.get("required", False),
        default=_find_default(document, node.get("schema", {})),
        is_array=shape == "array",
        matches_key=claims,
        parse=_build_parser(schema.root, name, style, shape, explode=explode),
        schema=schema,
    )


def _choose_shape(types: frozenset[str]) -> str:
    """How values are written; where a text will do, nothing is read into it."""
    for shape in ("string", "array", "object"):
        if shape in types:
            return "scalar" if shape == "string" else shape
    return "scalar"


def _build_parser(
    schema: JsonObject, name: str, style: str, shape: str, *, explode: bool
) -> styles.ParseTexts:
    if style == "deepObject":
        return styles.build_deep_object_parser(schema, name)
    if shape == "array":
        read = styles.build_array_parser(schema, style, explode=explode)
    elif shape == "scalar":
        read = styles.build_scalar_parser(possible_types(schema, schema))
    elif explode and style in styles.EXPLODABLE_STYLES:
        read = styles.build_exploded_object_parser(schema)
    else:
        read = styles.build_joined_object_parser(schema, style, explode=explode)
    if style == "label":
        return styles.strip_label(read)
    if style == "matrix":
        return styles.strip_matrix(read, name, shape if explode else "scalar")
    return read


def _match_brackets(name: str) -> Callable[[str], bool]:
    return lambda key: key.startswith(f"{name}[") and key.endswith("]")


def _match_properties(schema: Schema) -> Callable[[str], bool]:
    names, more = styles.property_names(schema.root)
    return lambda key: more or key in names


def _find_default(document: JsonObject, node: Json) -> Json:
    while isinstance(node, dict) and "default" not in node and "$ref" in node:
        node = resolve_pointer(document, node["$ref"])
    return node.get("default") if isinstance(node, dict) else None


def _compile_content_parameter(
    document: JsonObject, node: JsonObject, pointer: str
) -> Parameter:
    (media_type, content), *_ = node["content"].items()
    place = f"{pointer}/content/{media_type.replace('/', '~1')}/schema"
    schema = compile_schema(
        document, content.get("schema", {}), place, Direction.REQUEST
    )

    return Parameter(
        name=node["name"],
        location=node["in"],
        required=node.get("required", False),
        default=None,
        is_array=False,
        matches_key=None,
        parse=lambda texts: orjson.loads(texts[-1]),
        schema=schema,
    )


def percent_decode(raw: bytes) -> str:
    """Percent-decoded text. Raises ``UnicodeDecodeError`` if that is not UTF-8."""
    return unquote_to_bytes(raw).decode() if b"%" in raw else raw.decode()


def parse_query(raw: bytes) -> list[tuple[str, str]]:
    """The pairs of a query string, in order. Raises ``UnicodeDecodeError``."""
    if b"%" not in raw and b"+" not in raw:
        parts = (part.partition("=") for part in raw.decode().split("&") if part)
        return [(name, value) for name, _, value in parts]
    pairs = []
    for part in raw.split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            pairs.append((percent_decode(name), percent_decode(value)))
    return pairs
