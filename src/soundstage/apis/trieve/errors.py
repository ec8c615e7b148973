"""How Trieve refuses: a message that begins with the kind of error."""

from soundstage.apis.api import ApiError, Forbidden, NotFound, Response
from soundstage.openapi.errors import Refused, TooLarge, Unauthorized, Unrouted

NOT_FOUND_MESSAGES = {
    "datasets": "Could not find dataset",
    "chunks": "Chunk not found",
    "groups": "Group not found",
    "files": "File not found",
    "uploads": "File not found",
    "crawls": "Crawl not found",
}


class RejectedRequest(ApiError):
    """A valid request that cannot be carried out, in the real server's words."""

    status = 400


class TooManyItems(RejectedRequest):
    """More things at once than the server takes."""

    status = 413


class UrlExpired(RejectedRequest):
    """A presigned URL after its time."""

    status = 403


def render_error(error: Refused | ApiError) -> Response:
    """Trieve's error body."""
    match error:
        case Unauthorized():
            return _error_response(401, "Unauthorized")
        case Forbidden():
            return _error_response(403, "Forbidden")
        case Unrouted(allowed=allowed) if allowed:
            return _error_response(405, str(error))
        case Unrouted():
            return _error_response(404, f"Not Found: {error}")
        case TooLarge():
            return _error_response(413, str(error))
        case NotFound(collection=collection):
            return _error_response(
                404, f"Not Found: {NOT_FOUND_MESSAGES.get(collection, collection)}"
            )
        case Refused(violations=violations) if violations[0].place == "body":
            kind = "Syntax" if violations[0].rule == "json" else "Data"
            return _error_response(400, format_deserialization_error(kind, str(error)))
        case RejectedRequest(status=status):
            return _error_response(status, str(error))
        case _:
            return _error_response(400, f"BadRequest: {error}")


def format_deserialization_error(kind: str, text: str) -> str:
    """The message about a body that cannot be read."""
    return (
        f"Json Deserialization Error: *Type* : {kind} error in JSON | "
        f"*Message* : {text}"
    )


def _error_response(status: int, message: str) -> Response:
    return Response({"message": message}, status)
