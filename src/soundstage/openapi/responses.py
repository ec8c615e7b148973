"""Headers of an answer: those that the contract names, each with its schema."""

import json
from collections.abc import Iterable, Iterator, Sequence

import orjson

from soundstage.openapi.document import followed, resolved
from soundstage.openapi.errors import Violation
from soundstage.openapi.parameters import Parameter, compile_parameter
from soundstage.openapi.schema import Schema, schema_of
from soundstage.types import Document, Json, Version, Versions


def compile_headers(
    document: Document, answer: Document, pointer: str
) -> tuple[Parameter, ...]:
    """The ``headers`` of a response, whose Content-Type is no matter of theirs."""
    return tuple(_compiled(document, answer.get("headers", {}), pointer))


def _compiled(
    document: Document, headers: Document, pointer: str
) -> Iterator[Parameter]:
    for name, given in headers.items():
        if name.lower() != "content-type":
            place = f"{pointer}/headers/{name}"
            node = followed(document, given, place)
            yield compile_parameter(
                document, {**node, "in": "header", "name": name}, place
            )


def judge_headers(
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
        for violation in _judged(parameter, sent.get(parameter.name.lower()))
    ]


def _judged(header: Parameter, sent: list[str] | None) -> list[Violation]:
    if sent is None:
        message = f"the answer's header {header.name!r} is required"
        missing = Violation("answer", "required", message, header.name)
        return [missing] if header.required else []
    try:
        value = header.read(sent)
    except ValueError as error:
        return [Violation("answer", "style", str(error), header.name, (), sent)]
    if header.schema.is_valid(value):
        return []
    return header.schema.violations(value, "answer", header.name)


_OF_OBJECTS = frozenset(
    "type properties required additionalProperties propertyNames "
    "minProperties maxProperties $defs".split()
)
_OF_REFERENCES = frozenset({"$ref", "$defs"})
_SIZES = frozenset({"minItems", "maxItems"})
_OF_LISTS = frozenset({"type", "items", *_SIZES})
"""Keywords that, ``properties`` and ``items`` aside, do not look into what is there."""


class Writer:
    """Writes values of one schema.

    ``Version`` and ``Versions`` keep their JSON under the schema that admits them. So
    that a page is judged for what is new in it, an object whose properties are lists is
    judged in halves, if its schema can be told apart: the items, and all else.
    """

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        self._lists = dict(_lists_of(schema.document))
        self._items = {
            name: _part(schema, node["items"]) for name, node in self._lists.items()
        }
        self._sized = {n for n, node in self._lists.items() if _SIZES & node.keys()}
        self._rests: dict[tuple[str, ...], Schema] = {(): schema}

    def write(self, value: Json) -> bytes | None:
        """The value as JSON; None if it breaks the schema. O(what is new in it).

        Raises ``TypeError`` and ``ValueError`` for what JSON cannot say.
        """
        if isinstance(value, Version):
            return value.told.get(self._schema) or _told(value, self._schema)
        if self._items and isinstance(value, dict):
            return self._in_halves(value)
        return encoded(value) if self._schema.is_valid(value) else None

    def _in_halves(self, value: Document) -> bytes | None:
        rest, apart = dict(value), {}
        for name, schema in self._items.items():
            items = value.get(name)
            if type(items) is Versions and items:
                text = items.told.get(schema) or _all_told(items, schema)
                if text is None:
                    return None
                apart[name] = orjson.Fragment(text)
                rest[name] = [None] * len(items) if name in self._sized else []
        if not self._rest(*apart).is_valid(rest):
            return None
        try:
            return orjson.dumps(rest | apart)
        except TypeError:
            return encoded(value)

    def _rest(self, *apart: str) -> Schema:
        """The schema of all but the items of these lists."""
        rest = self._rests.get(apart)
        if rest is None:
            lists = {name: self._lists[name] for name in apart}
            node = _without_items(self._schema.document, lists)
            rest = self._rests[apart] = _part(self._schema, node)
        return rest


def encoded(value: Json) -> bytes:
    """JSON. Raises ``TypeError`` and ``ValueError`` for what JSON cannot say."""
    try:
        return orjson.dumps(value)
    except TypeError as error:
        if "64-bit" not in str(error):
            raise
        # A number may be echoed that only the contract's lack of bounds lets in.
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def _all_told(versions: Versions, schema: Schema) -> bytes | None:
    parts = []
    for version in versions:
        text = version.told.get(schema) or _told(version, schema)
        if text is None:
            return None
        parts.append(text)
    text = b"[%b]" % b",".join(parts)
    versions.told = {**versions.told, schema: text}
    return text


def _told(version: Version, schema: Schema) -> bytes | None:
    if not schema.is_valid(version):
        return None
    text = encoded(version)
    version.told = {**version.told, schema: text}
    return text


def _lists_of(document: Document) -> Iterator[tuple[str, Document]]:
    """The properties that are lists, and nothing else is asked of, by name."""
    root = _followed(document, document)
    if root.keys() <= _OF_OBJECTS:
        for name, given in root.get("properties", {}).items():
            node = _followed(document, given)
            if "items" in node and node.keys() <= _OF_LISTS:
                yield name, node


def _without_items(document: Document, lists: dict[str, Document]) -> Document:
    root = _followed(document, document)
    plain = {
        name: {key: value for key, value in node.items() if key != "items"}
        for name, node in lists.items()
    }
    return {**root, "properties": {**root.get("properties", {}), **plain}}


def _followed(document: Document, node: Json) -> Document:
    """The schema that another one is, if it is nothing but a reference."""
    while (
        isinstance(node, dict) and "$ref" in node and not node.keys() - _OF_REFERENCES
    ):
        node = resolved(document, node["$ref"])
    return node if isinstance(node, dict) else {}


def _part(schema: Schema, node: Json) -> Schema:
    return schema_of(node, schema.document.get("$defs", {}), schema.pointer)
