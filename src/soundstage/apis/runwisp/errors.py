"""RunWisp's error responses, with the messages of the real daemon."""

from http import HTTPStatus

from soundstage.apis.api import ApiError, NotFound, Response, default_status
from soundstage.openapi.errors import (
    BodyTooLarge,
    InvalidRequest,
    RouteNotFound,
    Unauthorized,
    Violation,
)
from soundstage.types import Json, JsonObject

# The real daemon's messages differ in their case.
NOT_FOUND_MESSAGES = {
    "tasks": "task not found",
    "runs": "run not found",
    "logs": "Run not found",
    "schemas": "schema not found",
}
TRIGGER_DISABLED = "API triggering disabled for this task"
SERVICE_NOT_TRIGGERABLE = "services cannot be triggered; use the restart endpoint"
NOT_A_SERVICE = "task is not a service"
RUN_NOT_RUNNING = "run is not currently running"
RUN_NOT_ENDED = "cannot delete a run that is still pending or running; stop it first"

INVALID_CHALLENGE = "Invalid or expired challenge"
INVALID_PASSWORD = "Invalid password"  # noqa: S105 - a message, not a secret


class LoginFailed(ApiError):
    """A log-in failed; with the reason as its message."""


def render_error(error: InvalidRequest | ApiError) -> Response:
    """Render problem details (RFC 9457), or plain text for a failed authentication."""
    match error:
        case Unauthorized(missing=missing):
            text = "no token found" if missing else "token is unauthorized"
            return Response(text, 401, "text/plain")
        case LoginFailed():
            return Response(str(error), 401, "text/plain")
        case RouteNotFound() | BodyTooLarge():
            return _render_problem(default_status(error), str(error))
        case NotFound(collection=collection):
            return _render_problem(404, NOT_FOUND_MESSAGES.get(collection, str(error)))
        case InvalidRequest(violations=violations):
            # Only the log-in has a body, and the real daemon's framework does not
            # handle it: its errors are plain text.
            if any(violation.location == "body" for violation in violations):
                return Response("Invalid request", 400, "text/plain")
            errors = [_render_violation(violation) for violation in violations]
            return _render_problem(422, "validation failed", errors=errors)
        case _:
            return _render_problem(default_status(error), str(error))


def _render_problem(status: int, detail: str, **members: Json) -> Response:
    title = HTTPStatus(status).phrase
    body = {"title": title, "status": status, "detail": detail, **members}
    return Response(body, status, "application/problem+json")


def _render_violation(violation: Violation) -> JsonObject:
    return {
        "message": _render_message(violation),
        "location": violation.display_path,
        "value": violation.value,
    }


def _render_message(violation: Violation) -> str:
    """Return the message of the real daemon's framework for the violated keyword."""
    limit = violation.constraint
    match violation.rule:
        case "minimum":
            return f"expected number >= {limit}"
        case "maximum":
            return f"expected number <= {limit}"
        case "enum":
            return f'expected value to be one of "{", ".join(map(str, limit))}"'
        case "pattern":
            return f"expected string to match pattern {limit}"
        case "minLength":
            return f"expected length >= {limit}"
        case "maxLength":
            return f"expected length <= {limit}"
        case "type":
            return f"invalid {' or '.join(limit or ['value'])}"
        case _:
            return violation.message
