"""Trigger.dev's errors and their response bodies: ``{"error": ...}``."""

from soundstage.apis.api import ApiError, Headers, NotFound, Response
from soundstage.openapi.errors import (
    BodyTooLarge,
    InvalidRequest,
    RouteNotFound,
    Unauthorized,
    Violation,
)
from soundstage.world.clock import SECOND

MAX_TAGS = 10
"""Tags that one run may have."""

REQUESTS_PER_MINUTE = 1_200


class RejectedRequest(ApiError):
    """A valid request cannot be carried out; the message is the real server's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def build_tag_limit_error(count: int) -> RejectedRequest:
    """Return the error for a run with too many tags."""
    message = f"Runs can only have {MAX_TAGS} tags, you're trying to set {count}."
    return RejectedRequest(422, message)


_ERROR_TITLES = {"path": "Params Error", "query": "Query Error", "header": "Headers Error"}


def render_error(error: InvalidRequest | ApiError) -> Response:
    """Return the error response of an invalid or rejected request."""
    # Some messages of the real server are missing in the enums of its contract. The
    # contract has priority, as generated clients parse responses by it.
    match error:
        case Unauthorized():
            return Response({"error": "Invalid or Missing API key"}, 401)
        case RouteNotFound(allowed=allowed) if allowed:
            return Response({"error": "Method not allowed"}, 405)
        case RouteNotFound():
            return Response({"error": "Not found"}, 404)
        case BodyTooLarge():
            return Response({"error": str(error)}, 413)
        case NotFound(collection="runs"):
            # The official client retries, as a run may be stored after its start.
            headers = (("x-should-retry", "true"),)
            return Response({"error": "Run not found"}, 404, headers=headers)
        # All other operations with an id in their path are of batches.
        case NotFound():
            return Response({"error": "Batch not found"}, 404)
        case RejectedRequest(status=status, message=message):
            return Response({"error": message}, status)
        case InvalidRequest(violations=violations):
            return _render_invalid_request(violations)
        case _:
            return Response({"error": str(error)}, 400)


def _render_invalid_request(violations: tuple[Violation, ...]) -> Response:
    """Return a 400 with all violations, or a 422 if all are lists of too many tags."""
    if all(map(_has_too_many_tags, violations)):
        return render_error(build_tag_limit_error(len(violations[0].value)))
    title = _ERROR_TITLES.get(violations[0].location)
    if title is None:
        texts = (f"{_format_message(v)}{_format_path(v)}" for v in violations)
        return Response({"error": f"Validation error: {'; '.join(texts)}"}, 400)
    details = [
        {"code": v.rule, "path": [v.name, *v.path], "message": _format_message(v)}
        for v in violations
    ]
    return Response({"error": title, "details": details}, 400)


def _has_too_many_tags(violation: Violation) -> bool:
    tags = violation.value
    return violation.path[-1:] == ("tags",) and isinstance(tags, list) and len(tags) > MAX_TAGS


def _format_path(violation: Violation) -> str:
    path = ".".join(map(str, violation.path))
    return f' at "{path}"' if path else ""


def _format_message(violation: Violation) -> str:
    """Return the message of a violation, in the real server's words if these differ."""
    if violation.path[-1:] in {("delay",), ("ttl",)}:
        return f"Invalid {violation.path[-1]}: {violation.value}"
    if violation.name == "filter" and violation.path == ("status",):
        # The contract has a pattern: the names in it are the statuses that exist.
        known = set(str(violation.constraint).strip("^()$*").replace(")", "|").split("|"))
        unknown = (name for name in violation.value.split(",") if name not in known)
        return f"Invalid status values: {', '.join(unknown)}"
    return violation.message


def build_rate_limit_headers(seconds: int, now: int) -> Headers:
    """Return the headers of a 429, for a wait of ``seconds`` from ``now`` (ms)."""
    # The official client waits until x-ratelimit-reset, in ms since the epoch.
    return (
        ("x-ratelimit-limit", str(REQUESTS_PER_MINUTE)),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", str(now + seconds * SECOND)),
    )
