"""One compiled operation: parses requests, validates and serializes responses."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from soundstage.openapi.body import (
    EVENT_STREAM,
    JSON_LINES,
    Content,
    Contents,
    RequestBody,
    compile_contents,
    compile_request_body,
    essence,
    find_content,
    is_json,
)
from soundstage.openapi.document import resolve_reference
from soundstage.openapi.errors import RESPONSE, DocumentError, InvalidRequest, Violation
from soundstage.openapi.parameters import (
    Headers,
    Parameter,
    ParameterParser,
    compile_parameter,
    compile_parameter_parser,
)
from soundstage.openapi.responses import (
    ResponseSerializer,
    compile_response_headers,
    validate_headers,
)
from soundstage.openapi.schema import Direction
from soundstage.openapi.security import Security, compile_security
from soundstage.types import Json, JsonObject

_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Header parameters with these names are ignored (OpenAPI, Parameter Object)."""


class Arguments(NamedTuple):
    """The content of a valid request: parameters by name, with defaults, and body."""

    parameters: Mapping[str, Json]
    body: Json = None


@dataclass(frozen=True, slots=True)
class Operation:
    """A compiled operation.

    ``node`` is its raw node in the document, ``path_item`` that of its path, which may
    have parameters too. ``responses`` are contents by status (``200``, ``4XX``,
    ``default``) and media type.
    """

    id: str
    method: str
    path: str
    pointer: str
    node: JsonObject = field(repr=False, compare=False)
    path_item: JsonObject = field(repr=False, compare=False)
    parameters: tuple[Parameter, ...]
    body: RequestBody | None
    responses: Mapping[str, Contents]
    security: Security
    parameter_parser: ParameterParser = field(repr=False)
    response_headers: Mapping[str, tuple[Parameter, ...]] = field(repr=False)
    _serializers: dict[tuple[int, str], ResponseSerializer | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    def parse_request(
        self, path: Mapping[str, str], query: bytes, headers: Headers, raw_body: bytes
    ) -> Arguments:
        """Parse and validate a request.

        ``path`` are the values of the path template, percent-decoded. Raises
        ``InvalidRequest`` with all violations, not only the first.
        """
        values, violations = self.parameter_parser.parse(path, query, headers)
        if self.body is None:
            body = None
        else:
            types = headers.get(b"content-type")
            content_type = types[-1].decode("latin-1") if types else None
            body, body_violations = self.body.parse(content_type, raw_body)
            violations = (*violations, *body_violations)
        if violations:
            raise InvalidRequest(*violations)
        return Arguments(values, body)

    def validate_response(
        self,
        status: int,
        content_type: str | None,
        body: Json,
        headers: Iterable[tuple[str, str]] = (),
    ) -> list[Violation]:
        """Validate a response whose body is this value (``None``: no body)."""
        key = self.response_key(status)
        if key is None:
            return [_violation("status", f"{self.id} has no response {status}")]
        violations = self._validate_body(key, status, content_type, body)
        return violations + self.validate_response_headers(status, headers)

    def validate_response_headers(
        self, status: int, headers: Iterable[tuple[str, str]]
    ) -> list[Violation]:
        """Validate the headers of a response."""
        if not self.response_headers:
            return []
        documented = self.response_headers.get(self.response_key(status) or "", ())
        return validate_headers(documented, headers)

    def _validate_body(
        self, key: str, status: int, content_type: str | None, body: Json
    ) -> list[Violation]:
        contents = self.responses[key]
        if not contents:
            if body is None:
                return []
            message = f"the response {status} of {self.id} has no body"
            return [_violation("body", message)]
        content = find_content(contents, content_type or "")
        if content is None:
            actual = f"Content-Type {content_type!r}" if content_type else "no Content-Type"
            expected = " or ".join(c.media_type for c in contents.values())
            return [_violation("media type", f"{actual}; expected {expected}")]
        if content.schema.is_valid(body):
            return []
        return content.schema.find_violations(body, RESPONSE)

    def validate_response_bytes(
        self,
        status: int,
        content_type: str | None,
        raw: bytes,
        headers: Iterable[tuple[str, str]] = (),
    ) -> list[Violation]:
        """Validate a response whose body is these bytes, as sent over the network."""
        content = self._response_content(status, content_type or "")
        if content is None:  # the violation does not depend on the body
            return self.validate_response(status, content_type, raw or None, headers)
        # A list without items has no bytes.
        is_list = essence(content_type or "") in {*JSON_LINES, EVENT_STREAM}
        violation = _violation("body", "the response has no body")
        if raw or content.is_text or is_list:
            try:
                value = content.parse(raw)
            except UnicodeDecodeError:
                violation = _violation("encoding", "the body is not UTF-8")
            except ValueError as error:
                violation = _violation("json", f"the body cannot be parsed: {error}")
            else:
                return self.validate_response(status, content_type, value, headers)
        return [violation, *self.validate_response_headers(status, headers)]

    def serialize_response(self, status: int, media_type: str, body: Json) -> bytes | None:
        """Validate a response body and serialize it to JSON in one pass.

        Returns ``None`` if it is invalid or is not JSON; ``validate_response`` then
        finds the violations. Raises ``TypeError`` and ``ValueError`` for values that
        JSON cannot express.
        """
        try:
            serializer = self._serializers[status, media_type]
        except KeyError:
            serializer = self._build_serializer(status, media_type)
            self._serializers[status, media_type] = serializer
        return serializer.serialize(body) if serializer and body is not None else None

    def _build_serializer(self, status: int, media_type: str) -> ResponseSerializer | None:
        content = self._response_content(status, media_type)
        if content is None or content.is_text or not is_json(essence(media_type)):
            return None
        return ResponseSerializer(content.schema)

    def response_key(self, status: int) -> str | None:
        """Return the key of a status in ``responses``, or ``None``.

        A status takes precedence over its range, a range over ``default``.
        """
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.responses:
                return key
        return None

    def _response_content(self, status: int, content_type: str) -> Content | None:
        contents = self.responses.get(self.response_key(status) or "", {})
        return find_content(contents, content_type)


def _violation(rule: str, message: str) -> Violation:
    return Violation(RESPONSE, rule, message)


def compile_operation(document: JsonObject, path: str, method: str, pointer: str) -> Operation:
    """Compile an operation; ``method`` is in lower case. Raises ``DocumentError``."""
    item = document["paths"][path]
    node = item[method]
    operation_id = node.get("operationId", f"{method.upper()} {path}")
    parameters = tuple(
        compile_parameter(document, parameter, place)
        for parameter, place in _merge_parameters(document, item, node, path, pointer)
    )
    responses = list(_iter_responses(document, node, pointer))
    return Operation(
        id=operation_id,
        method=method.upper(),
        path=path,
        pointer=pointer,
        node=node,
        path_item=item,
        parameters=parameters,
        body=_compile_body(document, node.get("requestBody"), f"{pointer}/requestBody"),
        responses={
            key: compile_contents(document, response, place, Direction.RESPONSE)
            for key, response, place in responses
        },
        security=compile_security(document, node, pointer),
        parameter_parser=compile_parameter_parser(
            operation_id, parameters, _query_credential_names(document)
        ),
        response_headers={
            key: compile_response_headers(document, response, place)
            for key, response, place in responses
            if "headers" in response
        },
    )


def _compile_body(document: JsonObject, node: Json, pointer: str) -> RequestBody | None:
    if not node:
        return None
    body = resolve_reference(document, node, pointer)
    return compile_request_body(document, body, pointer)


def _iter_responses(
    document: JsonObject, node: JsonObject, pointer: str
) -> Iterator[tuple[str, JsonObject, str]]:
    """Yield status, node and pointer of each response."""
    for status, response in node.get("responses", {}).items():
        place = f"{pointer}/responses/{status}"
        yield str(status), resolve_reference(document, response, place), place


def _merge_parameters(
    document: JsonObject, item: JsonObject, node: JsonObject, path: str, pointer: str
) -> list[tuple[JsonObject, str]]:
    """Return node and pointer of each parameter of the path and of the operation.

    An operation's parameter replaces the path's with the same location and name.
    """
    path_pointer = pointer.rpartition("/")[0]
    merged: dict[tuple[str, str], tuple[JsonObject, str]] = {}
    for owner, base in ((item, path_pointer), (node, pointer)):
        for i, raw in enumerate(owner.get("parameters", ())):
            place = f"{base}/parameters/{i}"
            parameter = resolve_reference(document, raw, place)
            location, name = parameter["in"], parameter["name"]
            if location == "header" and name.lower() in _IGNORED_HEADERS:
                continue
            if location == "path" and f"{{{name}}}" not in path:
                msg = f"the path {path} has no {{{name}}}"
                raise DocumentError(msg, place)
            merged[location, name] = (parameter, place)
    return list(merged.values())


def _query_credential_names(document: JsonObject) -> frozenset[str]:
    """Return the query parameters that security schemes use, of any operation."""
    schemes = document.get("components", {}).get("securitySchemes", {}).values()
    return frozenset(s["name"] for s in schemes if s.get("in") == "query")
