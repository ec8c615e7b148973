"""Algolia's error responses: a JSON object with a message."""

from soundstage.apis.api import ApiError, Forbidden, Response, default_status
from soundstage.openapi.errors import InvalidRequest, Unauthorized


def render_error(error: InvalidRequest | ApiError) -> Response:
    """Render the response to a rejected request."""
    match error:
        case Unauthorized() | Forbidden():
            status, message = 403, "Invalid Application-Id or API-Key"
        case _:
            status, message = default_status(error), str(error)
    return Response({"message": message}, status)
