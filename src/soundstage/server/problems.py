"""Problem details (RFC 9457): the error responses of the server itself."""

import logging
from http import HTTPStatus

from soundstage.apis.api import ApiError, Response, default_status
from soundstage.openapi.errors import InvalidRequest, InvalidResponse, Violation
from soundstage.world.errors import ClockJumpTooLarge

log = logging.getLogger("soundstage")

_MEDIA_TYPE = "application/problem+json"


class Problem(ApiError):
    """A request to the server itself that is rejected with this status."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def clock_jump_problem(error: ClockJumpTooLarge) -> Problem:
    """Return the problem of a request to a world whose clock has gone too far."""
    return Problem(409, f"{error}; reset this world")


def render_error(error: InvalidRequest | ApiError) -> Response:
    """Render an error as a response of the control API."""
    status = error.status if isinstance(error, Problem) else default_status(error)
    return render_problem(status, str(error))


def render_problem(status: int, detail: str) -> Response:
    """Render a problem as a response.

    >>> response = render_problem(404, "no world 'b'")
    >>> response.body["title"], response.media_type
    ('Not Found', 'application/problem+json')
    """
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return Response(body, status, _MEDIA_TYPE)


def render_failure(error: Exception) -> tuple[Response, tuple[Violation, ...]]:
    """Render an exception that is a bug, ours or a handler's, as a 500, and log it.

    The second value has the violations of a response that is invalid.
    """
    body = {"type": "about:blank", "title": "Soundstage failed", "status": 500}
    violations: tuple[Violation, ...] = ()
    if isinstance(error, InvalidResponse):
        violations = error.violations
        detail = f"our own response violates the contract: {error}"
        body["violations"] = [violation.to_json() for violation in violations]
        log.error("%s", detail)
    else:
        detail = f"{type(error).__name__}: {error}"
        log.error("a handler failed", exc_info=error)
    return Response({**body, "detail": detail}, 500, _MEDIA_TYPE), violations
