"""Faults that replace or change a response: its status, its bytes or its fields."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import ClassVar

import orjson

from soundstage.apis.api import Api, ApiError, BadRequest, Forbidden, NotFound, Response
from soundstage.openapi.errors import BodyTooLarge, InvalidRequest, Unauthorized, Violation
from soundstage.server.faults.connection import ClientConnection
from soundstage.server.faults.fault import Fault, split_pointer
from soundstage.server.message import EncodedResponse
from soundstage.types import Json, JsonObject
from soundstage.world.clock import wall_clock_now
from soundstage.world.random import RandomSource

log = logging.getLogger("soundstage")

# These headers describe the body; the faults "malformed" and "truncate" change that.
_RESERVED_HEADERS = "^(?i:content-length|content-type|transfer-encoding|connection)$"

_HTML_PAGE = b"<html><body><h1>502 Bad Gateway</h1></body></html>\n"


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """Returns a status; the handler is not called."""

    NAME = "status"
    DESCRIPTION = "An error status; its body has the API's own shape unless given."
    OPTIONS: ClassVar[JsonObject] = {
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
            "propertyNames": {"pattern": "^[A-Za-z0-9-]+$", "not": {"pattern": _RESERVED_HEADERS}},
            "additionalProperties": {"type": "string", "pattern": "^[ -~]*$"},
        },
    }
    SCHEMA_KEYWORDS: ClassVar[JsonObject] = {"required": ["status"]}

    status: int
    media_type: str
    message: str | None = None
    body: Json = None
    headers: JsonObject = field(default_factory=dict)

    def replace_response(self, api: Api) -> Response:
        if self.body is None:
            response = render_status_error(api, self.status, self.message)
        else:
            response = Response(self.body, self.status, self.media_type)
        return response._replace(headers=(*response.headers, *self.headers.items()))


@dataclass(frozen=True, slots=True)
class RateLimit(Fault):
    """Returns 429 with the vendor's rate limit headers; the handler is not called."""

    NAME = "rate_limit"
    DESCRIPTION = "429 with the vendor's own headers; retry_after is in seconds of real time."
    OPTIONS: ClassVar[JsonObject] = {
        "retry_after": {"type": "integer", "minimum": 0, "maximum": 86400, "default": 1}
    }

    retry_after: int

    def replace_response(self, api: Api) -> Response:
        response = render_status_error(api, 429)
        # Real time: clients wait by the machine's clock, not by the world's.
        headers = api.rate_limit_headers(self.retry_after, wall_clock_now())
        return response._replace(headers=(*response.headers, *headers))


_SAMPLE_ERRORS: tuple[InvalidRequest | ApiError, ...] = (
    Unauthorized(Violation("security", "security", "these credentials are refused"), missing=False),
    Forbidden("this is forbidden"),
    NotFound("runs", "anything"),
    BodyTooLarge(Violation("body", "size", "the body is too large")),
)
"""One error of each kind for which an API may have a body of its own."""


def render_status_error(api: Api, status: int, message: str | None = None) -> Response:
    """Render the API's own error body with any status.

    Without a message, the text is the API's own for this status, if it has one, or else
    the reason phrase.
    """
    responses = map(api.render_error, _SAMPLE_ERRORS)
    samples = {response.status: response for response in responses}
    if message is None and status in samples and status != HTTPStatus.BAD_REQUEST:
        return samples[status]
    message = message or _get_reason_phrase(status)
    response = api.render_error(BadRequest(message))
    body = _replace_message(response.body, status, message)
    return response._replace(status=status, body=body)


def _replace_message(body: JsonObject, status: int, message: str) -> JsonObject:
    """Return the body with the message alone where the API puts it into a sentence."""
    result = {
        key: message if isinstance(value, str) and message in value else value
        for key, value in body.items()
    }
    if "status" in result:
        result["status"] = status
    if "title" in result:
        result["title"] = _get_reason_phrase(status)
    return result


def _get_reason_phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:  # a status that HTTP does not define
        return "Injected Fault"


@dataclass(frozen=True, slots=True)
class Malformed(Fault):
    """Makes the body invalid JSON; status and media type are those of the response."""

    NAME = "malformed"
    DESCRIPTION = (
        "A body that is not JSON: cut in the middle, with an extra comma, a page of HTML, or empty."
    )
    OPTIONS: ClassVar[JsonObject] = {
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


@dataclass(frozen=True, slots=True)
class Truncate(Fault):
    """Sends a part of the body and closes the connection."""

    NAME = "truncate"
    DESCRIPTION = "This share of the body after the full content-length, then the end."
    OPTIONS: ClassVar[JsonObject] = {
        "share": {"type": "number", "minimum": 0, "exclusiveMaximum": 1, "default": 0.5}
    }

    share: float

    async def send(
        self, response: EncodedResponse, connection: ClientConnection, _random: RandomSource
    ) -> None:
        body = response.body
        await connection.send_start(response)
        await connection.send_chunk(body[: int(len(body) * self.share)])
        await connection.finish()


@dataclass(frozen=True, slots=True)
class Drift(Fault):
    """Changes a field of a valid response so that it violates the contract."""

    NAME = "drift"
    DESCRIPTION = (
        "A field that violates the contract: a JSON pointer, with * for every item of "
        "a list, and the change of the field."
    )
    OPTIONS: ClassVar[JsonObject] = {
        "field": {"type": "string", "pattern": "^(/([^~/]|~[01])*)+$"},
        "change": {"enum": ["missing", "wrong_type", "null", "unknown_enum", "extra"]},
    }
    SCHEMA_KEYWORDS: ClassVar[JsonObject] = {"required": ["field", "change"]}

    field: str
    change: str

    def transform_response(self, response: EncodedResponse) -> EncodedResponse:
        try:
            body = orjson.loads(response.body)
        except orjson.JSONDecodeError:
            return response
        *parents, last = split_pointer(self.field)
        is_new, changes = self.change == "extra", 0
        # Lists: a change may remove what the iteration would visit next.
        for container in list(_iterate_values(body, parents)):
            for key in list(_matching_keys(container, last, is_new=is_new)):
                _apply_change(container, key, self.change)
                changes += 1
        if not changes and response.status < HTTPStatus.BAD_REQUEST:
            log.warning("the fault drift found no %s in a response", self.field)
        return response.with_body(orjson.dumps(body))


def _iterate_values(value: Json, steps: list[str]) -> Iterator[Json]:
    """Yield every value that the steps lead to."""
    if not steps:
        yield value
        return
    for key in _matching_keys(value, steps[0]):
        yield from _iterate_values(value[key], steps[1:])


def _matching_keys(value: Json, step: str, *, is_new: bool = False) -> Iterator[str | int]:
    """Yield the keys or indices that a step means; ``is_new`` allows a new key."""
    match value:
        case dict() if is_new or step in value:
            yield step
        case list() if step == "*":
            # From the end, so that a removal moves no index that comes later.
            yield from reversed(range(len(value)))
        case list() if step.isdecimal() and int(step) < len(value):
            yield int(step)


def _apply_change(container: Json, key: str | int, change: str) -> None:
    match change:
        case "missing":
            del container[key]
        case "extra":
            container[key] = "a field that the contract does not have"
        case "null":
            container[key] = None
        case "unknown_enum":
            container[key] = "soundstage_unknown"
        case _:
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
