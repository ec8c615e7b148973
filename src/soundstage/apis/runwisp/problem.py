"""Every refusal, in RunWisp's own words."""

from http import HTTPStatus

from soundstage.apis.api import (
    Answer,
    ApiError,
    NotFound,
    status_of,
)
from soundstage.contract.violation import (
    Refused,
    TooLarge,
    Unauthorized,
    Unrouted,
    Violation,
)
from soundstage.types import Document, Json

NOT_FOUND = {
    "tasks": "task not found",
    "runs": "run not found",
    "logs": "Run not found",
    "schemas": "schema not found",
}
NO_TRIGGER = "API triggering disabled for this task"
IS_SERVICE = "services cannot be triggered; use the restart endpoint"
NO_SERVICE = "task is not a service"
NOT_RUNNING = "run is not currently running"
NOT_OVER = "cannot delete a run that is still pending or running; stop it first"

BAD_CHALLENGE = "Invalid or expired challenge"
BAD_PASSWORD = "Invalid password"  # noqa: S105 - what is said, not a secret


class NotLoggedIn(ApiError):
    """Logging in failed; the text says why."""


def problem(error: Refused | ApiError) -> Answer:
    """RFC 9457 problem details; but what refuses a credential is plain text."""
    match error:
        case Unauthorized(missing=missing):
            text = "no token found" if missing else "token is unauthorized"
            return Answer(text, 401, "text/plain")
        case NotLoggedIn():
            return Answer(str(error), 401, "text/plain")
        case Unrouted() | TooLarge():
            return _problem(status_of(error), str(error))
        case NotFound(collection=collection):
            return _problem(404, NOT_FOUND.get(collection, str(error)))
        case Refused(violations=violations):
            # Logging in alone takes a body, and its route is none of the framework's.
            if any(violation.place == "body" for violation in violations):
                return Answer("Invalid request", 400, "text/plain")
            errors = [_detail(violation) for violation in violations]
            return _problem(422, "validation failed", errors=errors)
        case _:
            return _problem(status_of(error), str(error))


def _problem(status: int, detail: str, **more: Json) -> Answer:
    title = HTTPStatus(status).phrase
    body = {"title": title, "status": status, "detail": detail, **more}
    return Answer(body, status, "application/problem+json")


def _detail(violation: Violation) -> Document:
    return {
        "message": _worded(violation),
        "location": violation.location,
        "value": violation.value,
    }


def _worded(violation: Violation) -> str:
    """As the real server's framework words it, where it knows the rule."""
    limit = violation.limit
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
