"""Problem details (RFC 9457): how the server itself refuses."""

from http import HTTPStatus

from soundstage.apis.api import Answer, ApiError, NotFound
from soundstage.contract.violation import Refused, TooLarge, Unauthorized, Unrouted


class Problem(ApiError):
    """A control request that cannot be carried out, with the status that says so."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


def problem(error: Refused | ApiError) -> Answer:
    """A refusal of the control API."""
    match error:
        case Problem(status=status):
            pass
        case Unauthorized():
            status = 401
        case Unrouted(allowed=allowed):
            status = 405 if allowed else 404
        case NotFound():
            status = 404
        case TooLarge():
            status = 413
        case _:
            status = 400
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
