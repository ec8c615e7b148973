"""Parameters: from the path, query, headers and cookies of a request to JSON values."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from urllib.parse import unquote_to_bytes

import orjson

from soundstage.openapi import styles
from soundstage.openapi.document import follow_reference
from soundstage.openapi.errors import DocumentError, Violation
from soundstage.openapi.schema import Direction, Schema, compile_schema, possible_types
from soundstage.types import Json, JsonObject

MAX_CACHED_REQUESTS = 256
"""Parsed requests that each operation caches: clients poll."""

MAX_CACHED_LENGTH = 512
"""Bytes of parameters and query that are cached."""

Headers = Mapping[bytes, list[bytes]]
"""The headers of a request, by name in lower case."""

ParameterValues = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A compiled parameter of an operation, or header of a response.

    ``location`` is path, query, header or cookie. ``parse`` converts the texts that
    were sent to a JSON value. A text that is not of the type of the schema remains a
    text, so that the schema finds the violation; a text that is not of the style raises
    ``ValueError``. An object may be sent as several pairs of a query: ``matches_key``
    selects their names, and ``parse`` then receives ``name=text``.
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
        """``query.limit``, as ``Violation.part``."""
        return f"{self.location}.{self.name}"

    def find_violations(self, value: Json) -> list[Violation]:
        """Find the violations of the schema in a parsed value."""
        return self.schema.find_violations(value, self.location, self.name)


def compile_parameter(document: JsonObject, node: JsonObject, pointer: str) -> Parameter:
    """Compile a parameter from its OpenAPI object (its reference followed).

    Raises ``DocumentError``.

    >>> node = {"in": "query", "name": "ids", "schema": {"type": "array"}}
    >>> compile_parameter({"openapi": "3.1.0"}, node, "").parse(["a", "b"])
    ['a', 'b']
    """
    location, name = node["in"], node["name"]
    if "content" in node:
        return _compile_content_parameter(document, node, pointer)
    schema = compile_schema(
        document, node.get("schema", {}), f"{pointer}/schema", Direction.REQUEST
    )
    style = node.get("style", "form" if location in {"query", "cookie"} else "simple")
    if style not in styles.STYLES_BY_LOCATION[location]:
        msg = f"style {style!r} is not supported for a parameter in {location}"
        raise DocumentError(msg, f"{pointer}/style")
    explode = node.get("explode", style == "form")
    shape = _choose_shape(schema, pointer)
    matches_key = None
    if style == "deepObject":
        matches_key = _match_brackets(name)
    elif shape == "object" and explode and style in styles.EXPLODABLE_STYLES:
        matches_key = _match_properties(schema)
        if location == "cookie":
            msg = "an object exploded over cookies is not supported"
            raise DocumentError(msg, f"{pointer}/explode")
    return Parameter(
        name=name,
        location=location,
        required=node.get("required", False),
        default=_find_default(document, node.get("schema", {})),
        is_array=shape == "array",
        matches_key=matches_key,
        parse=_build_parser(schema.root, name, style, shape, explode=explode),
        schema=schema,
    )


def _choose_shape(schema: Schema, pointer: str) -> str:
    """Return scalar, array or object; scalar if a plain text is valid too."""
    types = possible_types(schema.root, schema.root)
    if {"array", "object"} <= types and "string" not in types:
        msg = "a text cannot be parsed if its type may be both array and object"
        raise DocumentError(msg, f"{pointer}/schema")
    for shape in ("string", "array", "object"):
        if shape in types:
            return "scalar" if shape == "string" else shape
    return "scalar"


def _build_parser(
    root: JsonObject, name: str, style: str, shape: str, *, explode: bool
) -> styles.ParseTexts:
    if style == "deepObject":
        return styles.build_deep_object_parser(root, name)
    if shape == "array":
        parse = styles.build_array_parser(root, style, explode=explode)
    elif shape == "scalar":
        parse = styles.build_scalar_parser(possible_types(root, root))
    elif explode and style in styles.EXPLODABLE_STYLES:
        parse = styles.build_exploded_object_parser(root)
    else:
        parse = styles.build_joined_object_parser(root, style, explode=explode)
    if style == "label":
        return styles.strip_label(parse)
    if style == "matrix":
        return styles.strip_matrix(parse, name, shape if explode else "scalar")
    return parse


def _match_brackets(name: str) -> Callable[[str], bool]:
    return lambda key: key.startswith(f"{name}[") and key.endswith("]")


def _match_properties(schema: Schema) -> Callable[[str], bool]:
    names, allows_others = styles.property_names(schema.root)
    return lambda key: allows_others or key in names


def _find_default(document: JsonObject, node: Json) -> Json:
    """Return the default of a schema; in 3.1 it may be beside a reference."""
    while isinstance(node, dict) and "default" not in node and "$ref" in node:
        node = follow_reference(document, node["$ref"])
    return node.get("default") if isinstance(node, dict) else None


def _compile_content_parameter(document: JsonObject, node: JsonObject, pointer: str) -> Parameter:
    """Compile a parameter that is serialized as JSON (``content``)."""
    (media_type, content), *_ = node["content"].items()
    place = f"{pointer}/content/{media_type.replace('/', '~1')}/schema"
    schema = compile_schema(document, content.get("schema", {}), place, Direction.REQUEST)
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


@dataclass(frozen=True, slots=True)
class ParameterParser:
    """Parses and validates all parameters of one operation."""

    operation_id: str
    _by_location: Mapping[str, Mapping[str, Parameter]]
    _credential_names: frozenset[str]
    _header_names: tuple[bytes, ...]
    _object_parameters: tuple[Parameter, ...]
    _defaults: Mapping[str, Json]
    _needs_query: bool
    _cache: dict[Hashable, tuple[ParameterValues, Sequence[Violation]]] = field(
        default_factory=dict, compare=False
    )

    def parse(
        self, path: Mapping[str, str], query: bytes, headers: Headers
    ) -> tuple[ParameterValues, Sequence[Violation]]:
        """Return the values by name, with defaults, and all violations.

        Results are cached by the raw texts, so repeated requests are parsed once.
        """
        named = [tuple(headers.get(name, ())) for name in self._header_names]
        key = (query, *path.values(), *named)
        cached = self._cache.get(key)
        if cached is not None:
            return dict(cached[0]), cached[1]
        values: ParameterValues = dict(self._defaults)
        violations: list[Violation] = []
        self._parse_all(path, query, headers, values, violations)
        texts = (query, *path.values(), *chain.from_iterable(named))
        # Lists and objects are not cached: a handler could change them.
        if sum(map(len, texts)) <= MAX_CACHED_LENGTH and not any(
            map(_is_container, values.values())
        ):
            if len(self._cache) >= MAX_CACHED_REQUESTS:
                self._cache.clear()
            self._cache[key] = dict(values), violations
        return values, violations

    def _parse_all(
        self,
        path: Mapping[str, str],
        query: bytes,
        headers: Headers,
        values: ParameterValues,
        violations: list[Violation],
    ) -> None:
        self._parse_location(self._group("path", path), "path", values, violations)
        try:
            pairs = parse_query(query)
        except UnicodeDecodeError:
            message = "the query is not UTF-8"
            violations.append(Violation("query", "encoding", message))
        else:
            if pairs or self._needs_query:
                texts = self._group_query(pairs, violations)
                self._parse_location(texts, "query", values, violations)
        if names := self._by_location["header"]:
            texts = _group_headers(names, headers)
            self._parse_location(texts, "header", values, violations)
        if self._by_location["cookie"]:
            texts = self._group("cookie", parse_cookies(headers))
            self._parse_location(texts, "cookie", values, violations)

    def _group(self, location: str, texts: Mapping[str, str]) -> dict[str, list[str]]:
        known = self._by_location[location]
        return {name: [text] for name, text in texts.items() if name in known}

    def _group_query(
        self, pairs: list[tuple[str, str]], violations: list[Violation]
    ) -> dict[str, list[str]]:
        """Group the pairs of a query by parameter; add violations for unknown ones."""
        known = self._by_location["query"]
        texts: dict[str, list[str]] = {}
        for name, value in pairs:
            if name in known and not known[name].matches_key:
                texts.setdefault(name, []).append(value)
            elif name in self._credential_names:
                continue
            elif parameter := self._object_parameter_for(name):
                texts.setdefault(parameter.name, []).append(f"{name}={value}")
            else:
                message = f"{self.operation_id} has no query parameter {name!r}"
                violations.append(Violation("query", "unknown", message, name, (), value))
        return texts

    def _object_parameter_for(self, key: str) -> Parameter | None:
        for parameter in self._object_parameters:
            if parameter.matches_key and parameter.matches_key(key):
                return parameter
        return None

    def _parse_location(
        self,
        texts: Mapping[str, list[str]],
        location: str,
        values: ParameterValues,
        violations: list[Violation],
    ) -> None:
        for name, parameter in self._by_location[location].items():
            sent = texts.get(name)
            if sent is None:
                if parameter.required:
                    message = f"the {location} parameter {name!r} is required"
                    violations.append(Violation(location, "required", message, name))
                continue
            if len(sent) > 1 and not (parameter.is_array or parameter.matches_key):
                message = f"{name!r} is sent {len(sent)} times and is not a list"
                violations.append(Violation(location, "repeated", message, name, (), sent))
                continue
            try:
                value = parameter.parse(sent)
            except ValueError as error:
                violations.append(Violation(location, "style", str(error), name, (), sent))
                continue
            if parameter.schema.is_valid(value):
                values[name] = value
            else:
                violations += parameter.find_violations(value)


def compile_parameter_parser(
    operation_id: str, parameters: Sequence[Parameter], credential_names: frozenset[str]
) -> ParameterParser:
    """Compile the parser of these parameters.

    ``credential_names`` are query parameters of security schemes, which no operation
    documents.
    """
    by_location: dict[str, dict[str, Parameter]] = {
        location: {} for location in ("path", "query", "header", "cookie")
    }
    for parameter in parameters:
        by_location[parameter.location][parameter.name] = parameter
    header_names = sorted({name.lower().encode() for name in by_location["header"]})
    if by_location["cookie"]:
        header_names.append(b"cookie")
    return ParameterParser(
        operation_id,
        by_location,
        credential_names,
        tuple(header_names),
        tuple(p for p in parameters if p.matches_key),
        {p.name: p.default for p in parameters if p.default is not None},
        any(p.required for p in by_location["query"].values()),
    )


def _is_container(value: Json) -> bool:
    return isinstance(value, list | dict)


def _group_headers(known: Mapping[str, Parameter], headers: Headers) -> dict[str, list[str]]:
    return {
        name: [value.decode("latin-1").strip() for value in values]
        for name in known
        if (values := headers.get(name.lower().encode()))
    }


def percent_decode(raw: bytes) -> str:
    """Percent-decode a text. Raises ``UnicodeDecodeError`` if it is not UTF-8."""
    return unquote_to_bytes(raw).decode() if b"%" in raw else raw.decode()


def parse_query(raw: bytes) -> list[tuple[str, str]]:
    """Parse the pairs of a query, in order. Raises ``UnicodeDecodeError``.

    >>> parse_query(b"q=a+b&q=%C3%A9&flag")
    [('q', 'a b'), ('q', 'é'), ('flag', '')]
    """
    if b"%" not in raw and b"+" not in raw:  # most queries: nothing to decode
        parts = (part.partition("=") for part in raw.decode().split("&") if part)
        return [(name, value) for name, _, value in parts]
    pairs = []
    for part in raw.split(b"&"):
        if part:
            name, _, value = part.replace(b"+", b" ").partition(b"=")
            pairs.append((percent_decode(name), percent_decode(value)))
    return pairs


def parse_cookies(headers: Headers) -> dict[str, str]:
    """Parse the cookies of a request."""
    pairs = (
        pair.strip().partition("=")
        for value in headers.get(b"cookie", ())
        for pair in value.decode("latin-1").split(";")
    )
    return {name: value for name, _, value in pairs if name}
