"""One operation compiled: what it takes, what it gives, all violations of either."""

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
from soundstage.openapi.errors import DocumentError, InvalidRequest, Violation
from soundstage.openapi.parameter_parser import (
    ParameterParser,
    compile_parameter_parser,
)
from soundstage.openapi.parameters import Parameter, compile_parameter
from soundstage.openapi.responses import (
    ResponseSerializer,
    compile_response_headers,
    validate_headers,
)
from soundstage.openapi.schema import Direction
from soundstage.openapi.security import Headers, Security, compile_security
from soundstage.types import Json, JsonObject

_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Header parameters of these names mean nothing (OpenAPI, Parameter Object)."""


class Arguments(NamedTuple):
    """What a valid request says: parameters by name (with defaults), and the body."""

    parameters: Mapping[str, Json]
    body: Json = None


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation, compiled once."""

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
        self,
        path: Mapping[str, str],
        query: bytes,
        headers: Headers,
        raw_body: bytes,
    ) -> Arguments:
        """The arguments of a request. Raises ``Refused`` with all its violations."""
        values, wrong = self.parameter_parser.parse(path, query, headers)
        if self.body is None:
            body = None
        else:
            types = headers.get(b"content-type")
            content_type = types[-1].decode("latin-1") if types else None
            body, wrong_body = self.body.parse(content_type, raw_body)
            wrong = (*wrong, *wrong_body)
        if wrong:
            raise InvalidRequest(*wrong)
        return Arguments(values, body)

    def validate_response(
        self,
        status: int,
        content_type: str | None,
        body: Json,
        headers: Iterable[tuple[str, str]] = (),
    ) -> list[Violation]:
        """What is wrong with an answer whose body is this value (``None``: no body)."""
        key = self.response_key(status)
        if key is None:
            return [
                _violation("status", f"{self.id} has no answer with status {status}")
            ]
        wrong = self._validate_body(key, status, content_type, body)
        return wrong + self.validate_response_headers(status, headers)

    def validate_response_headers(
        self, status: int, headers: Iterable[tuple[str, str]]
    ) -> list[Violation]:
        """What is wrong with the headers of an answer."""
        if not self.response_headers:
            return []
        known = self.response_headers.get(self.response_key(status) or "", ())
        return validate_headers(known, headers)

    def serialize_response(
        self, status: int, media_type: str, body: Json
    ) -> bytes | None:
        """The JSON of an answer's body that keeps the contract.

        None if it does not, or is no JSON: ``judge`` has to say. Raises ``TypeError``
        and ``ValueError`` for what JSON cannot say.
        """
        try:
            writer = self._serializers[status, media_type]
        except KeyError:
            writer = self._serializers[status, media_type] = self._build_serializer(
                status, media_type
            )
        return writer.serialize(body) if writer and body is not None else None

    def _build_serializer(
        self, status: int, media_type: str
    ) -> ResponseSerializer | None:
        content = self._response_content(status, media_type)
        if content is None or content.is_text or not is_json(essence(media_type)):
            return None
        return ResponseSerializer(content.schema)

    def _validate_body(
        self, key: str, status: int, content_type: str | None, body: Json
    ) -> list[Violation]:
        answer = self.responses[key]
        if not answer:
            if body is None:
                return []
            return [_violation("body", f"the answer {status} of {self.id} has no body")]
        content = find_content(answer, content_type or "")
        if content is None:
            said = (
                f"Content-Type {content_type!r}" if content_type else "no Content-Type"
            )
            there = " or ".join(c.media_type for c in answer.values())
            return [_violation("media type", f"{said}; expected {there}")]
        if content.schema.is_valid(body):
            return []
        return content.schema.find_violations(body, "answer")

    def validate_response_bytes(
        self,
        status: int,
        content_type: str | None,
        raw: bytes,
        headers: Iterable[tuple[str, str]] = (),
    ) -> list[Violation]:
        """The same of an answer's body as it came over the wire."""
        content = self._response_content(status, content_type or "")
        if content is None:  # what is wrong does not depend on the body
            return self.validate_response(status, content_type, raw or None, headers)
        is_list = essence(content_type or "") in {
            *JSON_LINES,
            EVENT_STREAM,
        }  # it may be empty
        wrong = _violation("body", "the answer has no body")
        if raw or content.is_text or is_list:
            try:
                value = content.parse(raw)
            except UnicodeDecodeError:
                wrong = _violation("encoding", "the body is not UTF-8")
            except ValueError as error:
                wrong = _violation("json", f"the body cannot be read: {error}")
            else:
                return self.validate_response(status, content_type, value, headers)
        return [wrong, *self.validate_response_headers(status, headers)]

    def response_key(self, status: int) -> str | None:
        """Under which key the contract has a status, if it has it."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.responses:
                return key
        return None

    def _response_content(self, status: int, content_type: str) -> Content | None:
        contents = self.responses.get(self.response_key(status) or "", {})
        return find_content(contents, content_type)


def _violation(rule: str, message: str) -> Violation:
    return Violation("answer", rule, message)


def compile_operation(
    document: JsonObject, path: str, method: str, pointer: str
) -> Operation:
    """An operation of a document. Raises ``DocumentError``."""
    item = document["paths"][path]
    node = item[method]
    operation_id = node.get("operationId", f"{method.upper()} {path}")
    parameters = tuple(
        compile_parameter(document, resolve_reference(document, p, at), at)
        for p, at in _merge_parameters(document, item, node, path, pointer)
    )
    body_node = node.get("requestBody")
    body_at = f"{pointer}/requestBody"
    answers = list(_iter_responses(document, node, pointer))
    return Operation(
        id=operation_id,
        method=method.upper(),
        path=path,
        pointer=pointer,
        node=node,
        path_item=item,
        parameters=parameters,
        body=compile_request_body(
            document, resolve_reference(document, body_node, body_at), body_at
        )
        if body_node
        else None,
        responses={
            key: compile_contents(document, answer, place, Direction.RESPONSE)
            for key, answer, place in answers
        },
        security=compile_security(document, node, pointer),
        parameter_parser=compile_parameter_parser(
            operation_id, parameters, _query_credential_names(document)
        ),
        response_headers={
            key: compile_response_headers(document, answer, place)
            for key, answer, place in answers
            if "headers" in answer
        },
    )


def _iter_responses(
    document: JsonObject, node: JsonObject, pointer: str
) -> Iterator[tuple[str, JsonObject, str]]:
    for status, answer in node.get("responses", {}).items():
        place = f"{pointer}/responses/{status}"
        yield str(status), resolve_reference(document, answer, place), place


def _merge_parameters(
    document: JsonObject, item: JsonObject, node: JsonObject, path: str, pointer: str
) -> list[tuple[JsonObject, str]]:
    """The path's parameters and the operation's, which win; with their places."""
    path_pointer = pointer.rpartition("/")[0]
    found: dict[tuple[str, str], tuple[JsonObject, str]] = {}
    for owner, base in ((item, path_pointer), (node, pointer)):
        for i, given in enumerate(owner.get("parameters", ())):
            place = f"{base}/parameters/{i}"
            parameter = resolve_reference(document, given, place)
            key = (parameter["in"], parameter["name"])
            if key[0] == "header" and key[1].lower() in _IGNORED_HEADERS:
                continue
            if key[0] == "path" and f"{{{key[1]}}}" not in path:
                msg = f"the path {path} has no {{{key[1]}}}"
                raise DocumentError(msg, place)
            found[key] = (parameter, place)
    return list(found.values())


def _query_credential_names(document: JsonObject) -> frozenset[str]:
    schemes = document.get("components", {}).get("securitySchemes", {}).values()
    return frozenset(s["name"] for s in schemes if s.get("in") == "query")
