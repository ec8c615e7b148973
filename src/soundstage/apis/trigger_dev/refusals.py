"""How Trigger.dev refuses: who may see what, and its error bodies."""

from soundstage.apis.api import Answer, ApiError, Call, Headers, NotFound
from soundstage.contract.violation import (
    Refused,
    TooLarge,
    Unauthorized,
    Unrouted,
    Violation,
)
from soundstage.types import Document
from soundstage.world.clock import SECOND

MOST_TAGS = 10  # of one run
REQUESTS = 1_200  # in a minute, what x-ratelimit-limit says


class Declined(ApiError):
    """The server will not do it; ``text`` is what it says."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status, self.text = status, text


def own(call: Call, collection: str, record_id: str) -> Document:
    """A record of the caller's own environment, others' are not there.

    Raises ``NotFound``.
    """
    document = call.get(collection, record_id)
    if document["environment"] != call.credential["environment"]:
        raise NotFound(collection, record_id)
    return document


def too_many_tags(count: int) -> Declined:
    """The refusal of more tags than a run may have."""
    text = f"Runs can only have {MOST_TAGS} tags, you're trying to set {count}."
    return Declined(422, text)


_PARTS = {"path": "Params Error", "query": "Query Error", "header": "Headers Error"}


def problem(error: Refused | ApiError) -> Answer:
    """Trigger.dev's error body: ``error``, and ``details`` of a bad request.

    Where the real server's words differ from the enums of its contract, the contract
    wins: generated clients parse by it.
    """
    match error:
        case Unauthorized():
            return Answer({"error": "Invalid or Missing API key"}, 401)
        case Unrouted(allowed=allowed) if allowed:
            return Answer({"error": "Method not allowed"}, 405)
        case Unrouted():
            return Answer({"error": "Not found"}, 404)
        case TooLarge():
            return Answer({"error": str(error)}, 413)
        case NotFound(collection="runs"):
            retry = (("x-should-retry", "true"),)
            return Answer({"error": "Run not found"}, 404, headers=retry)
        case NotFound():
            return Answer({"error": "Batch not found"}, 404)
        case Declined(status=status, text=text):
            return Answer({"error": text}, status)
        case Refused(violations=violations):
            return _bad_request(violations)
        case _:
            return Answer({"error": str(error)}, 400)


def _bad_request(violations: tuple[Violation, ...]) -> Answer:
    """400; but 422 where there are too many tags and nothing else is wrong."""
    if all(map(_has_too_many_tags, violations)):
        return problem(too_many_tags(len(violations[0].value)))
    part = _PARTS.get(violations[0].place)
    if part is None:
        texts = (f"{_worded(v)}{_at(v)}" for v in violations)
        return Answer({"error": f"Validation error: {'; '.join(texts)}"}, 400)
    details = [
        {"code": v.rule, "path": [v.name, *v.path], "message": _worded(v)}
        for v in violations
    ]
    return Answer({"error": part, "details": details}, 400)


def _has_too_many_tags(violation: Violation) -> bool:
    tags = violation.value
    return (
        violation.path[-1:] == ("tags",)
        and isinstance(tags, list)
        and len(tags) > MOST_TAGS
    )


def _at(violation: Violation) -> str:
    path = ".".join(map(str, violation.path))
    return f' at "{path}"' if path else ""


def _worded(violation: Violation) -> str:
    """What is wrong; of a list of statuses, those that there are not."""
    if violation.path[-1:] in {("delay",), ("ttl",)}:
        return f"Invalid {violation.path[-1]}: {violation.value}"
    if violation.name == "filter" and violation.path == ("status",):
        known = set(str(violation.limit).strip("^()$*").replace(")", "|").split("|"))
        strange = (name for name in violation.value.split(",") if name not in known)
        return f"Invalid status values: {', '.join(strange)}"
    return violation.message


def rate_limit(seconds: int, now: int) -> Headers:
    """Of a 429; the official client waits until ``x-ratelimit-reset``, in unix ms."""
    return (
        ("x-ratelimit-limit", str(REQUESTS)),
        ("x-ratelimit-remaining", "0"),
        ("x-ratelimit-reset", str(now + seconds * SECOND)),
    )
