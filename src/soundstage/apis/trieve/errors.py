"""Trieve's errors and their response bodies: ``{"message": ...}``.

ApiError
└── RejectedRequest     400
    ├── TooManyItems    413
    └── UrlExpired      403
"""

from soundstage.apis.api import ApiError, Forbidden, NotFound, Response
from soundstage.openapi.errors import BodyTooLarge, InvalidRequest, RouteNotFound, Unauthorized

NOT_FOUND_MESSAGES = {
    "datasets": "Could not find dataset",
    "chunks": "Chunk not found",
    "groups": "Group not found",
    "files": "File not found",
    "uploads": "File not found",
    "crawls": "Crawl not found",
}


class RejectedRequest(ApiError):
    """A valid request cannot be carried out; the message is the real server's."""

    status = 400


class TooManyItems(RejectedRequest):
    """A request has more items than the server accepts."""

    status = 413


class UrlExpired(RejectedRequest):
    """A presigned URL has expired."""

    status = 403


def render_error(error: InvalidRequest | ApiError) -> Response:
    """Return the error response of an invalid or rejected request."""
    match error:
        case Unauthorized():
            return _error_response(401, "Unauthorized")
        case Forbidden():
            return _error_response(403, "Forbidden")
        case RouteNotFound(allowed=allowed) if allowed:
            return _error_response(405, str(error))
        case RouteNotFound():
            return _error_response(404, f"Not Found: {error}")
        case BodyTooLarge():
            return _error_response(413, str(error))
        case NotFound(collection=collection):
            message = NOT_FOUND_MESSAGES.get(collection, collection)
            return _error_response(404, f"Not Found: {message}")
        case InvalidRequest(violations=violations) if violations[0].location == "body":
            kind = "Syntax" if violations[0].rule == "json" else "Data"
            return _error_response(400, format_deserialization_error(kind, str(error)))
        case RejectedRequest(status=status):
            return _error_response(status, str(error))
        case _:
            return _error_response(400, f"BadRequest: {error}")


def format_deserialization_error(kind: str, text: str) -> str:
    """Return the message for a body that cannot be parsed.

    >>> format_deserialization_error("Data", "missing field `name`")[:50]
    'Json Deserialization Error: *Type* : Data error in'
    """
    return f"Json Deserialization Error: *Type* : {kind} error in JSON | *Message* : {text}"


def _error_response(status: int, message: str) -> Response:
    return Response({"message": message}, status)
