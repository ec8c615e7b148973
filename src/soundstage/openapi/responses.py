"""Headers of an answer: those that the contract names, each with its schema."""

import json
from collections.abc import Iterable, Iterator, Sequence

import orjson

from soundstage.openapi.document import resolve_pointer, resolve_reference
from soundstage.openapi.errors import Violation
from soundstage.openapi.parameters import Parameter, compile_parameter
from soundstage.openapi.schema import Schema, build_schema
from soundstage.types import Json, JsonObject, RecordPage, RecordVersion


def compile_response_headers(
    document: JsonObject, response: JsonObject, pointer: str
) -> tuple[Parameter, ...]:
    """The ``headers`` of a response, whose Content-Type is no matter of theirs."""
    return tuple(_iter_headers(document, response.get("headers", {}), pointer))


def _iter_headers(
    document: JsonObject, headers: JsonObject, pointer: str
) -> Iterator[Parameter]:
    for name, given in headers.items():
        if name.lower() != "content-type":
            place = f"{pointer}/headers/{name}"
            node = resolve_reference(document, given, place)
            yield compile_parameter(
                document, {**node, "in": "header", "name": name}, place
            )


def validate_headers(
    known: Sequence[Parameter], headers: Iterable[tuple[str, str]]
) -> list[Violation]:
    """What is wrong with the headers of an answer."""
    if not known:
        return []
    sent: dict[str, list[str]] = {}
    for name, value in headers:
        sent.setdefault(name.lower(), []).append(value.strip())
    return [
        violation
        for parameter in known
        for violation in _validate_header(parameter, sent.get(parameter.name.lower()))
    ]


def _validate_header(header: Parameter, sent: list[str] | None) -> list[Violation]:
    if sent is None:
        message = f"the answer's header {header.name!r} is required"
        missing = Violation("answer", "required", message, header.name)
        return [missing] if header.required else []
    try:
        value = header.parse(sent)
    except ValueError as error:
        return [Violation("answer", "style", str(error), header.name, (), sent)]
    if header.schema.is_valid(value):
        return []
    return header.schema.find_violations(value, "answer", header.name)


_OBJECT_KEYWORDS = frozenset(
    "type properties required additionalProperties propertyNames "
    "minProperties maxProperties $defs".split()
)
_REFERENCE_KEYWORDS = frozenset({"$ref", "$defs"})
_SIZE_KEYWORDS = frozenset({"minItems", "maxItems"})
_LIST_KEYWORDS = frozenset({"type", "items", *_SIZE_KEYWORDS})
"""Keywords that, ``properties`` and ``items`` aside, do not look into what is there."""


class ResponseSerializer:
    """Writes values of one schema.

    ``Version`` and ``Versions`` keep their JSON under the schema that admits them. So
    that a page is judged for what is new in it, an object whose properties are lists is
    judged in halves, if its schema can be told apart: the items, and all else.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._lists = dict(_find_lists(schema.root))
        self._item_schemas = {
            name: _build_subschema(schema, node["items"])
            for name, node in self._lists.items()
        }
        self._bounded = {
            n for n, node in self._lists.items() if _SIZE_KEYWORDS & node.keys()
        }
        self._envelope_schemas: dict[tuple[str, ...], Schema] = {(): schema}

    def serialize(self, value: Json) -> bytes | None:
        """The value as JSON; None if it breaks the schema. O(what is new in it).

        Raises ``TypeError`` and ``ValueError`` for what JSON cannot say.
        """
        if isinstance(value, RecordVersion):
            return value.serialized.get(self._schema) or _serialize_record(
                value, self._schema
            )
        if self._item_schemas and isinstance(value, dict):
            return self._serialize_in_parts(value)
        return encode_json(value) if self._schema.is_valid(value) else None

    def _serialize_in_parts(self, value: JsonObject) -> bytes | None:
        rest, apart = dict(value), {}
        for name, schema in self._item_schemas.items():
            items = value.get(name)
            if type(items) is RecordPage and items:
                text = items.serialized.get(schema) or _serialize_page(items, schema)
                if text is None:
                    return None
                apart[name] = orjson.Fragment(text)
                rest[name] = [None] * len(items) if name in self._bounded else []
        if not self._envelope_schema(*apart).is_valid(rest):
            return None
        try:
            return orjson.dumps(rest | apart)
        except TypeError:
            return encode_json(value)

    def _envelope_schema(self, *apart: str) -> Schema:
        """The schema of all but the items of these lists."""
        rest = self._envelope_schemas.get(apart)
        if rest is None:
            lists = {name: self._lists[name] for name in apart}
            node = _strip_items(self._schema.root, lists)
            rest = self._envelope_schemas[apart] = _build_subschema(self._schema, node)
        return rest


def encode_json(value: Json) -> bytes:
    """JSON. Raises ``TypeError`` and ``ValueError`` for what JSON cannot say."""
    try:
        return orjson.dumps(value)
    except TypeError as error:
        if "64-bit" not in str(error):
            raise
        # A number may be echoed that only the contract's lack of bounds lets in.
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


def _find_lists(document: JsonObject) -> Iterator[tuple[str, JsonObject]]:
    """The properties that are lists, and nothing else is asked of, by name."""
    root = _resolve_plain_reference(document, document)
    if root.keys() <= _OBJECT_KEYWORDS:
        for name, given in root.get("properties", {}).items():
            node = _resolve_plain_reference(document, given)
            if "items" in node and node.keys() <= _LIST_KEYWORDS:
                yield name, node


def _strip_items(document: JsonObject, lists: dict[str, JsonObject]) -> JsonObject:
    root = _resolve_plain_reference(document, document)
    plain = {
        name: {key: value for key, value in node.items() if key != "items"}
        for name, node in lists.items()
    }
    return {**root, "properties": {**root.get("properties", {}), **plain}}


def _resolve_plain_reference(document: JsonObject, node: Json) -> JsonObject:
    """The schema that another one is, if it is nothing but a reference."""
    while (
        isinstance(node, dict)
        and "$ref" in node
        and not node.keys() - _REFERENCE_KEYWORDS
    ):
        node = resolve_pointer(document, node["$ref"])
    return node if isinstance(node, dict) else {}


def _build_subschema(schema: Schema, node: Json) -> Schema:
    return build_schema(node, schema.root.get("$defs", {}), schema.pointer)
