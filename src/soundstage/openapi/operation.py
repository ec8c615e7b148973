"""One operation compiled: what it takes, what it gives, all violations of either."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from soundstage.openapi.body import (
    EVENTS,
    LINES,
    Body,
    Content,
    Contents,
    compile_body,
    compile_contents,
    content_of,
    essence,
    is_json,
)
from soundstage.openapi.document import followed
from soundstage.openapi.errors import DocumentError, Refused, Violation
from soundstage.openapi.parameter_parser import Reader, compile_reader
from soundstage.openapi.parameters import Parameter, compile_parameter
from soundstage.openapi.responses import Writer, compile_headers, judge_headers
from soundstage.openapi.schema import Side
from soundstage.openapi.security import Headers, Security, compile_security
from soundstage.types import Document, Json

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
    parameters: tuple[Parameter, ...]
    body: Body | None
    answers: Mapping[str, Contents]
    security: Security
    reader: Reader = field(repr=False)
    answer_headers: Mapping[str, tuple[Parameter, ...]] = field(repr=False)
    _writers: dict[tuple[int, str], Writer | None] = field(
        default_factory=dict, repr=False, compare=False
    )

    def read(
        self,
        path: Mapping[str, str],
        query: bytes,
        headers: Headers,
        raw_body: bytes,
    ) -> Arguments:
        """The arguments of a request. Raises ``Refused`` with all its violations."""
        values, wrong = self.reader.read(path, query, headers)
        if self.body is None:
            body = None
        else:
            types = headers.get(b"content-type")
            content_type = types[-1].decode("latin-1") if types else None
            body, wrong_body = self.body.checked(content_type, raw_body)
            wrong = (*wrong, *wrong_body)
        if wrong:
            raise Refused(*wrong)
        return Arguments(values, body)

    def judge(
        self,
        status: int,
        content_type: str | None,
        body: Json,
        headers: Iterable[tuple[str, str]] = (),
    ) -> list[Violation]:
        """What is wrong with an answer whose body is this value (``None``: no body)."""
        key = self.documented(status)
        if key is None:
            return [_wrong("status", f"{self.id} has no answer with status {status}")]
        wrong = self._judged(key, status, content_type, body)
        return wrong + self.judge_headers(status, headers)

    def judge_headers(
        self, status: int, headers: Iterable[tuple[str, str]]
    ) -> list[Violation]:
        """What is wrong with the headers of an answer."""
        if not self.answer_headers:
            return []
        known = self.answer_headers.get(self.documented(status) or "", ())
        return judge_headers(known, headers)

    def write(self, status: int, media_type: str, body: Json) -> bytes | None:
        """The JSON of an answer's body that keeps the contract.

        None if it does not, or is no JSON: ``judge`` has to say. Raises ``TypeError``
        and ``ValueError`` for what JSON cannot say.
        """
        try:
            writer = self._writers[status, media_type]
        except KeyError:
            writer = self._writers[status, media_type] = self._writer(
                status, media_type
            )
        return writer.write(body) if writer and body is not None else None

    def _writer(self, status: int, media_type: str) -> Writer | None:
        content = self._content(status, media_type)
        if content is None or content.text or not is_json(essence(media_type)):
            return None
        return Writer(content.schema)

    def _judged(
        self, key: str, status: int, content_type: str | None, body: Json
    ) -> list[Violation]:
        answer = self.answers[key]
        if not answer:
            if body is None:
                return []
            return [_wrong("body", f"the answer {status} of {self.id} has no body")]
        content = content_of(answer, content_type or "")
        if content is None:
            said = (
                f"Content-Type {content_type!r}" if content_type else "no Content-Type"
            )
            there = " or ".join(c.media_type for c in answer.values())
            return [_wrong("media type", f"{said}; expected {there}")]
        if content.schema.is_valid(body):
            return []
        return content.schema.violations(body, "answer")

    def judge_bytes(
        self,
        status: int,
        content_type: str | None,
        raw: bytes,
        headers: Iterable[tuple[str, str]] = (),
    ) -> list[Violation]:
        """The same of an answer's body as it came over the wire."""
        content = self._content(status, content_type or "")
        if content is None:  # what is wrong does not depend on the body
            return self.judge(status, content_type, raw or None, headers)
        is_list = essence(content_type or "") in {*LINES, EVENTS}  # it may be empty
        wrong = _wrong("body", "the answer has no body")
        if raw or content.text or is_list:
            try:
                value = content.read(raw)
            except UnicodeDecodeError:
                wrong = _wrong("encoding", "the body is not UTF-8")
            except ValueError as error:
                wrong = _wrong("json", f"the body cannot be read: {error}")
            else:
                return self.judge(status, content_type, value, headers)
        return [wrong, *self.judge_headers(status, headers)]

    def documented(self, status: int) -> str | None:
        """Under which key the contract has a status, if it has it."""
        for key in (str(status), f"{status // 100}XX", "default"):
            if key in self.answers:
                return key
        return None

    def _content(self, status: int, content_type: str) -> Content | None:
        contents = self.answers.get(self.documented(status) or "", {})
        return content_of(contents, content_type)


def _wrong(rule: str, message: str) -> Violation:
    return Violation("answer", rule, message)


def compile_operation(
    document: Document, path: str, method: str, pointer: str
) -> Operation:
    """An operation of a document. Raises ``DocumentError``."""
    item = document["paths"][path]
    node = item[method]
    operation_id = node.get("operationId", f"{method.upper()} {path}")
    parameters = tuple(
        compile_parameter(document, followed(document, p, at), at)
        for p, at in _parameter_nodes(document, item, node, path, pointer)
    )
    body_node = node.get("requestBody")
    body_at = f"{pointer}/requestBody"
    answers = list(_answers(document, node, pointer))
    return Operation(
        id=operation_id,
        method=method.upper(),
        path=path,
        pointer=pointer,
        parameters=parameters,
        body=compile_body(document, followed(document, body_node, body_at), body_at)
        if body_node
        else None,
        answers={
            key: compile_contents(document, answer, place, Side.ANSWER)
            for key, answer, place in answers
        },
        security=compile_security(document, node, pointer),
        reader=compile_reader(operation_id, parameters, _query_keys(document)),
        answer_headers={
            key: compile_headers(document, answer, place)
            for key, answer, place in answers
            if "headers" in answer
        },
    )


def _answers(
    document: Document, node: Document, pointer: str
) -> Iterator[tuple[str, Document, str]]:
    for status, answer in node.get("responses", {}).items():
        place = f"{pointer}/responses/{status}"
        yield str(status), followed(document, answer, place), place


def _parameter_nodes(
    document: Document, item: Document, node: Document, path: str, pointer: str
) -> list[tuple[Document, str]]:
    """The path's parameters and the operation's, which win; with their places."""
    path_pointer = pointer.rpartition("/")[0]
    found: dict[tuple[str, str], tuple[Document, str]] = {}
    for owner, base in ((item, path_pointer), (node, pointer)):
        for i, given in enumerate(owner.get("parameters", ())):
            place = f"{base}/parameters/{i}"
            parameter = followed(document, given, place)
            key = (parameter["in"], parameter["name"])
            if key[0] == "header" and key[1].lower() in _IGNORED_HEADERS:
                continue
            if key[0] == "path" and f"{{{key[1]}}}" not in path:
                msg = f"the path {path} has no {{{key[1]}}}"
                raise DocumentError(msg, place)
            found[key] = (parameter, place)
    return list(found.values())


def _query_keys(document: Document) -> frozenset[str]:
    schemes = document.get("components", {}).get("securitySchemes", {}).values()
    return frozenset(s["name"] for s in schemes if s.get("in") == "query")
