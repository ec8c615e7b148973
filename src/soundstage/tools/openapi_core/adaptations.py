"""Where the judges differ: how openapi-core is shown a request, and why."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from urllib.parse import quote, unquote

from soundstage.exchange.recorded import (
    RecordedExchange,
    get_header,
    get_query_pairs,
    replace_query,
)
from soundstage.openapi.body import essence
from soundstage.openapi.document import resolve_reference
from soundstage.types import JsonObject


def _decoded_path(
    exchange: RecordedExchange, _document: JsonObject
) -> RecordedExchange:
    path, question, query = exchange.url.partition("?")
    decoded = "/".join(_decoded(segment) for segment in path.split("/"))
    return replace(exchange, url=f"{decoded}{question}{query}")


def _decoded(segment: str) -> str:
    return "".join(
        c if c.isprintable() and c not in "/?#%" else quote(c, safe="")
        for c in unquote(segment)
    )


def _with_bearer(exchange: RecordedExchange, _document: JsonObject) -> RecordedExchange:
    headers = tuple(
        (name, f"Bearer {value}")
        if name.lower() == "authorization" and " " not in value.strip()
        else (name, value)
        for name, value in exchange.request_headers
    )
    return replace(exchange, request_headers=headers)


def _with_media_type(
    exchange: RecordedExchange, _document: JsonObject
) -> RecordedExchange:
    if not exchange.request_body or get_header(
        exchange.request_headers, "content-type"
    ):
        return exchange
    headers = (*exchange.request_headers, ("content-type", "application/json"))
    return replace(exchange, request_headers=headers)


def _as_json(exchange: RecordedExchange, document: JsonObject) -> RecordedExchange:
    if essence(get_header(exchange.request_headers, "content-type")) != "text/plain":
        return exchange
    body = _operation(exchange, document).get("requestBody", {})
    if not {"text/plain", "application/json"} <= body.get("content", {}).keys():
        return exchange
    headers = [h for h in exchange.request_headers if h[0].lower() != "content-type"]
    headers.append(("content-type", "application/json"))
    return replace(exchange, request_headers=tuple(headers))


def _operation(exchange: RecordedExchange, document: JsonObject) -> JsonObject:
    """The operation that a request is for; an empty one if there is none."""
    path = exchange.url.partition("?")[0]
    for template, item in document.get("paths", {}).items():
        pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template))
        if exchange.method.lower() in item and re.fullmatch(pattern, path):
            operation: JsonObject = item[exchange.method.lower()]
            return operation
    return {}


def _joined_lists(exchange: RecordedExchange, document: JsonObject) -> RecordedExchange:
    lists = dict(_lists(exchange, document))
    pairs: list[tuple[str, str]] = []
    parts: dict[str, list[str]] = {}
    for name, value in get_query_pairs(exchange):
        if name not in lists:
            pairs.append((name, value))
        elif value:
            blanks = {"", "null"} if lists[name] else set()
            kept = [part for part in value.split(",") if part not in blanks]
            parts.setdefault(name, []).extend(kept)
    pairs += [(name, ",".join(kept)) for name, kept in parts.items() if kept]
    return replace_query(exchange, pairs)


def _lists(
    exchange: RecordedExchange, document: JsonObject
) -> Iterator[tuple[str, bool]]:
    """The query parameters that are lists, and whether null may be in them."""
    for parameter in _parameters(exchange, document, "array"):
        items = resolve_reference(document, parameter["schema"]).get("items", {})
        yield parameter["name"], _may_be_null(items, document)


def _parameters(
    exchange: RecordedExchange, document: JsonObject, kind: str
) -> Iterator[JsonObject]:
    """The query parameters of this type that the operation of a request has."""
    for node in _operation(exchange, document).get("parameters", ()):
        parameter = resolve_reference(document, node)
        schema = resolve_reference(document, parameter.get("schema", {}))
        if parameter.get("in") == "query" and schema.get("type") == kind:
            yield parameter


def _may_be_null(schema: JsonObject, document: JsonObject) -> bool:
    schema = resolve_reference(document, schema)
    branches = schema.get("oneOf", ())
    return schema.get("type") == "null" or any(
        _may_be_null(branch, document) for branch in branches
    )


def _flat_objects(
    exchange: RecordedExchange, _document: JsonObject
) -> RecordedExchange:
    if exchange.status >= HTTPStatus.BAD_REQUEST:
        return exchange
    pairs = [
        (n, value) for n, value in get_query_pairs(exchange) if n.count("[") < _NESTED
    ]
    return replace_query(exchange, pairs)


_NESTED = 2  # brackets in the name of what is within an object within an object

_LEAP_SECOND = re.compile(r"(?<=T23:59:)60(?=[.Z+-])", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def _plain_values(
    exchange: RecordedExchange, _document: JsonObject
) -> RecordedExchange:
    pairs = [(name, _plain(value)) for name, value in get_query_pairs(exchange)]
    return replace_query(exchange, pairs)


def _plain(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return _LEAP_SECOND.sub("59", re.sub("^0000-", "0004-", text))
    return text if _NUMBER.fullmatch(text) else f"no number: {text}"


def _large_numbers(
    exchange: RecordedExchange, _document: JsonObject
) -> RecordedExchange:
    try:
        json.loads(exchange.request_body.decode(), parse_int=_double)
    except OverflowError:
        return replace(exchange, request_body=b"a number beyond all doubles")
    except (ValueError, RecursionError):
        pass
    return exchange


def _double(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise OverflowError
    return number


def _plain_booleans(
    exchange: RecordedExchange, document: JsonObject
) -> RecordedExchange:
    booleans = {p["name"] for p in _parameters(exchange, document, "boolean")}
    pairs = [
        (name, f"no boolean: {value}")
        if name in booleans and value not in {"true", "false"}
        else (name, value)
        for name, value in get_query_pairs(exchange)
    ]
    return replace_query(exchange, pairs)


def _whole_numbers(
    exchange: RecordedExchange, _document: JsonObject
) -> RecordedExchange:
    try:
        value = json.loads(exchange.request_body.decode(), parse_float=_whole)
    except (ValueError, RecursionError):
        return exchange
    return replace(exchange, request_body=json.dumps(value).encode())


def _whole(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


REQUEST_ADAPTATIONS = {
    _decoded_path: (
        "openapi-core takes the values in a path as they were sent; to RFC 3986, %41 "
        "and A are the same"
    ),
    _with_bearer: (
        "Trigger.dev's and Trieve's servers take a key without the word Bearer too"
    ),
    _with_media_type: (
        "a body whose media type the client leaves out is for the server to guess "
        "(RFC 9110, 8.3), and all contracts here take JSON only"
    ),
    _as_json: (
        "openapi-core takes text/plain for a text, whatever its schema; Algolia's "
        "JavaScript client sends JSON in it"
    ),
    _joined_lists: (
        "openapi-core has no way to write a null, or an empty list, in a query, and "
        "none to repeat a joined list; clients do all three"
    ),
    _flat_objects: (
        "openapi-core knows no object within a deep object (filter[at][from]=…), and "
        "takes every one for wrong: of a request that was taken these are left out"
    ),
    _plain_values: (
        "openapi-core's values are Python's: it takes +1, 1_000 and ' 1', yes and on, "
        "and neither a leap second nor the year 0000, which RFC 3339 has"
    ),
    _large_numbers: (
        "JSON has numbers of any size; the server reads none that no double can hold"
    ),
    _plain_booleans: "openapi-core takes 1, yes and on for true",
    _whole_numbers: (
        "OpenAPI 3.0 takes 1.0 for no integer, JSON Schema 2020-12 for one"
    ),
}
"""Where the judges differ: how a request is read before openapi-core sees it; why."""
