"""Problem details (RFC 9457): how the server itself refuses."""

from http import HTTPStatus

from soundstage.apis.api import Answer, ApiError, status_of
from soundstage.contract.violation import Refused
from soundstage.world.errors import TooFar


class Problem(ApiError):
    """A control request that cannot be carried out, with the status that says so."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def too_far(error: TooFar) -> Problem:
    """How a world whose clock has gone too far is refused."""
    return Problem(409, f"{error}; reset this world")


def problem(error: Refused | ApiError) -> Answer:
    """A refusal of the control API."""
    status = error.status if isinstance(error, Problem) else status_of(error)
    return problem_answer(status, str(error))


def problem_answer(status: int, detail: str) -> Answer:
    """A problem of the server's own."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return Answer(body, status, "application/problem+json")
