"""How Trieve refuses: a message that begins with the kind of error."""

from soundstage.apis.api import Answer, ApiError, Forbidden, NotFound
from soundstage.contract.violation import Refused, TooLarge, Unauthorized, Unrouted

MISSING = {
    "datasets": "Could not find dataset",
    "chunks": "Chunk not found",
    "groups": "Group not found",
    "files": "File not found",
    "uploads": "File not found",
    "crawls": "Crawl not found",
}


class BadRequest(ApiError):
    """A valid request that cannot be carried out, in the real server's words."""

    status = 400


class TooMany(BadRequest):
    """More things at once than the server takes."""

    status = 413


class Expired(BadRequest):
    """A presigned URL after its time."""

    status = 403


def problem(error: Refused | ApiError) -> Answer:
    """Trieve's error body."""
    match error:
        case Unauthorized():
            return _message(401, "Unauthorized")
        case Forbidden():
            return _message(403, "Forbidden")
        case Unrouted(allowed=allowed) if allowed:
            return _message(405, str(error))
        case Unrouted():
            return _message(404, f"Not Found: {error}")
        case TooLarge():
            return _message(413, str(error))
        case NotFound(collection=collection):
            return _message(404, f"Not Found: {MISSING.get(collection, collection)}")
        case Refused(violations=violations) if violations[0].place == "body":
            kind = "Syntax" if violations[0].rule == "json" else "Data"
            return _message(400, deserialization(kind, str(error)))
        case BadRequest(status=status):
            return _message(status, str(error))
        case _:
            return _message(400, f"BadRequest: {error}")


def deserialization(kind: str, text: str) -> str:
    """The message about a body that cannot be read."""
    return (
        f"Json Deserialization Error: *Type* : {kind} error in JSON | "
        f"*Message* : {text}"
    )


def _message(status: int, message: str) -> Answer:
    return Answer({"message": message}, status)
