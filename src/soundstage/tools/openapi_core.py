"""An independent validator: openapi-core validates recorded responses.

It never serves. It uses the document and the bytes that were sent, but nothing of our
compiled contracts, so that two independent validators must agree.
"""

import copy
import json
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import quote, unquote

from soundstage.exchange.recorded import RecordedExchange, get_header, get_query_pairs
from soundstage.openapi.body import essence
from soundstage.types import JsonObject


class OpenApiCoreValidator:
    """Validates recorded exchanges against one effective document.

    >>> document = {
    ...     "openapi": "3.1.0",
    ...     "info": {"title": "a", "version": "1"},
    ...     "paths": {"/a": {"get": {"responses": {"200": {"description": "a"}}}}},
    ... }
    >>> exchange = RecordedExchange("GET", "/a", (), b"", 418, (), b"")
    >>> OpenApiCoreValidator(document).validate_response(exchange)
    ['ResponseNotFound: Unknown response http status: 418']
    """

    def __init__(self, document: JsonObject) -> None:
        # Imported here: it is slow to import, and few commands need it.
        from openapi_core import Config, OpenAPI

        self._document = document
        config = Config(extra_media_type_deserializers=dict(DECODERS))
        self._openapi = OpenAPI.from_dict(_adapt_document(document), config=config)

    def validate_response(self, exchange: RecordedExchange) -> list[str]:
        """Return what is wrong with the response, or that it has no operation."""
        return format_errors(self.response_errors(exchange))

    def response_errors(self, exchange: RecordedExchange) -> list[BaseException]:
        """Return openapi-core's errors of the response."""
        request = CoreRequest(decode_path(exchange))
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            response = CoreResponse(exchange)
            return list(self._openapi.iter_response_errors(request, response))


def decode_path(exchange: RecordedExchange) -> RecordedExchange:
    """Decode what need not be percent-encoded in the path: %41 is A (RFC 3986, 2.3).

    openapi-core compares paths as they were sent.
    """
    path, question_mark, query = exchange.url.partition("?")
    decoded = "/".join(_decode_segment(segment) for segment in path.split("/"))
    return replace(exchange, url=f"{decoded}{question_mark}{query}")


def _decode_segment(segment: str) -> str:
    return "".join(
        c if c.isprintable() and c not in "/?#%" else quote(c, safe="") for c in unquote(segment)
    )


def _adapt_document(document: JsonObject) -> JsonObject:
    """Return a copy of the document without what openapi-core is too strict about."""
    adapted = copy.deepcopy(document)
    # The server that was recorded need not be one of the vendor's hosts.
    adapted["servers"] = [{"url": "/"}]
    # An empty text is a value like others: its schema decides.
    for parameter in _iter_query_parameters(adapted):
        parameter["allowEmptyValue"] = True
    if str(document.get("openapi", "")).startswith("3.0"):
        _allow_null(adapted)
    return adapted


def _allow_null(node: Any) -> None:
    """Make ``nullable`` beside allOf allow null, where 3.0.3 gives it no meaning.

    Vendors mean this by it, and our compiled schemas allow it.
    """
    for inner in node.values() if isinstance(node, dict) else node:
        if isinstance(inner, dict | list):
            _allow_null(inner)
    if isinstance(node, dict) and node.get("nullable") is True and "allOf" in node:
        null = {"type": "object", "nullable": True, "enum": [None]}
        node["anyOf"] = [{"allOf": node.pop("allOf")}, null]


def _iter_query_parameters(document: JsonObject) -> Iterator[JsonObject]:
    owners = [document.get("components", {})]
    for item in document.get("paths", {}).values():
        owners += [item, *(node for node in item.values() if isinstance(node, dict))]
    for owner in owners:
        parameters = owner.get("parameters", [])
        is_mapping = isinstance(parameters, dict)  # in the components
        for node in parameters.values() if is_mapping else parameters:
            if node.get("in") == "query":
                yield node


def format_errors(errors: Iterable[BaseException]) -> list[str]:
    """Format errors of openapi-core, each with its causes."""
    # openapi-core warns that allowEmptyValue is deprecated, when it is iterated over.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        return [_format_error(error) for error in errors]


def _format_error(error: BaseException) -> str:
    try:
        texts = [f"{type(error).__name__}: {error}"]
    except UnicodeDecodeError:  # openapi-core quotes a body that is not UTF-8
        texts = [type(error).__name__]
    texts += [inner.message for inner in getattr(error, "schema_errors", ())]
    cause = error.__cause__
    return " <- ".join([*texts, _format_error(cause)] if cause else texts)


class CoreRequest:
    """A request with the interface that openapi-core expects."""

    host_url = "http://localhost"

    def __init__(self, exchange: RecordedExchange) -> None:
        from openapi_core.datatypes import RequestParameters
        from werkzeug.datastructures import Headers, ImmutableMultiDict

        cookies = SimpleCookie(get_header(exchange.request_headers, "cookie"))
        self.path = exchange.url.partition("?")[0]
        self.method = exchange.method.lower()
        self.body = exchange.request_body or None
        media_type = essence(get_header(exchange.request_headers, "content-type"))
        # An invalid media type matches none of a contract, except */*.
        self.content_type = media_type if "/" in media_type else "no/type"
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(get_query_pairs(exchange)),
            header=Headers(list(exchange.request_headers)),
            cookie=ImmutableMultiDict((n, m.value) for n, m in cookies.items()),
        )


class CoreResponse:
    """A response with the interface that openapi-core expects."""

    def __init__(self, exchange: RecordedExchange) -> None:
        from werkzeug.datastructures import Headers

        self.status_code = exchange.status
        self.headers = Headers(list(exchange.response_headers))
        self.content_type = essence(get_header(exchange.response_headers, "content-type"))
        # A stream without events has a body: an empty list.
        empty = b"\n" if self.content_type == "text/event-stream" else None
        self.data = exchange.response_body or empty


def _decode_json(body: bytes, **_parameters: str) -> Any:
    """Decode JSON by RFC 8259: UTF-8, no byte order mark, NaN or lone surrogate."""
    try:
        value = json.loads(body.decode(), parse_constant=_reject_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    if b"\\u" in body:
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _reject_constant(name: str) -> Any:
    msg = f"{name} is not JSON"
    raise ValueError(msg)


def _decode_text(body: bytes, **_parameters: str) -> str:
    return body.decode()


def _decode_lines(body: bytes, **_parameters: str) -> list[Any]:
    return [_decode_json(line) for line in body.splitlines() if line.strip()]


def _decode_events(body: bytes, **_parameters: str) -> list[Any]:
    """Decode a stream of server-sent events whose ``data`` is JSON."""
    blocks = body.decode().split("\n\n")
    return [_decode_event(block) for block in blocks if block.strip()]


def _decode_event(block: str) -> JsonObject:
    pairs = (line.partition(":")[::2] for line in block.split("\n"))
    fields = {name: value.removeprefix(" ") for name, value in pairs if name}
    numbers = {n: int(fields[n]) for n in ("id", "retry") if fields.get(n, "").isdigit()}
    return {**fields, **numbers, "data": json.loads(fields.get("data", "null"))}


DECODERS: Mapping[str, Callable[[bytes], Any]] = {
    "application/json": _decode_json,
    "application/problem+json": _decode_json,
    "application/x-ndjson": _decode_lines,
    "application/yaml": _decode_text,
    "text/event-stream": _decode_events,
    "*/*": _decode_text,
}
"""How openapi-core decodes bodies, by media type."""
