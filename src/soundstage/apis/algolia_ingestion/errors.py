"""How Algolia refuses: an error body with a message."""

from soundstage.apis.api import ApiError, Forbidden, Response, default_status
from soundstage.openapi.errors import InvalidRequest, Unauthorized


def render_error(error: InvalidRequest | ApiError) -> Response:
    """The answer to a request that is refused."""
    match error:
        case Unauthorized() | Forbidden():
            return _render_message(403, "Invalid Application-Id or API-Key")
        case _:
            return _render_message(default_status(error), str(error))


def _render_message(status: int, message: str) -> Response:
    return Response({"message": message}, status)
