"""How Trigger.dev refuses: who may see what, and its error bodies."""

from soundstage.apis.api import ApiError, Headers, NotFound, RequestContext, Response
from soundstage.openapi.errors import (
    Refused,
    TooLarge,
    Unauthorized,
    Unrouted,
    Violation,
)
from soundstage.types import Document
from soundstage.world.clock import SECOND

MAX_TAGS = 10  # of one run
REQUESTS_PER_MINUTE = 1_200  # in a minute, what x-ratelimit-limit says


class RejectedRequest(ApiError):
    """The server will not do it; ``text`` is what it says."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


def get_own_record(
    context: RequestContext, collection: str, record_id: str
) -> Document:
    """A record of the caller's own environment, others' are not there.

    Raises ``NotFound``.
    """
    document = context.get(collection, record_id)
    if document["environment"] != context.credential["environment"]:
        raise NotFound(collection, record_id)
    return document


def build_tag_limit_error(count: int) -> RejectedRequest:
    """The refusal of more tags than a run may have."""
    text = f"Runs can only have {MAX_TAGS} tags, you're trying to set {count}."
    return RejectedRequest(422, text)


_ERROR_TITLES = {
    "path": "Params Error",
    "query": "Query Error",
    "header": "Headers Error",
}


def render_error(error: Refused | ApiError) -> Response:
    """Trigger.dev's error body: ``error``, and ``details`` of a bad request.

    Where the real server's words differ from the enums of its contract, the contract
    wins: generated clients parse by it.
    """
    match error:
        case Unauthorized():
            return Response({"error": "Invalid or Missing API key"}, 401)
        case Unrouted(allowed=allowed) if allowed:
            return Response({"error": "Method not allowed"}, 405)
        case Unrouted():
            return Response({"error": "Not found"}, 404)
        case TooLarge():
            return Response({"error": str(error)}, 413)
        case NotFound(collection="runs"):
            retry = (("x-should-retry", "true"),)
            return Response({"error": "Run not found"}, 404, headers=retry)
        case NotFound():
            return Response({"error": "Batch not found"}, 404)
        case RejectedRequest(status=status, message=text):
            return Response({"error": text}, status)
        case Refused(violations=violations):
            return _render_invalid_request(violations)
        case _:
            return Response({"error": str(error)}, 400)


def _render_invalid_request(violations: tuple[Violation, ...]) -> Response:
    """400; but 422 where there are too many tags and nothing else is wrong."""
    if all(map(_has_too_many_tags, violations)):
        return render_error(build_tag_limit_error(len(violations[0].value)))
    part = _ERROR_TITLES.get(violations[0].place)
    if part is None:
        texts = (f"{_format_message(v)}{_format_path(v)}" for v in violations)
        return Response({"error": f"Validation error: {'; '.join(texts)}"}, 400)
    details = [
        {"code": v.rule, "path": [v.name, *v.path], "message": _format_message(v)}
        for v in violations
    ]
    return Response({"error": part, "details": details}, 400)


def _has_too_many_tags(violation: Violation) -> bool:
    tags = violation.value
    return (
        violation.path[-1:] == ("tags",)
        and isinstance(tags, list)
        and len(tags) > MAX_TAGS
    )


def _format_path(violation: Violation) -> str:
    path = ".".join(map(str, violation.path))
    return f' at "{path}"' if path else ""


def _format_message(violation: Violation) -> str:
    """What is wrong; of a list of statuses, those that there are not."""
    if violation.path[-1:] in {("delay",), ("ttl",)}:
        return f"Invalid {violation.path[-1]}: {violation.value}"
    if violation.name == "filter" and violation.path == ("status",):
        known = set(str(violation.limit).strip("^()$*").replace(")", "|").split("|"))
        strange = (name for name in violation.value.split(",") if name not in known)
        return f"Invalid status values: {', '.join(strange)}"
    return violation.message


def build_rate_limit_headers(seconds: int, now: int) -> Headers:
    """Of a 429; the official client waits until ``x-ratelimit-reset``, in unix ms."""
    return (
        ("x-ratelimit-limit", str(REQUESTS_PER_MINUTE)),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", str(now + seconds * SECOND)),
    )
