"""Validate whole exchanges by openapi-core, adapted where the validators differ."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus

from soundstage.exchange.recorded import (
    RecordedExchange,
    get_header,
    get_query_pairs,
    replace_query,
)
from soundstage.openapi.body import essence
from soundstage.openapi.document import resolve_reference
from soundstage.tools.openapi_core import (
    CoreRequest,
    OpenApiCoreValidator,
    decode_path,
    format_errors,
)
from soundstage.types import JsonObject


class ExchangeValidator(OpenApiCoreValidator):
    """Also validates requests, and finds what our validator decides differently."""

    def find_disagreements(self, exchange: RecordedExchange) -> list[str]:
        """Return where openapi-core disagrees with the server.

        That is an invalid response, an invalid request that was accepted, or a valid
        request that was rejected.
        """
        errors = self.validate_response(exchange)
        rules = _violated_rules(exchange)
        if exchange.status < HTTPStatus.MULTIPLE_CHOICES:
            errors += self.validate_request(exchange)
        elif rules and not rules & STRICTER_RULES.keys() and not self.validate_request(exchange):
            errors.append(f"openapi-core has no reason to reject this: {rules}")
        return errors

    def validate_request(self, exchange: RecordedExchange) -> list[str]:
        """Return what is wrong with the request, after the adaptations."""
        exchange = decode_path(exchange)
        for adapt in REQUEST_ADAPTATIONS:
            exchange = adapt(exchange, self._document)
        request = CoreRequest(exchange)
        return format_errors(self._openapi.iter_request_errors(request))


STRICTER_RULES = {
    "unknown": "openapi-core ignores query parameters that are not documented",
    "repeated": "openapi-core uses the first of a parameter that is sent twice",
    "security": "openapi-core checks that credentials are sent, not that they are valid",
    "encoding": "openapi-core replaces bytes that are not UTF-8 by a placeholder",
    "size": "this is a limit of the server, not of the document",
}
"""Rules that only our validator has, and why openapi-core does not have them."""


def _violated_rules(exchange: RecordedExchange) -> set[str]:
    """Return the rules that a request violated, as the server reported them."""
    header = get_header(exchange.response_headers, "soundstage-violations")
    return {violation.get("rule", "more") for violation in json.loads(header or "[]")}


def _add_bearer(exchange: RecordedExchange, _document: JsonObject) -> RecordedExchange:
    headers = tuple(
        (name, f"Bearer {value}")
        if name.lower() == "authorization" and " " not in value.strip()
        else (name, value)
        for name, value in exchange.request_headers
    )
    return replace(exchange, request_headers=headers)


def _add_media_type(exchange: RecordedExchange, _document: JsonObject) -> RecordedExchange:
    if not exchange.request_body or get_header(exchange.request_headers, "content-type"):
        return exchange
    headers = (*exchange.request_headers, ("content-type", "application/json"))
    return replace(exchange, request_headers=headers)


def _use_json(exchange: RecordedExchange, document: JsonObject) -> RecordedExchange:
    if essence(get_header(exchange.request_headers, "content-type")) != "text/plain":
        return exchange
    body = _find_operation(exchange, document).get("requestBody", {})
    if not {"text/plain", "application/json"} <= body.get("content", {}).keys():
        return exchange
    headers = [h for h in exchange.request_headers if h[0].lower() != "content-type"]
    headers.append(("content-type", "application/json"))
    return replace(exchange, request_headers=tuple(headers))


def _find_operation(exchange: RecordedExchange, document: JsonObject) -> JsonObject:
    """Find the operation of a request; ``{}`` if there is none."""
    path = exchange.url.partition("?")[0]
    for template, item in document.get("paths", {}).items():
        pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template))
        if exchange.method.lower() in item and re.fullmatch(pattern, path):
            operation: JsonObject = item[exchange.method.lower()]
            return operation
    return {}


def _join_lists(exchange: RecordedExchange, document: JsonObject) -> RecordedExchange:
    lists = dict(_iter_lists(exchange, document))
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


def _iter_lists(exchange: RecordedExchange, document: JsonObject) -> Iterator[tuple[str, bool]]:
    """Yield the query parameters that are lists, and whether they may contain null."""
    for parameter in _iter_parameters(exchange, document, "array"):
        items = resolve_reference(document, parameter["schema"]).get("items", {})
        yield parameter["name"], _allows_null(items, document)


def _iter_parameters(
    exchange: RecordedExchange, document: JsonObject, kind: str
) -> Iterator[JsonObject]:
    """Yield the query parameters of this type that the operation has."""
    for node in _find_operation(exchange, document).get("parameters", ()):
        parameter = resolve_reference(document, node)
        schema = resolve_reference(document, parameter.get("schema", {}))
        if parameter.get("in") == "query" and schema.get("type") == kind:
            yield parameter


def _allows_null(schema: JsonObject, document: JsonObject) -> bool:
    schema = resolve_reference(document, schema)
    branches = schema.get("oneOf", ())
    return schema.get("type") == "null" or any(
        _allows_null(branch, document) for branch in branches
    )


def _flatten_objects(exchange: RecordedExchange, _document: JsonObject) -> RecordedExchange:
    if exchange.status >= HTTPStatus.BAD_REQUEST:
        return exchange
    pairs = [(n, value) for n, value in get_query_pairs(exchange) if n.count("[") < _NESTED]
    return replace_query(exchange, pairs)


_NESTED = 2  # brackets in the name of a property of a nested object

_LEAP_SECOND = re.compile(r"(?<=T23:59:)60(?=[.Z+-])", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def _restrict_values(exchange: RecordedExchange, _document: JsonObject) -> RecordedExchange:
    pairs = [(name, _restrict(value)) for name, value in get_query_pairs(exchange)]
    return replace_query(exchange, pairs)


def _restrict(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return _LEAP_SECOND.sub("59", re.sub("^0000-", "0004-", text))
    return text if _NUMBER.fullmatch(text) else f"not a number: {text}"


def _reject_large_numbers(exchange: RecordedExchange, _document: JsonObject) -> RecordedExchange:
    try:
        json.loads(exchange.request_body.decode(), parse_int=_parse_double)
    except OverflowError:
        return replace(exchange, request_body=b"a number beyond all doubles")
    except (ValueError, RecursionError):
        pass
    return exchange


def _parse_double(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise OverflowError
    return number


def _restrict_booleans(exchange: RecordedExchange, document: JsonObject) -> RecordedExchange:
    booleans = {p["name"] for p in _iter_parameters(exchange, document, "boolean")}
    pairs = [
        (name, f"not a boolean: {value}")
        if name in booleans and value not in {"true", "false"}
        else (name, value)
        for name, value in get_query_pairs(exchange)
    ]
    return replace_query(exchange, pairs)


def _convert_whole_numbers(exchange: RecordedExchange, _document: JsonObject) -> RecordedExchange:
    try:
        value = json.loads(exchange.request_body.decode(), parse_float=_parse_whole)
    except (ValueError, RecursionError):
        return exchange
    return replace(exchange, request_body=json.dumps(value).encode())


def _parse_whole(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


REQUEST_ADAPTATIONS = {
    _add_bearer: ("the servers of Trigger.dev and Trieve accept a key without the word Bearer too"),
    _add_media_type: (
        "the server may guess the media type of a body if the client omits it "
        "(RFC 9110, 8.3), and all contracts here accept only JSON"
    ),
    _use_json: (
        "openapi-core parses text/plain as a text, whatever its schema; Algolia's "
        "JavaScript client sends JSON in it"
    ),
    _join_lists: (
        "openapi-core has no form for null, or for an empty list, in a query, and does "
        "not allow a joined list to be repeated; clients send all three"
    ),
    _flatten_objects: (
        "openapi-core rejects every object within a deep object "
        "(filter[at][from]=…): they are removed from requests that were accepted"
    ),
    _restrict_values: (
        "openapi-core converts values with Python: it accepts +1, 1_000 and ' 1', yes "
        "and on, but not a leap second or the year 0000, which RFC 3339 has"
    ),
    _reject_large_numbers: (
        "JSON has numbers of any size; the server rejects those beyond all doubles"
    ),
    _restrict_booleans: "openapi-core accepts 1, yes and on as values for true",
    _convert_whole_numbers: (
        "in OpenAPI 3.0 the number 1.0 is not an integer, in JSON Schema 2020-12 it is"
    ),
}
"""Changes to a request before openapi-core validates it, and the reason of each."""
