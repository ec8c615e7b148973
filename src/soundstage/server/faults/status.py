"""An error status, with a body in the API's own shape."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar

from soundstage.apis.api import (
    Answer,
    Api,
    ApiError,
    Forbidden,
    Impossible,
    NotFound,
)
from soundstage.contract.violation import (
    Refused,
    TooLarge,
    Unauthorized,
    Violation,
)
from soundstage.server.faults.fault import Fault
from soundstage.types import Document, Json

_OURS = "^(?i:content-length|content-type|transfer-encoding|connection)$"
"""Headers that say how the body is to be read; other faults are for these."""


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """Answers with a status, and does not carry the request out."""

    NAME = "status"
    ABOUT = "An error status; its body is in the API's own shape unless you give one."
    OPTIONS: ClassVar[Document] = {
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "message": {"type": "string", "minLength": 1},
        "body": {},
        "media_type": {
            "type": "string",
            "pattern": "^[a-z]+/[a-z0-9.+-]+$",
            "default": "application/json",
        },
        "headers": {
            "type": "object",
            "propertyNames": {
                "pattern": "^[A-Za-z0-9-]+$",
                "not": {"pattern": _OURS},
            },
            "additionalProperties": {"type": "string", "pattern": "^[ -~]*$"},
        },
    }
    RULES: ClassVar[Document] = {"required": ["status"]}

    status: int
    media_type: str
    message: str | None = None
    body: Json = None
    headers: Document = field(default_factory=dict)

    def instead(self, api: Api) -> Answer:
        if self.body is None:
            answer = refusal(api, self.status, self.message)
        else:
            answer = Answer(self.body, self.status, self.media_type)
        return answer._replace(headers=(*answer.headers, *self.headers.items()))


_OWN: tuple[Refused | ApiError, ...] = (
    Unauthorized(
        Violation("security", "security", "these credentials are refused"),
        missing=False,
    ),
    Forbidden("this is forbidden"),
    NotFound("runs", "anything"),
    TooLarge(Violation("body", "size", "the body is too large")),
)
"""Refusals that an API may have words of its own for."""


def refusal(api: Api, status: int, message: str | None = None) -> Answer:
    """The API's own error body with any status; in its own words if it has some."""
    own = {answer.status: answer for answer in map(api.problem, _OWN)}
    if message is None and status in own and status != HTTPStatus.BAD_REQUEST:
        return own[status]
    phrase = _phrase(status)
    message = message or phrase
    answer = api.problem(Impossible(message))
    return answer._replace(status=status, body=_reworded(answer, status, message))


def _reworded(answer: Answer, status: int, message: str) -> Document:
    """The body with the message alone where it stands in others' words."""
    body = {
        key: message if isinstance(value, str) and message in value else value
        for key, value in answer.body.items()
    }
    if "status" in body:
        body["status"] = status
    if "title" in body:
        body["title"] = _phrase(status)
    return body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Injected Fault"
