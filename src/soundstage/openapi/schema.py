"""Schemas of OpenAPI 3.0 and 3.1, normalized to JSON Schema 2020-12 and compiled.

A normalized schema is one object, its root: what it refers to is in its ``$defs``.
"""

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cached_property
from typing import Final
from urllib.parse import unquote

import jsonschema_rs

from soundstage.openapi.document import follow_reference, resolve_pointer, resolve_reference
from soundstage.openapi.enums import EnumIndex
from soundstage.openapi.errors import DocumentError, Violation
from soundstage.types import Json, JsonObject


class Direction(Enum):
    """The direction of a message, by the keyword that exempts from ``required``.

    A request need not contain read-only properties, a response no write-only ones.
    """

    REQUEST = "readOnly"
    RESPONSE = "writeOnly"


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        return False
    return True


_FORMATS: Final[Mapping[str, Callable[[str], bool]]] = {"byte": _is_base64}
"""Formats of texts that OpenAPI adds to those of JSON Schema."""

JSON_TYPES: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})

FORMAT_BOUNDS: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
"""Formats of numbers that OpenAPI adds: they are bounds."""

_CONSTRAINT_ATTRIBUTES: Final = tuple(
    "limit options pattern format types multiple_of unexpected".split()
)
"""Attributes of an error's kind that contain the value of its keyword."""

# Keywords by the form of their value: a schema, a list or an object of schemas, ...
_SCHEMA_KEYWORDS: Final = frozenset(
    "items additionalProperties not contains propertyNames if then else "
    "unevaluatedItems unevaluatedProperties".split()
)
_SCHEMA_LIST_KEYWORDS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SCHEMA_MAP_KEYWORDS: Final = frozenset({"properties", "patternProperties", "dependentSchemas"})
# ... a value that is copied, ...
_VALUE_KEYWORDS: Final = frozenset(
    "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum "
    "maxLength minLength pattern maxItems minItems uniqueItems maxContains minContains "
    "maxProperties minProperties required dependentRequired format".split()
)
# ... or an annotation, which is dropped.
_ANNOTATION_KEYWORDS: Final = frozenset(
    "title description default deprecated readOnly writeOnly example examples "
    "discriminator xml externalDocs $comment contentEncoding contentMediaType".split()
)


class Schema:
    """A normalized schema, compiled when ``compile`` is called or at its first use.

    ``is_valid`` is fast; ``find_violations`` is complete. Both raise ``DocumentError``
    at their first use if ``compile`` would.

    >>> schema = Schema({"type": "array", "items": {"type": "integer"}}, "")
    >>> schema.is_valid([1, 2])
    True
    >>> [v.display_path for v in schema.find_violations([1, "2"], "body")]
    ['body[1]']
    """

    def __init__(self, root: JsonObject, pointer: str) -> None:
        self.root, self.pointer = root, pointer
        self._validator: jsonschema_rs.Draft202012Validator | None = None
        # Replaced by the validator's own method, which saves a call per validation.
        self.is_valid: Callable[[Json], bool] = self._compile_and_check

    def _compile_and_check(self, value: Json) -> bool:
        return self.compile().is_valid(value)

    def compile(self) -> jsonschema_rs.Draft202012Validator:
        """Return the validator, created once. Raises ``DocumentError``."""
        if self._validator is None:
            try:
                self._validator = jsonschema_rs.Draft202012Validator(
                    self.root, validate_formats=True, formats=dict(_FORMATS)
                )
            except (jsonschema_rs.ValidationError, ValueError) as error:
                reason = str(error).splitlines()[0]
                msg = f"is not a usable schema: {reason}"
                raise DocumentError(msg, self.pointer) from error
            self.is_valid = self._validator.is_valid
        return self._validator

    @cached_property
    def enums(self) -> EnumIndex:
        """The index of its enumerated values, built at its first use."""
        return EnumIndex(self.root)

    def find_violations(self, value: Json, location: str, name: str = "") -> list[Violation]:
        """Return all violations of the schema in a value."""
        return [_to_violation(error, location, name) for error in self.compile().iter_errors(value)]


def _to_violation(error: jsonschema_rs.ValidationError, location: str, name: str) -> Violation:
    rule = str(error.schema_path[-1]) if error.schema_path else "false"
    kind = error.kind
    values = (getattr(kind, a) for a in _CONSTRAINT_ATTRIBUTES if hasattr(kind, a))
    constraint = next(values, None)
    message = error.message
    if isinstance(kind, jsonschema_rs.ValidationErrorKind.PropertyNames):
        rule, constraint = "propertyNames", [kind.error.instance]
    if rule == "enum" and isinstance(constraint, list):
        # The validator's own message shortens long lists.
        options = ("null" if value is None else repr(value) for value in constraint)
        message = f"{error.instance!r} is none of {', '.join(options)}"
    path = tuple(error.instance_path)
    return Violation(location, rule, message, name, path, error.instance, constraint)


def compile_schema(document: JsonObject, node: Json, pointer: str, direction: Direction) -> Schema:
    """Normalize the schema at ``pointer`` of an OpenAPI document.

    Raises ``DocumentError`` for a keyword that the document's version of OpenAPI does
    not have, and for a reference to a missing target.

    >>> document = {"openapi": "3.0.3"}
    >>> node = {"type": "string", "nullable": True}
    >>> compile_schema(document, node, "", Direction.REQUEST).root
    {'type': ['string', 'null']}
    """
    normalizer = _Normalizer(document, direction)
    root = normalizer.normalize(node, pointer)
    return build_schema(root, normalizer.defs, pointer)


def build_schema(node: Json, defs: JsonObject, pointer: str) -> Schema:
    """Return a schema from normalized parts: a node, and what it refers to."""
    root = {"allOf": [node]} if isinstance(node, bool) else node
    return Schema({**root, "$defs": defs} if defs else root, pointer)


class _Normalizer:
    """Normalizes a schema, and into ``defs`` all schemas that it refers to."""

    def __init__(self, document: JsonObject, direction: Direction) -> None:
        self.defs: dict[str, Json] = {}
        # References may have characters that a URI may not: definitions are numbered.
        self._names: dict[str, str] = {}
        self._document = document
        self._direction = direction
        self._is_3_0 = str(document.get("openapi", "")).startswith("3.0")

    def normalize(self, node: Json, pointer: str) -> Json:
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise DocumentError("a schema must be an object", pointer)
        if "$ref" in node:
            ref = {"$ref": self._normalize_reference(node["$ref"], pointer)}
            rest = {k: v for k, v in node.items() if k != "$ref"}
            # OpenAPI 3.0 ignores keywords beside a reference.
            return ref if self._is_3_0 else {**self._normalize_keywords(rest, pointer), **ref}
        return self._normalize_keywords(node, pointer)

    def _normalize_reference(self, ref: str, pointer: str) -> str:
        key = self._names.setdefault(unquote(ref), f"s{len(self._names)}")
        if key not in self.defs:
            self.defs[key] = True  # a placeholder: the schema may be recursive
            target = follow_reference(self._document, ref, pointer)
            self.defs[key] = self.normalize(target, ref[1:])
        return f"#/$defs/{key}"

    def _normalize_keywords(self, node: JsonObject, pointer: str) -> JsonObject:
        result: JsonObject = {}
        for key, value in node.items():
            place = f"{pointer}/{key}"
            if key in _SCHEMA_KEYWORDS:
                result[key] = self.normalize(value, place)
            elif key in _SCHEMA_LIST_KEYWORDS:
                result[key] = [self.normalize(v, f"{place}/{i}") for i, v in enumerate(value)]
            elif key in _SCHEMA_MAP_KEYWORDS:
                result[key] = {k: self.normalize(v, f"{place}/{k}") for k, v in value.items()}
            elif key in _VALUE_KEYWORDS:
                result[key] = value
            elif not (
                key in _ANNOTATION_KEYWORDS
                or key.startswith("x-")
                or self._is_nullable_keyword(key)
            ):
                raise DocumentError(self._describe_unknown_keyword(key), place)
        self._convert_exclusive_bounds(result)
        self._convert_number_format(result)
        self._relax_required(node, result)
        return _merge_null_branch(_apply_nullable(node, result) if self._is_3_0 else result)

    def _is_nullable_keyword(self, key: str) -> bool:
        return self._is_3_0 and key == "nullable"

    def _describe_unknown_keyword(self, key: str) -> str:
        if key == "nullable":
            return "OpenAPI 3.1 has no keyword nullable; use an overlay to add null to the type"
        return f"{key!r} is not a keyword of JSON Schema"

    def _convert_exclusive_bounds(self, result: JsonObject) -> None:
        """Convert 3.0's boolean exclusiveMinimum to 2020-12's number."""
        for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
            if isinstance(result.get(exclusive), bool) and result.pop(exclusive):
                result[exclusive] = result.pop(bound)

    def _convert_number_format(self, result: JsonObject) -> None:
        """Convert the format of a number to bounds; validators ignore such formats."""
        bounds = FORMAT_BOUNDS.get(result.get("format", ""))
        if bounds:
            del result["format"]
            result["minimum"] = max(bounds[0], result.get("minimum", bounds[0]))
            result["maximum"] = min(bounds[1], result.get("maximum", bounds[1]))

    def _relax_required(self, node: JsonObject, result: JsonObject) -> None:
        """Make properties of the other direction optional."""
        properties = node.get("properties", {})
        exempt = self._direction.value
        if "required" in result:
            result["required"] = [
                name
                for name in result["required"]
                if not self._resolve(properties.get(name, {})).get(exempt)
            ]

    def _resolve(self, node: Json) -> Mapping[str, Json]:
        try:
            return resolve_reference(self._document, node)
        except DocumentError:
            return {}  # reported where the reference itself is normalized


def _apply_nullable(node: JsonObject, result: JsonObject) -> JsonObject:
    if node.get("nullable") is not True:
        return result
    if "type" in result:
        return {**result, "type": [result["type"], "null"]}
    # Without a type, 3.0.3 gives nullable no meaning; this is what vendors mean. With
    # anyOf, the violations would only be that a value matches neither.
    return {"if": {"not": {"type": "null"}}, "then": result} if result else result


def _merge_null_branch(node: JsonObject) -> JsonObject:
    """Merge ``oneOf: [{type: T, …}, {type: null}]``, for more specific violations."""
    branches = node.get("oneOf")
    if not branches or len(node) != 1 or {"type": "null"} not in branches:
        return node
    others = [b for b in branches if b != {"type": "null"}]
    if len(others) != 1 or not isinstance(others[0], dict):
        return node
    kind = others[0].get("type")
    if (
        not isinstance(kind, str)
        or others[0].keys() - _VALUE_KEYWORDS - _SCHEMA_MAP_KEYWORDS - _SCHEMA_KEYWORDS
    ):
        return node
    merged = {**others[0], "type": [kind, "null"]}
    if "enum" in merged:
        merged["enum"] = [*merged["enum"], None]
    return merged


def possible_types(root: JsonObject, node: Json) -> frozenset[str]:
    """Return the JSON types that may be valid for a node of a normalized schema.

    The result is never too narrow; it may be too wide.

    >>> sorted(possible_types({}, {"type": ["number", "null"], "enum": [1, None]}))
    ['integer', 'null']
    """
    if not isinstance(node, dict):
        return JSON_TYPES
    types = JSON_TYPES
    if "$ref" in node:
        types &= possible_types(root, resolve_pointer(root, node["$ref"]))
    if "type" in node:
        declared = node["type"] if isinstance(node["type"], list) else [node["type"]]
        types &= frozenset(declared) | ({"integer"} if "number" in declared else set())
    if "enum" in node:
        types &= {_json_type(value) for value in node["enum"]}
    if "const" in node:
        types &= {_json_type(node["const"])}
    for branch in node.get("allOf", ()):
        types &= possible_types(root, branch)
    for key in ("anyOf", "oneOf"):
        if key in node:
            types &= _union(possible_types(root, branch) for branch in node[key])
    return types


def _union(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)


def _json_type(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case str():
            return "string"
        case list():
            return "array"
        case _:
            return "object"
