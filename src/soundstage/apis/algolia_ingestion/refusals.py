"""How Algolia refuses: an error body with a message."""

from soundstage.apis.api import Answer, ApiError, Forbidden, status_of
from soundstage.contract.violation import Refused, Unauthorized


def problem(error: Refused | ApiError) -> Answer:
    """The answer to a request that is refused."""
    match error:
        case Unauthorized() | Forbidden():
            return _message(403, "Invalid Application-Id or API-Key")
        case _:
            return _message(status_of(error), str(error))


def _message(status: int, message: str) -> Answer:
    return Answer({"message": message}, status)
