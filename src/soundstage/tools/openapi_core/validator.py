"""The second judge: openapi-core holds an exchange against a contract's document.

It never serves. It knows the effective document and the bytes that went over the wire,
nothing of the compiled form, so that two independent validators must agree. What they
do not agree on is told in readings.py.
"""

import copy
import json
import warnings
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from http.cookies import SimpleCookie
from typing import Any

from soundstage.exchange.recorded import RecordedExchange, get_header, get_query_pairs
from soundstage.openapi.body import essence
from soundstage.tools.openapi_core.adaptations import REQUEST_ADAPTATIONS
from soundstage.tools.openapi_core.decoding import DECODERS
from soundstage.types import JsonObject


class OpenApiCoreValidator:
    """Judges exchanges by one effective document."""

    def __init__(self, document: JsonObject) -> None:
        from openapi_core import Config, OpenAPI

        self._document = document
        config = Config(extra_media_type_deserializers=dict(DECODERS))
        self._openapi = OpenAPI.from_dict(_adapt_document(document), config=config)

    def find_disagreements(self, exchange: RecordedExchange) -> list[str]:
        """What the judges do not agree on: an answer, or a request taken or refused."""
        wrong = self.validate_response(exchange)
        rules = _violated_rules(exchange)
        if exchange.status < HTTPStatus.MULTIPLE_CHOICES:
            wrong += self.validate_request(exchange)
        elif (
            rules
            and not rules & STRICTER_RULES.keys()
            and not self.validate_request(exchange)
        ):
            wrong.append(f"openapi-core knows no reason to refuse this: {rules}")
        return wrong

    def validate_request(self, exchange: RecordedExchange) -> list[str]:
        """What is wrong with the request; none of the ``READINGS`` is."""
        request = CoreRequest(self._adapt(exchange))
        return _format_errors(self._openapi.iter_request_errors(request))

    def validate_response(self, exchange: RecordedExchange) -> list[str]:
        """What is wrong with the answer; that its operation is not there, too."""
        return _format_errors(self.response_errors(exchange))

    def response_errors(self, exchange: RecordedExchange) -> list[BaseException]:
        """What is wrong with the answer, as openapi-core has it."""
        request = CoreRequest(self._adapt(exchange))
        with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
            answer = CoreResponse(exchange)
            return list(self._openapi.iter_response_errors(request, answer))

    def _adapt(self, exchange: RecordedExchange) -> RecordedExchange:
        for reading in REQUEST_ADAPTATIONS:
            exchange = reading(exchange, self._document)
        return exchange


STRICTER_RULES = {
    "unknown": "openapi-core passes over parameters that nobody documented",
    "repeated": "openapi-core takes the first of a parameter sent twice",
    "security": "openapi-core sees that there are credentials, not whose they are",
    "encoding": "openapi-core puts a sign in the place of bytes that are not UTF-8",
    "size": "a limit of the server, not of the document",
}
"""Rules that only the compiled form knows, and why the second judge does not."""


def _violated_rules(exchange: RecordedExchange) -> set[str]:
    """The rules that the server says a request broke."""
    header = get_header(exchange.response_headers, "soundstage-violations")
    return {violation.get("rule", "more") for violation in json.loads(header or "[]")}


def _adapt_document(document: JsonObject) -> JsonObject:
    """The document without what openapi-core would make too much of."""
    adapted = copy.deepcopy(document)
    # A mock is elsewhere than the vendor's hosts.
    adapted["servers"] = [{"url": "/"}]
    # An empty text is a text: its schema says whether it will do.
    for parameter in _iter_query_parameters(adapted):
        parameter["allowEmptyValue"] = True
    if str(document.get("openapi", "")).startswith("3.0"):
        _allow_null(adapted)
    return adapted


def _allow_null(node: Any) -> None:
    """Let ``nullable`` mean null beside allOf too, where 3.0.3 gives it no meaning.

    Vendors mean this by it, and the compiled form reads it so.
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
        found = owner.get("parameters", [])
        for node in found.values() if isinstance(found, dict) else found:
            if node.get("in") == "query":
                yield node


def _format_errors(errors: Iterable[BaseException]) -> list[str]:
    # openapi-core warns that allowEmptyValue is deprecated.
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        return [_format_error(error) for error in errors]


def _format_error(error: BaseException) -> str:
    """An error with its causes, which say where and why."""
    try:
        texts = [f"{type(error).__name__}: {error}"]
    except UnicodeDecodeError:  # openapi-core quotes a body that is not UTF-8
        texts = [type(error).__name__]
    texts += [inner.message for inner in getattr(error, "schema_errors", ())]
    cause = error.__cause__
    return " <- ".join([*texts, _format_error(cause)] if cause else texts)


class CoreRequest:
    """A request as openapi-core wants it."""

    host_url = "http://localhost"

    def __init__(self, exchange: RecordedExchange) -> None:
        from openapi_core.datatypes import RequestParameters
        from werkzeug.datastructures import Headers as Multi
        from werkzeug.datastructures import ImmutableMultiDict

        cookies = SimpleCookie(get_header(exchange.request_headers, "cookie"))
        self.path = exchange.url.partition("?")[0]
        self.method = exchange.method.lower()
        self.body = exchange.request_body or None
        kind = essence(get_header(exchange.request_headers, "content-type"))
        # What is no media type is none that a contract names; but */* takes it.
        self.content_type = kind if "/" in kind else "no/type"
        self.parameters = RequestParameters(
            query=ImmutableMultiDict(get_query_pairs(exchange)),
            header=Multi(list(exchange.request_headers)),
            cookie=ImmutableMultiDict((n, m.value) for n, m in cookies.items()),
        )


class CoreResponse:
    """An answer as openapi-core wants it."""

    def __init__(self, exchange: RecordedExchange) -> None:
        from werkzeug.datastructures import Headers as Multi

        self.status_code = exchange.status
        self.headers = Multi(list(exchange.response_headers))
        self.content_type = essence(
            get_header(exchange.response_headers, "content-type")
        )
        # A stream in which nothing has happened is an answer, too.
        nothing = b"\n" if self.content_type == "text/event-stream" else None
        self.data = exchange.response_body or nothing
