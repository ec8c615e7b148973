"""Validate the headers of responses; validate and serialize their bodies."""

import json
from collections.abc import Iterable, Iterator, Sequence

import orjson

from soundstage.openapi.document import follow_reference, resolve_reference
from soundstage.openapi.errors import RESPONSE, Violation
from soundstage.openapi.parameters import Parameter, compile_parameter
from soundstage.openapi.schema import Schema, build_schema
from soundstage.types import Json, JsonObject, RecordPage, RecordVersion


def compile_response_headers(
    document: JsonObject, response: JsonObject, pointer: str
) -> tuple[Parameter, ...]:
    """Compile the ``headers`` of a response, as header parameters.

    Content-Type is ignored there (OpenAPI, Response Object).
    """
    return tuple(
        _compile_header(document, name, node, f"{pointer}/headers/{name}")
        for name, node in response.get("headers", {}).items()
        if name.lower() != "content-type"
    )


def _compile_header(document: JsonObject, name: str, raw: JsonObject, pointer: str) -> Parameter:
    node = resolve_reference(document, raw, pointer)
    parameter = {**node, "in": "header", "name": name}
    return compile_parameter(document, parameter, pointer)


def validate_headers(
    documented: Sequence[Parameter], headers: Iterable[tuple[str, str]]
) -> list[Violation]:
    """Validate the headers of a response against the documented ones."""
    if not documented:
        return []
    sent: dict[str, list[str]] = {}
    for name, value in headers:
        sent.setdefault(name.lower(), []).append(value.strip())
    return [
        violation
        for header in documented
        for violation in _validate_header(header, sent.get(header.name.lower()))
    ]


def _validate_header(header: Parameter, sent: list[str] | None) -> list[Violation]:
    if sent is None:
        message = f"the response header {header.name!r} is required"
        missing = Violation(RESPONSE, "required", message, header.name)
        return [missing] if header.required else []
    try:
        value = header.parse(sent)
    except ValueError as error:
        return [Violation(RESPONSE, "style", str(error), header.name, (), sent)]
    if header.schema.is_valid(value):
        return []
    return header.schema.find_violations(value, RESPONSE, header.name)


# A page can be validated in parts only if all keywords of its schema are among these:
# besides ``properties`` and ``items``, none of them constrains nested values.
_OBJECT_KEYWORDS = frozenset(
    "type properties required additionalProperties propertyNames "
    "minProperties maxProperties $defs".split()
)
_REFERENCE_KEYWORDS = frozenset({"$ref", "$defs"})
_SIZE_KEYWORDS = frozenset({"minItems", "maxItems"})
_LIST_KEYWORDS = frozenset({"type", "items", *_SIZE_KEYWORDS})


class ResponseSerializer:
    """Validates and serializes response bodies of one schema.

    ``RecordVersion`` and ``RecordPage`` cache their JSON by the schema that they were
    validated against. So that only new records of a page are validated, an object with
    properties that are lists is validated in two parts, where its schema allows this:
    the items of the lists, and the envelope around them.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._lists = dict(_find_lists(schema.root))
        self._item_schemas = {
            name: _build_subschema(schema, node["items"]) for name, node in self._lists.items()
        }
        self._bounded = {name for name, node in self._lists.items() if _SIZE_KEYWORDS & node.keys()}
        self._envelope_schemas: dict[tuple[str, ...], Schema] = {(): schema}

    def serialize(self, value: Json) -> bytes | None:
        """Return the value as JSON, or ``None`` if it is invalid. O(new records).

        Raises ``TypeError`` and ``ValueError`` for values that JSON cannot express.
        """
        if isinstance(value, RecordVersion):
            cached = value.serialized.get(self._schema)
            return cached or _serialize_record(value, self._schema)
        if self._item_schemas and isinstance(value, dict):
            return self._serialize_in_parts(value)
        return encode_json(value) if self._schema.is_valid(value) else None

    def _serialize_in_parts(self, value: JsonObject) -> bytes | None:
        envelope, parts = dict(value), {}
        for name, schema in self._item_schemas.items():
            items = value.get(name)
            if type(items) is RecordPage and items:
                text = items.serialized.get(schema) or _serialize_page(items, schema)
                if text is None:
                    return None
                parts[name] = orjson.Fragment(text)
                # Placeholders of the same number, if the schema limits the size.
                envelope[name] = [None] * len(items) if name in self._bounded else []
        if not self._envelope_schema(*parts).is_valid(envelope):
            return None
        try:
            return orjson.dumps(envelope | parts)
        except TypeError:
            return encode_json(value)

    def _envelope_schema(self, *names: str) -> Schema:
        """Return the schema without the items of these lists."""
        schema = self._envelope_schemas.get(names)
        if schema is None:
            lists = {name: self._lists[name] for name in names}
            node = _strip_items(self._schema.root, lists)
            schema = _build_subschema(self._schema, node)
            self._envelope_schemas[names] = schema
        return schema


def encode_json(value: Json) -> bytes:
    """Encode a value as JSON.

    Raises ``TypeError`` and ``ValueError`` for values that JSON cannot express.

    >>> encode_json({"n": 2**70})
    b'{"n":1180591620717411303424}'
    """
    try:
        return orjson.dumps(value)
    except TypeError as error:
        if "64-bit" not in str(error):
            raise
        # A contract without bounds accepts, and a response may repeat, such a number.
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _serialize_page(page: RecordPage, schema: Schema) -> bytes | None:
    parts = []
    for version in page:
        text = version.serialized.get(schema) or _serialize_record(version, schema)
        if text is None:
            return None
        parts.append(text)
    text = b"[%b]" % b",".join(parts)
    page.serialized = {**page.serialized, schema: text}
    return text


def _serialize_record(version: RecordVersion, schema: Schema) -> bytes | None:
    if not schema.is_valid(version):
        return None
    text = encode_json(version)
    version.serialized = {**version.serialized, schema: text}
    return text


def _find_lists(root: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """Yield name and schema of the properties that can be validated apart."""
    node = _resolve_plain_reference(root, root)
    if node.keys() <= _OBJECT_KEYWORDS:
        for name, raw in node.get("properties", {}).items():
            inner = _resolve_plain_reference(root, raw)
            if "items" in inner and inner.keys() <= _LIST_KEYWORDS:
                yield name, inner


def _strip_items(root: JsonObject, lists: dict[str, JsonObject]) -> JsonObject:
    node = _resolve_plain_reference(root, root)
    plain = {
        name: {key: value for key, value in inner.items() if key != "items"}
        for name, inner in lists.items()
    }
    return {**node, "properties": {**node.get("properties", {}), **plain}}


def _resolve_plain_reference(root: JsonObject, node: Json) -> JsonObject:
    """Follow references, but stop at one with other keywords beside it.

    These apply too in OpenAPI 3.1.
    """
    while isinstance(node, dict) and "$ref" in node and not node.keys() - _REFERENCE_KEYWORDS:
        node = follow_reference(root, node["$ref"])
    return node if isinstance(node, dict) else {}


def _build_subschema(schema: Schema, node: Json) -> Schema:
    return build_schema(node, schema.root.get("$defs", {}), schema.pointer)
