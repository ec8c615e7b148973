"""The second judge: openapi-core holds an exchange against a contract's document.

It never serves. It knows the effective document and the bytes that went over the wire,
nothing of the compiled form, so that two independent validators must agree. Half of it
is the table of what they do not agree on, which is kept in one place.
"""

import copy
import json
import math
import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode

from soundstage.contract.body import essence
from soundstage.contract.document import resolved
from soundstage.types import Document

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An exchange as it went over the wire.

    ``url`` is the path, still percent-encoded and relative to the API, with its query.
    """

    method: str
    url: str
    request_headers: Headers
    request_body: bytes
    status: int
    headers: Headers
    body: bytes


class Judge:
    """Judges exchanges by one effective document."""

    def __init__(self, document: Document) -> None:
        from openapi_core import Config, OpenAPI

        self._document = document
        media_types: dict[str, Callable[[bytes], Any]] = {
            "application/json": _json,
            "application/problem+json": _json,
            "application/yaml": _text,
            "*/*": _text,
            "application/x-ndjson": _lines,
            "text/event-stream": _events,
        }
        config = Config(extra_media_type_deserializers=media_types)
        self._openapi = OpenAPI.from_dict(_adapted(document), config=config)

    def exchange(self, exchange: Recorded) -> list[str]:
        """What the judges do not agree on: an answer, or a request taken or refused."""
        wrong = self.answer(exchange)
        rules = _rules(exchange)
        if exchange.status < HTTPStatus.MULTIPLE_CHOICES:
            wrong += self.request(exchange)
        elif rules and not rules & STRICTER.keys() and not self.request(exchange):
            wrong.append(f"openapi-core knows no reason to refuse this: {rules}")
        return wrong

    def request(self, exchange: Recorded) -> list[str]:
        """What is wrong with the request; none of the ``READINGS`` is."""
        request = _Request(self._as_read(exchange))
        return _complaints(self._openapi.iter_request_errors(request))

    def answer(self, exchange: Recorded) -> list[str]:
        """What is wrong with the answer; that its operation is not there, too."""
        return _complaints(self.errors(exchange))

    def errors(self, exchange: Recorded) -> list[BaseException]:
        """What is wrong with the answer, as openapi-core has it."""
        request = _Request(self._as_read(exchange))
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            answer = _Answer(exchange)
            return list(self._openapi.iter_response_errors(request, answer))

    def _as_read(self, exchange: Recorded) -> Recorded:
        for reading in READINGS:
            exchange = reading(exchange, self._document)
        return exchange


STRICTER = {
    "unknown": "openapi-core passes over parameters that nobody documented",
    "repeated": "openapi-core takes the first of a parameter sent twice",
    "security": "openapi-core sees that there are credentials, not whose they are",
    "encoding": "openapi-core puts a sign in the place of bytes that are not UTF-8",
    "size": "a limit of the server, not of the document",
}
"""Rules that only the compiled form knows, and why the second judge does not."""


def _rules(exchange: Recorded) -> set[str]:
    """The rules that the server says a request broke."""
    header = _header(exchange.headers, "soundstage-violations")
    return {violation.get("rule", "more") for violation in json.loads(header or "[]")}


def _adapted(document: Document) -> Document:
    """The document without what openapi-core would make too much of."""
    adapted = copy.deepcopy(document)
    # A mock is elsewhere than the vendor's hosts.
    adapted["servers"] = [{"url": "/"}]
    # An empty text is a text: its schema says whether it will do.
    for parameter in _query_parameters(adapted):
        parameter["allowEmptyValue"] = True
    if str(document.get("openapi", "")).startswith("3.0"):
        _let_null_in(adapted)
    return adapted


def _let_null_in(node: Any) -> None:
    """Let ``nullable`` mean null beside allOf too, where 3.0.3 gives it no meaning.

    Vendors mean this by it, and the compiled form reads it so.
    """
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            _let_null_in(inner)
    if isinstance(node, dict) and node.get("nullable") is True and "allOf" in node:
        null = {"type": "object", "nullable": True, "enum": [None]}
        node["anyOf"] = [{"allOf": node.pop("allOf")}, null]


def _query_parameters(document: Document) -> Iterator[Document]:
    owners = [document.get("components", {})]
    for item in document.get("paths", {}).values():
        owners += [item, *(node for node in item.values() if isinstance(node, dict))]
    for owner in owners:
        found = owner.get("parameters", [])
        for node in found.values() if isinstance(found, dict) else found:
            if node.get("in") == "query":
                yield node


def _json(body: bytes, **_parameters: str) -> Any:
    """JSON as RFC 8259 has it: UTF-8, no byte order mark, no NaN, no half surrogate."""
    try:
        value = json.loads(body.decode(), parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if b"\\u" in body:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _text(body: bytes, **_parameters: str) -> str:
    return body.decode()


def _lines(body: bytes, **_parameters: str) -> list[Any]:
    return [_json(line) for line in body.splitlines() if line.strip()]


def _events(body: bytes, **_parameters: str) -> list[Any]:
    """A stream of server-sent events, whose ``data`` is JSON, as the list of them."""
    return [_event(block) for block in body.decode().split("\n\n") if block.strip()]


def _event(block: str) -> Document:
    pairs = (line.partition(":")[::2] for line in block.split("\n"))
    fields = {name: value.removeprefix(" ") for name, value in pairs if name}
    numbers = {
        n: int(fields[n]) for n in ("id", "retry") if fields.get(n, "").isdigit()
    }
    return {**fields, **numbers, "data": json.loads(fields.get("data", "null"))}


def _no_constant(name: str) -> Any:
    msg = f"{name} is no number of JSON"
    raise ValueError(msg)


def _complaints(errors: Iterable[BaseException]) -> list[str]:
    # openapi-core warns that allowEmptyValue is deprecated.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        return [_complaint(error) for error in errors]


def _complaint(error: BaseException) -> str:
    """An error with its causes, which say where and why."""
    try:
        texts = [f"{type(error).__name__}: {error}"]
    except UnicodeDecodeError:  # openapi-core quotes a body that is not UTF-8
        texts = [type(error).__name__]
    texts += [inner.message for inner in getattr(error, "schema_errors", ())]
    cause = error.__cause__
    return " <- ".join([*texts, _complaint(cause)] if cause else texts)


def _decoded_path(exchange: Recorded, _document: Document) -> Recorded:
    path, question, query = exchange.url.partition("?")
    decoded = "/".join(_decoded(segment) for segment in path.split("/"))
    return replace(exchange, url=f"{decoded}{question}{query}")


def _decoded(segment: str) -> str:
    return "".join(
        c if c.isprintable() and c not in "/?#%" else quote(c, safe="")
        for c in unquote(segment)
    )


def _with_bearer(exchange: Recorded, _document: Document) -> Recorded:
    headers = tuple(
        (name, f"Bearer {value}")
        if name.lower() == "authorization" and " " not in value.strip()
        else (name, value)
        for name, value in exchange.request_headers
    )
    return replace(exchange, request_headers=headers)


def _with_media_type(exchange: Recorded, _document: Document) -> Recorded:
    if not exchange.request_body or _header(exchange.request_headers, "content-type"):
        return exchange
    headers = (*exchange.request_headers, ("content-type", "application/json"))
    return replace(exchange, request_headers=headers)


def _as_json(exchange: Recorded, document: Document) -> Recorded:
    if essence(_header(exchange.request_headers, "content-type")) != "text/plain":
        return exchange
    body = _operation(exchange, document).get("requestBody", {})
    if not {"text/plain", "application/json"} <= body.get("content", {}).keys():
        return exchange
    headers = [h for h in exchange.request_headers if h[0].lower() != "content-type"]
    headers.append(("content-type", "application/json"))
    return replace(exchange, request_headers=tuple(headers))


def _operation(exchange: Recorded, document: Document) -> Document:
    """The operation that a request is for; an empty one if there is none."""
    path = exchange.url.partition("?")[0]
    for template, item in document.get("paths", {}).items():
        pattern = re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template))
        if exchange.method.lower() in item and re.fullmatch(pattern, path):
            operation: Document = item[exchange.method.lower()]
            return operation
    return {}


def _joined_lists(exchange: Recorded, document: Document) -> Recorded:
    lists = dict(_lists(exchange, document))
    pairs: list[tuple[str, str]] = []
    parts: dict[str, list[str]] = {}
    for name, value in _query(exchange):
        if name not in lists:
            pairs.append((name, value))
        elif value:
            blanks = {"", "null"} if lists[name] else set()
            kept = [part for part in value.split(",") if part not in blanks]
            parts.setdefault(name, []).extend(kept)
    pairs += [(name, ",".join(kept)) for name, kept in parts.items() if kept]
    return _with_query(exchange, pairs)


def _lists(exchange: Recorded, document: Document) -> Iterator[tuple[str, bool]]:
    """The query parameters that are lists, and whether null may be in them."""
    for parameter in _parameters(exchange, document, "array"):
        items = _followed(parameter["schema"], document).get("items", {})
        yield parameter["name"], _may_be_null(items, document)


def _parameters(
    exchange: Recorded, document: Document, kind: str
) -> Iterator[Document]:
    """The query parameters of this type that the operation of a request has."""
    for node in _operation(exchange, document).get("parameters", ()):
        parameter = _followed(node, document)
        schema = _followed(parameter.get("schema", {}), document)
        if parameter.get("in") == "query" and schema.get("type") == kind:
            yield parameter


def _may_be_null(schema: Document, document: Document) -> bool:
    schema = _followed(schema, document)
    branches = schema.get("oneOf", ())
    return schema.get("type") == "null" or any(
        _may_be_null(branch, document) for branch in branches
    )


def _followed(node: Document, document: Document) -> Document:
    while "$ref" in node:
        node = resolved(document, node["$ref"])
    return node


def _flat_objects(exchange: Recorded, _document: Document) -> Recorded:
    if exchange.status >= HTTPStatus.BAD_REQUEST:
        return exchange
    pairs = [(n, value) for n, value in _query(exchange) if n.count("[") < _NESTED]
    return _with_query(exchange, pairs)


_NESTED = 2  # brackets in the name of what is within an object within an object

_LEAP_SECOND = re.compile(r"(?<=T23:59:)60(?=[.Z+-])", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", re.ASCII)


def _plain_values(exchange: Recorded, document: Document) -> Recorded:
    booleans = {
        parameter["name"]
        for parameter in _query_parameters(document)
        if parameter.get("schema", {}).get("type") == "boolean"
    }
    pairs = [
        (name, _true_or_false(value) if name in booleans else _plain(value))
        for name, value in _query(exchange)
    ]
    return _with_query(exchange, pairs)


def _true_or_false(text: str) -> str:
    return text if text in {"true", "false"} else f"no boolean: {text}"


def _plain(text: str) -> str:
    try:
        float(text)
    except ValueError:
        return _LEAP_SECOND.sub("59", re.sub("^0000-", "0004-", text))
    return text if _NUMBER.fullmatch(text) else f"no number: {text}"


def _large_numbers(exchange: Recorded, _document: Document) -> Recorded:
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


def _plain_booleans(exchange: Recorded, document: Document) -> Recorded:
    booleans = {p["name"] for p in _parameters(exchange, document, "boolean")}
    pairs = [
        (name, f"no boolean: {value}")
        if name in booleans and value not in {"true", "false"}
        else (name, value)
        for name, value in _query(exchange)
    ]
    return _with_query(exchange, pairs)


def _whole_numbers(exchange: Recorded, _document: Document) -> Recorded:
    try:
        value = json.loads(exchange.request_body.decode(), parse_float=_whole)
    except (ValueError, RecursionError):
        return exchange
    return replace(exchange, request_body=json.dumps(value).encode())


def _whole(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def _query(exchange: Recorded) -> list[tuple[str, str]]:
    return parse_qsl(exchange.url.partition("?")[2], keep_blank_values=True)


def _with_query(exchange: Recorded, pairs: list[tuple[str, str]]) -> Recorded:
    path = exchange.url.partition("?")[0]
    return replace(exchange, url=f"{path}?{urlencode(pairs)}" if pairs else path)


READINGS = {
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


def _header(headers: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


class _Request:
    """A request as openapi-core wants it."""

    host_url = "http://localhost"

    def __init__(self, exchange: Recorded) -> None:
        from openapi_core.datatypes import RequestParameters
        from werkzeug.datastructures import Headers as Multi
        from werkzeug.datastructures import ImmutableMultiDict

        cookies = SimpleCookie(_header(exchange.request_headers, "cookie"))
        self.path = exchange.url.partition("?")[0]
        self.method = exchange.method.lower()
        self.body = exchange.request_body or None
        kind = essence(_header(exchange.request_headers, "content-type"))
        # What is no media type is none that a contract names; but */* takes it.
        self.content_type = kind if "/" in kind else "no/type"
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(_query(exchange)),
            header=Multi(list(exchange.request_headers)),
            cookie=ImmutableMultiDict((n, m.value) for n, m in cookies.items()),
        )


class _Answer:
    """An answer as openapi-core wants it."""

    def __init__(self, exchange: Recorded) -> None:
        from werkzeug.datastructures import Headers as Multi

        self.status_code = exchange.status
        self.headers = Multi(list(exchange.headers))
        self.content_type = essence(_header(exchange.headers, "content-type"))
        # A stream in which nothing has happened is an answer, too.
        nothing = b"\n" if self.content_type == "text/event-stream" else None
        self.data = exchange.body or nothing
