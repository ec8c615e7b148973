"""RunWisp: runs of scheduled tasks."""

from collections.abc import Callable
from http import HTTPStatus

from soundstage.apis.api import (
    Answer,
    Api,
    ApiError,
    Call,
    NotFound,
    Sample,
    status_of,
)
from soundstage.contract.violation import (
    Refused,
    TooLarge,
    Unauthorized,
    Unrouted,
    Violation,
)
from soundstage.types import Document, Json
from soundstage.world.clock import instant_of, rfc3339
from soundstage.world.ids import ulid
from soundstage.world.page import nulls_first, ordered
from soundstage.world.record import Kind, Vocabulary

SEARCH_BYTES = 100  # the rest of a search is cut off
END_REASONS = frozenset(
    "success failed stopped timeout crashed skipped log_overflow".split()
)

VOCABULARY = Vocabulary.of(
    Kind("run", "runs", "id", ulid, "task_name", "#/components/schemas/Run"),
    at=lambda at, _: rfc3339(at),
)


def list_task_runs(call: Call) -> Answer:
    """A page of a task's runs; a task that is not there has none."""
    given = call.parameters
    runs = call.collection("runs").children(given["taskName"], call.now)
    return _runs_answer(call, runs)


def _runs_answer(call: Call, runs: list[Document]) -> Answer:
    given = call.parameters
    found = [
        run
        for run in runs
        if _has_status(run, given.get("status"))
        and _matches(run, _needle(given.get("search")))
    ]
    found = _sorted(found, given.get("sort_field"), given.get("sort_direction"))
    page = found[given["offset"] : given["offset"] + given["limit"]]
    return _described(call, "RunsResponseBody", {"runs": page, "total": len(found)})


def _has_status(run: Document, wanted: str | None) -> bool:
    """An end reason is looked for among end reasons, any other word among phases."""
    if not wanted:
        return True
    field = "end_reason" if wanted in END_REASONS else "status"
    return bool(run.get(field) == wanted)


def _needle(search: str | None) -> str:
    """What the real server looks for: SQL's wildcards are taken out, capitals too."""
    cut = (search or "").encode()[:SEARCH_BYTES].decode(errors="ignore")
    return _ascii_lower(cut.replace("%", "").replace("_", ""))


def _matches(run: Document, needle: str) -> bool:
    return not needle or any(
        needle in _ascii_lower(run[field]) for field in ("task_name", "id")
    )


def _ascii_lower(text: str) -> str:
    return (
        text.encode().lower().decode()
    )  # bytes know ASCII capitals only, as LIKE does


def _sorted(
    runs: list[Document], field: str | None, direction: str | None
) -> list[Document]:
    """Newest first unless a field is named; then descending unless asked otherwise.

    The real server breaks no ties; here the id does, so that pages never overlap.
    """
    descending = not field or direction != "asc"
    key = _KEYS[field or "created_at"]
    return ordered(runs, lambda run: (key(run), run["id"]), descending=descending)


def _duration(run: Document) -> int:
    if "start_at" not in run or "end_at" not in run:
        return 0
    return instant_of(run["end_at"]) - instant_of(run["start_at"])


_KEYS: dict[str, Callable[[Document], Json]] = {
    "task_name": lambda run: run["task_name"],
    "status": lambda run: run["status"],
    "start_at": lambda run: (
        run.get("start_at", run["created_at"]),
        run["created_at"],
    ),
    "exit_code": lambda run: nulls_first(run["exit_code"]),
    "duration": _duration,
    "created_at": lambda run: run["created_at"],
}


def _described(call: Call, schema: str, body: Document) -> Answer:
    """A body that names its schema, in itself and in a Link header."""
    path = f"/schemas/{schema}.json"
    link = (("Link", f'<{path}>; rel="describedBy"'),)
    return Answer({"$schema": call.base_url + path, **body}, headers=link)


def problem(error: Refused | ApiError) -> Answer:
    """RFC 9457 problem details; but a refused credential is plain text."""
    match error:
        case Unauthorized(missing=missing):
            text = "no token found" if missing else "token is unauthorized"
            return Answer(text, 401, "text/plain")
        case Unrouted() | TooLarge():
            return _problem(status_of(error), str(error))
        case NotFound():
            return _problem(404, "run not found")
        case Refused(violations=violations):
            errors = [_detail(violation) for violation in violations]
            return _problem(422, "validation failed", errors=errors)
        case _:
            return _problem(400, str(error))


def _problem(status: int, detail: str, **more: Json) -> Answer:
    title = HTTPStatus(status).phrase
    body = {"title": title, "status": status, "detail": detail, **more}
    return Answer(body, status, "application/problem+json")


def _detail(violation: Violation) -> Document:
    return {
        "message": _worded(violation),
        "location": violation.location,
        "value": violation.value,
    }


def _worded(violation: Violation) -> str:
    """As the real server's framework words it, where it knows the rule."""
    limit = violation.limit
    match violation.rule:
        case "minimum":
            return f"expected number >= {limit}"
        case "maximum":
            return f"expected number <= {limit}"
        case "enum":
            return f'expected value to be one of "{", ".join(map(str, limit))}"'
        case "pattern":
            return f"expected string to match pattern {limit}"
        case "minLength":
            return f"expected length >= {limit}"
        case "maxLength":
            return f"expected length <= {limit}"
        case "type":
            return f"invalid {' or '.join(limit or ['value'])}"
        case _:
            return violation.message


API = Api(
    name="runwisp",
    title="RunWisp",
    vocabulary=VOCABULARY,
    handlers={"getTaskRuns": list_task_runs},
    problem=problem,
    sample=Sample("GET", "/api/tasks/example/runs?limit=3"),
)
