"""An error status, with a body in the API's own shape."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar

import orjson

from soundstage.apis.api import (
    Api,
    ApiError,
    BadRequest,
    Forbidden,
    NotFound,
    Response,
)
from soundstage.openapi.errors import Refused, TooLarge, Unauthorized, Violation
from soundstage.server.faults.connection import ClientConnection
from soundstage.server.faults.fault import Fault
from soundstage.server.message import EncodedResponse
from soundstage.types import Document, Json
from soundstage.world.clock import wall
from soundstage.world.random import Chance

_RESERVED_HEADERS = "^(?i:content-length|content-type|transfer-encoding|connection)$"
"""Headers that say how the body is to be read; other faults are for these."""


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """Answers with a status, and does not carry the request out."""

    NAME = "status"
    DESCRIPTION = (
        "An error status; its body is in the API's own shape unless you give one."
    )
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
                "not": {"pattern": _RESERVED_HEADERS},
            },
            "additionalProperties": {"type": "string", "pattern": "^[ -~]*$"},
        },
    }
    SCHEMA_KEYWORDS: ClassVar[Document] = {"required": ["status"]}

    status: int
    media_type: str
    message: str | None = None
    body: Json = None
    headers: Document = field(default_factory=dict)

    def replace_response(self, api: Api) -> Response:
        if self.body is None:
            answer = render_status_error(api, self.status, self.message)
        else:
            answer = Response(self.body, self.status, self.media_type)
        return answer._replace(headers=(*answer.headers, *self.headers.items()))


_SAMPLE_ERRORS: tuple[Refused | ApiError, ...] = (
    Unauthorized(
        Violation("security", "security", "these credentials are refused"),
        missing=False,
    ),
    Forbidden("this is forbidden"),
    NotFound("runs", "anything"),
    TooLarge(Violation("body", "size", "the body is too large")),
)
"""Refusals that an API may have words of its own for."""


def render_status_error(api: Api, status: int, message: str | None = None) -> Response:
    """The API's own error body with any status; in its own words if it has some."""
    own = {answer.status: answer for answer in map(api.render_error, _SAMPLE_ERRORS)}
    if message is None and status in own and status != HTTPStatus.BAD_REQUEST:
        return own[status]
    phrase = _get_reason_phrase(status)
    message = message or phrase
    answer = api.render_error(BadRequest(message))
    return answer._replace(
        status=status, body=_replace_message(answer, status, message)
    )


def _replace_message(response: Response, status: int, message: str) -> Document:
    """The body with the message alone where it stands in others' words."""
    body = {
        key: message if isinstance(value, str) and message in value else value
        for key, value in response.body.items()
    }
    if "status" in body:
        body["status"] = status
    if "title" in body:
        body["title"] = _get_reason_phrase(status)
    return body


def _get_reason_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Injected Fault"


@dataclass(frozen=True, slots=True)
class RateLimit(Fault):
    """Answers 429, and does not carry the request out."""

    NAME = "rate_limit"
    DESCRIPTION = (
        "429 with the vendor's own headers; retry_after are seconds of the wall."
    )
    OPTIONS: ClassVar[Document] = {
        "retry_after": {"type": "integer", "minimum": 0, "maximum": 86400, "default": 1}
    }

    retry_after: int

    def replace_response(self, api: Api) -> Response:
        answer = render_status_error(api, 429)
        # Clients wait by the wall's clock, whatever the world's own shows.
        headers = api.rate_limit_headers(self.retry_after, wall())
        return answer._replace(headers=(*answer.headers, *headers))


_HTML_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>\n"


@dataclass(frozen=True, slots=True)
class Malformed(Fault):
    """Changes the bytes; status, media type and length are those of a good answer."""

    NAME = "malformed"
    DESCRIPTION = (
        "A body that is no JSON: cut in the middle, with a comma too many, a page "
        "of HTML, or empty."
    )
    OPTIONS: ClassVar[Document] = {
        "form": {"enum": ["cut", "comma", "html", "empty"], "default": "cut"}
    }

    form: str

    def transform_response(self, response: EncodedResponse) -> EncodedResponse:
        return response.with_body(_corrupt(response.body, self.form))


def _corrupt(body: bytes, form: str) -> bytes:
    match form:
        case "comma":
            return body[:-1] + b"," + body[-1:]
        case "html":
            return _HTML_PAGE
        case "empty":
            return b""
        case _:
            return body[: len(body) // 2]


log = logging.getLogger("soundstage")


@dataclass(frozen=True, slots=True)
class Drift(Fault):
    """Changes one field of an answer that was found valid."""

    NAME = "drift"
    DESCRIPTION = (
        "A field that breaks the contract: a JSON pointer, with * for every item of a "
        "list, and what becomes of the field."
    )
    OPTIONS: ClassVar[Document] = {
        "field": {"type": "string", "pattern": "^(/([^~/]|~[01])*)+$"},
        "change": {"enum": ["missing", "wrong_type", "null", "unknown_enum", "extra"]},
    }
    SCHEMA_KEYWORDS: ClassVar[Document] = {"required": ["field", "change"]}

    field: str
    change: str

    def transform_response(self, response: EncodedResponse) -> EncodedResponse:
        try:
            body = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            return response
        *outer, last = map(_unescape_step, self.field[1:].split("/"))
        found = 0
        for place in list(_iterate_values(body, outer)):
            for key in list(_matching_keys(place, last, extra=self.change == "extra")):
                _apply_change(place, key, self.change)
                found += 1
        if not found and response.status < HTTPStatus.BAD_REQUEST:
            log.warning("the fault drift found no %s in an answer", self.field)
        return response.with_body(orjson.dumps(body))


def _unescape_step(step: str) -> str:
    return step.replace("~1", "/").replace("~0", "~")


def _iterate_values(value: Json, steps: list[str]) -> Iterator[Json]:
    """Every value to which these steps lead."""
    if not steps:
        yield value
        return
    for key in _matching_keys(value, steps[0]):
        yield from _iterate_values(value[key], steps[1:])


def _matching_keys(
    value: Json, step: str, *, extra: bool = False
) -> Iterator[str | int]:
    """What a step means in this value: a name, an index, or every index."""
    match value:
        case dict() if extra or step in value:
            yield step
        case list() if step == "*":
            yield from reversed(range(len(value)))
        case list() if step.isdecimal() and int(step) < len(value):
            yield int(step)


def _apply_change(container: Json, key: str | int, change: str) -> None:
    if change == "missing":
        del container[key]
    elif change == "extra":
        container[key] = "a field that the contract does not have"
    elif change == "null":
        container[key] = None
    elif change == "unknown_enum":
        container[key] = "soundstage_unknown"
    else:
        container[key] = _change_type(container[key])


def _change_type(value: Json) -> Json:
    match value:
        case bool() | int() | float():
            return f"not a number: {value}"
        case str():
            return {"was": value}
        case list():
            return {}
        case dict():
            return []
        case _:
            return {"was": None}


@dataclass(frozen=True, slots=True)
class Truncate(Fault):
    """Sends a part of the body, and closes the connection."""

    NAME = "truncate"
    DESCRIPTION = "The full content-length, this share of the body, then the end."
    OPTIONS: ClassVar[Document] = {
        "share": {
            "type": "number",
            "minimum": 0,
            "exclusiveMaximum": 1,
            "default": 0.5,
        }
    }

    share: float

    async def send(
        self, response: EncodedResponse, connection: ClientConnection, _random: Chance
    ) -> None:
        await connection.send_start(response)
        await connection.send_chunk(
            response.body[: int(len(response.body) * self.share)]
        )
        await connection.finish()
