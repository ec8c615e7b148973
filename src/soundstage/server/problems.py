"""Problem details (RFC 9457): how the server itself refuses."""

from http import HTTPStatus

from soundstage.apis.api import ApiError, Response, default_status
from soundstage.openapi.errors import Refused
from soundstage.world.errors import TooFar


class Problem(ApiError):
    """A control request that cannot be carried out, with the status that says so."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def clock_jump_problem(error: TooFar) -> Problem:
    """How a world whose clock has gone too far is refused."""
    return Problem(409, f"{error}; reset this world")


def render_error(error: Refused | ApiError) -> Response:
    """A refusal of the control API."""
    status = error.status if isinstance(error, Problem) else default_status(error)
    return render_problem(status, str(error))


def render_problem(status: int, detail: str) -> Response:
    """A problem of the server's own."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return Response(body, status, "application/problem+json")
