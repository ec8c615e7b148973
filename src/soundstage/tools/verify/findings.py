"""What is wrong with an answer, in words by which findings are told apart."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from soundstage.exchange.recorded import RecordedExchange
from soundstage.openapi.errors import format_pointer
from soundstage.tools.checks.operation_spec import OperationSpec
from soundstage.tools.openapi_core.validator import OpenApiCoreValidator
from soundstage.types import JsonObject

MIN_SERVER_ERROR = 500


class FindingKey(NamedTuple):
    """What makes two findings the same one: ``*`` stands for every item of a list."""

    operation: str
    status: int
    rule: str
    pointer: str


@dataclass(slots=True)
class Finding:
    """A way in which answers break the contract, with one exchange that does."""

    key: FindingKey
    message: str
    example: JsonObject = field(default_factory=dict)
    count: int = 1

    def to_json(self) -> JsonObject:
        """The form in states and reports."""
        about = {"message": self.message, "count": self.count, "example": self.example}
        return {**self.key._asdict(), **about}


def parse_finding(data: JsonObject) -> Finding:
    """A finding from its JSON form."""
    key = FindingKey(*(data[name] for name in FindingKey._fields))
    return Finding(key, data["message"], data["example"], data["count"])


def validate_exchange(
    validator: OpenApiCoreValidator,
    operation: OperationSpec,
    exchange: RecordedExchange,
) -> Iterator[tuple[FindingKey, str]]:
    """The findings in an answer: openapi-core's, and what no document may allow."""
    if exchange.status >= MIN_SERVER_ERROR:
        message = f"the server failed with {exchange.status}"
        yield FindingKey(operation.id, exchange.status, "server_error", ""), message
    for error in validator.response_errors(exchange):
        for rule, pointer, message in _explain_error(error):
            yield FindingKey(operation.id, exchange.status, rule, pointer), message


def _explain_error(error: BaseException) -> Iterator[tuple[str, str, str]]:
    """Rule, pointer and message of an error of openapi-core's."""
    from openapi_core.templating.media_types.exceptions import MediaTypeNotFound
    from openapi_core.templating.responses.exceptions import ResponseNotFound
    from openapi_core.validation.response.exceptions import (
        HeaderValidationError,
        MissingData,
    )
    from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

    match error:
        case ResponseNotFound():
            yield "status", "", f"{error.http_status} is not documented"
        case MissingData():
            yield "body", "", "the answer has no body"
        case HeaderValidationError():
            wrong = error.__cause__ or error
            yield "header", f"/{error.name}", str(wrong)
        case _ if isinstance(error.__cause__, MediaTypeNotFound):
            yield "media_type", "", str(error.__cause__)
        case _ if isinstance(error.__cause__, InvalidSchemaValue):
            for one in error.__cause__.schema_errors:
                yield _explain_schema_error(one)
        case _:
            yield type(error).__name__, "", str(error.__cause__ or error)


def _explain_schema_error(error: Any) -> tuple[str, str, str]:
    """The deepest error of jsonschema's that explains it: one within a oneOf, say."""
    while error.context:
        error = max(error.context, key=_rank_schema_error)
    path = ["*" if isinstance(step, int) else step for step in error.absolute_path]
    if error.validator == "required":  # what is missing is the place
        path += re.findall(r"^'(.*)' is a required property$", error.message)
    return str(error.validator), format_pointer(path), error.message


def _rank_schema_error(error: Any) -> tuple[int, bool]:
    """A type that is another one says least: that is how alternatives differ."""
    return len(error.absolute_path), error.validator != "type"
