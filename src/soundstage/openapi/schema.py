"""OpenAPI 3.0 and 3.1 schemas in one form: JSON Schema 2020-12, compiled once."""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cached_property
from typing import Final
from urllib.parse import unquote

import jsonschema_rs

from soundstage.openapi.document import (
    follow_reference,
    resolve_pointer,
    resolve_reference,
)
from soundstage.openapi.enums import EnumIndex
from soundstage.openapi.errors import DocumentError, Violation
from soundstage.openapi.formats import _FORMATS
from soundstage.types import Json, JsonObject


class Direction(Enum):
    """Who says it: a request may leave out what is read-only, an answer the rest."""

    REQUEST = "readOnly"
    RESPONSE = "writeOnly"


JSON_TYPES: Final = frozenset(
    {"null", "boolean", "integer", "number", "string", "array", "object"}
)

FORMAT_BOUNDS: Final = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}

_CONSTRAINT_ATTRIBUTES: Final = tuple(
    "limit options pattern format types multiple_of unexpected".split()
)
"""Where an error's kind keeps what its keyword says."""

_SCHEMA_KEYWORDS: Final = frozenset(
    "items additionalProperties not contains propertyNames if then else "
    "unevaluatedItems unevaluatedProperties".split()
)
_SCHEMA_LIST_KEYWORDS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_SCHEMA_MAP_KEYWORDS: Final = frozenset(
    {"properties", "patternProperties", "dependentSchemas"}
)
_VALUE_KEYWORDS: Final = frozenset(
    "type enum const multipleOf maximum exclusiveMaximum minimum exclusiveMinimum "
    "maxLength minLength pattern maxItems minItems uniqueItems maxContains minContains "
    "maxProperties minProperties required dependentRequired format".split()
)
_ANNOTATION_KEYWORDS: Final = frozenset(
    "title description default deprecated readOnly writeOnly example examples "
    "discriminator xml externalDocs $comment contentEncoding contentMediaType".split()
)


class Schema:
    """A compiled schema: quick to say yes, complete when it says no.

    What ``compile`` raises is raised by its first use if nobody has called it.
    """

    def __init__(self, root: JsonObject, pointer: str) -> None:
        self.root, self.pointer = root, pointer
        self._validator: jsonschema_rs.Draft202012Validator | None = None
        self.is_valid: Callable[[Json], bool] = self._compile_and_check

    def _compile_and_check(self, value: Json) -> bool:
        return self.compile().is_valid(value)

    def compile(self) -> jsonschema_rs.Draft202012Validator:
        """The validator, made once. Raises ``DocumentError``."""
        if self._validator is None:
            try:
                self._validator = jsonschema_rs.Draft202012Validator(
                    self.root, validate_formats=True, formats=dict(_FORMATS)
                )
            except (jsonschema_rs.ValidationError, ValueError) as error:
                reason = str(error).splitlines()[0]
                msg = f"is not a schema that can be used: {reason}"
                raise DocumentError(msg, self.pointer) from error
            self.is_valid = self._validator.is_valid
        return self._validator

    @cached_property
    def enums(self) -> EnumIndex:
        """The values that it lists; found out when first asked for."""
        return EnumIndex(self.root)

    def find_violations(
        self, value: Json, location: str, name: str = ""
    ) -> list[Violation]:
        """Every way in which the value breaks the schema."""
        return [
            _to_violation(error, location, name)
            for error in self.compile().iter_errors(value)
        ]


def _to_violation(
    error: jsonschema_rs.ValidationError, place: str, name: str
) -> Violation:
    rule = str(error.schema_path[-1]) if error.schema_path else "false"
    limit = next(
        (
            getattr(error.kind, a)
            for a in _CONSTRAINT_ATTRIBUTES
            if hasattr(error.kind, a)
        ),
        None,
    )
    message = error.message
    if isinstance(error.kind, jsonschema_rs.ValidationErrorKind.PropertyNames):
        rule, limit = "propertyNames", [error.kind.error.instance]
    if rule == "enum" and isinstance(limit, list):
        options = ("null" if value is None else repr(value) for value in limit)
        message = f"{error.instance!r} is none of {', '.join(options)}"
    path = tuple(error.instance_path)
    return Violation(place, rule, message, name, path, error.instance, limit)


def compile_schema(
    document: JsonObject, node: Json, pointer: str, direction: Direction
) -> Schema:
    """The schema at ``pointer`` of an OpenAPI document.

    Raises ``DocumentError`` for a keyword that means nothing in the document's version,
    and for a reference to nothing.
    """
    normal = _Normalizer(document, direction)
    return build_schema(normal.normalize(node, pointer), normal.defs, pointer)


def build_schema(node: Json, defs: JsonObject, pointer: str) -> Schema:
    """A schema in the one form, with what it refers to."""
    root = {"allOf": [node]} if isinstance(node, bool) else node
    return Schema({**root, "$defs": defs} if defs else root, pointer)


class _Normalizer:
    """One pass over a schema and over all that it refers to."""

    def __init__(self, document: JsonObject, direction: Direction) -> None:
        self.defs: dict[str, Json] = {}
        self._names: dict[str, str] = {}  # a reference may hold what a URI may not
        self._document = document
        self._direction = direction
        self._is_3_0 = str(document.get("openapi", "")).startswith("3.0")

    def normalize(self, node: Json, pointer: str) -> Json:
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise DocumentError("a schema is an object", pointer)
        if "$ref" in node:
            ref = {"$ref": self._normalize_reference(node["$ref"], pointer)}
            rest = {k: v for k, v in node.items() if k != "$ref"}
            return (
                ref
                if self._is_3_0
                else {**self._normalize_keywords(rest, pointer), **ref}
            )
        return self._normalize_keywords(node, pointer)

    def _normalize_reference(self, ref: str, pointer: str) -> str:
        key = self._names.setdefault(unquote(ref), f"s{len(self._names)}")
        if key not in self.defs:
            self.defs[key] = True  # holds the place while a recursive schema is read
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
                result[key] = [
                    self.normalize(v, f"{place}/{i}") for i, v in enumerate(value)
                ]
            elif key in _SCHEMA_MAP_KEYWORDS:
                result[key] = {
                    k: self.normalize(v, f"{place}/{k}") for k, v in value.items()
                }
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
        return _merge_null_branch(
            _apply_nullable(node, result) if self._is_3_0 else result
        )

    def _is_nullable_keyword(self, key: str) -> bool:
        return self._is_3_0 and key == "nullable"

    def _describe_unknown_keyword(self, key: str) -> str:
        if key == "nullable":
            return (
                "nullable means nothing in OpenAPI 3.1; let an overlay make the type "
                "a list with null in it"
            )
        return f"{key!r} is no keyword of a schema"

    def _convert_exclusive_bounds(self, result: JsonObject) -> None:
        """OpenAPI 3.0's boolean exclusiveMinimum is 2020-12's number."""
        for exclusive, bound in (
            ("exclusiveMinimum", "minimum"),
            ("exclusiveMaximum", "maximum"),
        ):
            if isinstance(result.get(exclusive), bool) and result.pop(exclusive):
                result[exclusive] = result.pop(bound)

    def _convert_number_format(self, result: JsonObject) -> None:
        """Formats of numbers are bounds; validators know only formats of text."""
        bounds = FORMAT_BOUNDS.get(result.get("format", ""))
        if bounds:
            del result["format"]
            result["minimum"] = max(bounds[0], result.get("minimum", bounds[0]))
            result["maximum"] = min(bounds[1], result.get("maximum", bounds[1]))

    def _relax_required(self, node: JsonObject, result: JsonObject) -> None:
        properties = node.get("properties", {})
        if "required" in result:
            result["required"] = [
                name
                for name in result["required"]
                if not self._resolve(properties.get(name, {})).get(
                    self._direction.value
                )
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
    # Without a type 3.0.3 gives nullable no meaning; vendors mean this by it. As an
    # anyOf it would only be said that a value is neither, not what is wrong with it.
    return {"if": {"not": {"type": "null"}}, "then": result} if result else result


def _merge_null_branch(node: JsonObject) -> JsonObject:
    """``oneOf: [{type: T, …}, {type: null}]`` as one schema: clearer complaints."""
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
    """The JSON types that a normal schema may admit; wider than the truth at most."""
    if not isinstance(node, dict):
        return JSON_TYPES
    found = JSON_TYPES
    if "$ref" in node:
        found &= possible_types(root, resolve_pointer(root, node["$ref"]))
    if "type" in node:
        kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
        found &= frozenset(kinds) | ({"integer"} if "number" in kinds else set())
    if "enum" in node:
        found &= {_json_type(value) for value in node["enum"]}
    if "const" in node:
        found &= {_json_type(node["const"])}
    for branch in node.get("allOf", ()):
        found &= possible_types(root, branch)
    for key in ("anyOf", "oneOf"):
        if key in node:
            found &= _union(possible_types(root, branch) for branch in node[key])
    return found


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
