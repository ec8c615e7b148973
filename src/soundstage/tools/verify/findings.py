"""Findings: the ways in which responses violate a contract, with redacted examples."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from soundstage.exchange.recorded import HeaderList, RecordedExchange
from soundstage.exchange.redaction import Redactor, build_redactors, build_value_redactor
from soundstage.openapi.contract import Contract
from soundstage.openapi.errors import format_pointer
from soundstage.tools.checks.operation_spec import OperationSpec
from soundstage.tools.openapi_core import OpenApiCoreValidator
from soundstage.types import JsonObject

MAX_BODY_LENGTH = 2_000
"""The maximum of characters of a body in an example."""

_MIN_SERVER_ERROR = 500


class FindingKey(NamedTuple):
    """Identifies a finding; ``*`` in the pointer matches every item of a list."""

    operation: str
    status: int
    rule: str
    pointer: str


@dataclass(slots=True)
class Finding:
    """A violation of the contract, with its count and one exchange as an example.

    >>> finding = Finding(FindingKey("getRun", 200, "type", "/id"), "not a string")
    >>> parse_finding(finding.to_json()) == finding
    True
    """

    key: FindingKey
    message: str
    example: JsonObject = field(default_factory=dict)
    count: int = 1

    def to_json(self) -> JsonObject:
        """Return the JSON form in state files and reports."""
        return {
            **self.key._asdict(),
            "message": self.message,
            "count": self.count,
            "example": self.example,
        }


def parse_finding(data: JsonObject) -> Finding:
    """Parse a finding from its JSON form."""
    key = FindingKey(*(data[name] for name in FindingKey._fields))
    return Finding(key, data["message"], data["example"], data["count"])


def validate_exchange(
    validator: OpenApiCoreValidator, operation: OperationSpec, exchange: RecordedExchange
) -> Iterator[tuple[FindingKey, str]]:
    """Yield the violations of a response: a key and a message that is not redacted."""
    # A 5xx is a finding even if the document describes it.
    if exchange.status >= _MIN_SERVER_ERROR:
        message = f"the server failed with {exchange.status}"
        yield FindingKey(operation.id, exchange.status, "server_error", ""), message
    for error in validator.response_errors(exchange):
        for rule, pointer, message in _explain_error(error):
            yield FindingKey(operation.id, exchange.status, rule, pointer), message


def _explain_error(error: BaseException) -> Iterator[tuple[str, str, str]]:
    """Yield rule, pointer and message of an error of openapi-core."""
    from openapi_core.templating.media_types.exceptions import MediaTypeNotFound
    from openapi_core.templating.responses.exceptions import ResponseNotFound
    from openapi_core.validation.response.exceptions import HeaderValidationError, MissingData
    from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

    cause = error.__cause__
    match error:
        case ResponseNotFound():
            yield "status", "", f"{error.http_status} is not documented"
        case MissingData():
            yield "body", "", "the response has no body"
        case HeaderValidationError():
            yield "header", f"/{error.name}", str(cause or error)
        case _ if isinstance(cause, MediaTypeNotFound):
            yield "media_type", "", str(cause)
        case _ if isinstance(cause, InvalidSchemaValue):
            yield from map(_explain_schema_error, cause.schema_errors)
        case _:
            yield type(error).__name__, "", str(cause or error)


def _explain_schema_error(error: Any) -> tuple[str, str, str]:
    """Explain an error of jsonschema by its deepest cause, for example in a oneOf."""
    while error.context:
        error = max(error.context, key=_rank_schema_error)
    path = ["*" if isinstance(step, int) else step for step in error.absolute_path]
    # The missing property is the location, not the object without it.
    if error.validator == "required":
        path += re.findall(r"^'(.*)' is a required property$", error.message)
    return str(error.validator), format_pointer(path), error.message


def _rank_schema_error(error: Any) -> tuple[int, bool]:
    # Alternatives usually differ by type: such an error explains least.
    return len(error.absolute_path), error.validator != "type"


def create_redactor(document: JsonObject) -> Redactor:
    """Create the redactor for the security schemes of a document."""
    return build_redactors([Contract("verified", document, {})])["verified"]


def create_finding(
    key: FindingKey,
    message: str,
    exchange: RecordedExchange,
    redactor: Redactor,
    *,
    has_example: bool = True,
) -> Finding:
    """Create a finding whose message and example contain no secrets.

    Bodies and messages can repeat the secrets of the request: these are redacted too.
    """
    path, separator, query = exchange.url.partition("?")
    request_headers = _encode_headers(exchange.request_headers)
    raw_query = _encode_text(query)
    values = build_value_redactor(redactor.find_sent_secrets(request_headers, raw_query))
    finding = Finding(key, values.redact_text(message))
    if has_example:
        response_headers = _encode_headers(exchange.response_headers)
        finding.example = {
            "method": exchange.method,
            "url": path + separator + redactor.redact_query(raw_query),
            "headers": dict(redactor.redact_headers(request_headers)),
            "body": _decode_body(values.redact_bytes(exchange.request_body)),
            "status": exchange.status,
            "answer_headers": dict(redactor.redact_headers(response_headers)),
            "answer_body": _decode_body(values.redact_bytes(exchange.response_body)),
        }
    return finding


def _encode_headers(headers: HeaderList) -> list[tuple[bytes, bytes]]:
    return [(_encode_text(name), _encode_text(value)) for name, value in headers]


def _encode_text(text: str) -> bytes:
    return text.encode("latin-1", "replace")


def _decode_body(body: bytes) -> str:
    text = body.decode(errors="replace")
    return text if len(text) <= MAX_BODY_LENGTH else f"{text[:MAX_BODY_LENGTH]}…"
