"""Lists of runs: filters, order, pages, and a summary of how the runs ended."""

from collections.abc import Callable, Iterable, Iterator

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.runwisp.schema_links import build_described_response
from soundstage.types import Json, JsonObject
from soundstage.world.clock import parse_rfc3339
from soundstage.world.query import Field, In, Matches, Predicate, Query, nulls_first

MAX_SEARCH_BYTES = 100  # the rest of a search is ignored
END_REASONS = frozenset("success failed stopped timeout crashed skipped log_overflow".split())
FAILURE_REASONS = frozenset({"failed", "crashed", "timeout"})


def list_task_runs(context: RequestContext) -> Response:
    """Return a page of a task's runs; it is empty for an unknown task."""
    return _render_run_page(context, context.parameters["taskName"])


def list_all_runs(context: RequestContext) -> Response:
    """Return a page of the runs of all tasks, or of the task that is named."""
    return _render_run_page(context, context.parameters.get("task_name"))


def summarize_runs(context: RequestContext) -> Response:
    """Return the numbers of runs, and the time of the last failure."""
    runs, now = context.collection("runs"), context.now
    successes = runs.find(Query((_match_end_reason({"success"}),)), now)
    is_failure = _match_end_reason(FAILURE_REASONS)
    failures = runs.find(Query((is_failure,), "end_at", descending=True, limit=1), now)
    body: JsonObject = {
        "total": runs.find(Query(), now).total,
        "success": successes.total,
        "failed": failures.total,
    }
    if failures.items:
        body["last_failure"] = failures.items[0]["end_at"]
    return build_described_response(context, "RunSummary", body)


def _render_run_page(context: RequestContext, task_name: str | None) -> Response:
    """Render a page of runs: newest first, or by a field, descending by default."""
    parameters = context.parameters
    field, direction = parameters.get("sort_field"), parameters.get("sort_direction")
    search_text = _normalize_search(parameters.get("search"))
    query = Query(
        conditions=tuple(_build_predicates(parameters.get("status"), search_text)),
        order_by=_ORDERS[field or "created_at"],
        descending=not field or direction != "asc",
        offset=parameters["offset"],
        limit=parameters["limit"],
    )
    page = context.collection("runs").find(query, context.now, task_name or None)
    body = {"runs": page.items, "total": page.total}
    return build_described_response(context, "RunsResponseBody", body)


def _build_predicates(status: str | None, search_text: str) -> Iterator[tuple[Field, Predicate]]:
    """Yield the filters; ``status`` is an end reason or else a status."""
    if status in END_REASONS:
        yield _match_end_reason({status})
    elif status:
        yield "status", In(frozenset({status}))
    if search_text:
        contains = Matches(lambda fields: any(search_text in each for each in fields))
        yield _searched_fields, contains


def _match_end_reason(reasons: Iterable[str]) -> tuple[Field, Predicate]:
    return "end_reason", In(frozenset(reasons))


def _normalize_search(search: str | None) -> str:
    """Return the searched text as the real server does: without SQL's wildcards."""
    text = (search or "").encode()[:MAX_SEARCH_BYTES].decode(errors="ignore")
    return _lower_ascii(text.replace("%", "").replace("_", ""))


def _searched_fields(run: JsonObject, _timestamp: int) -> tuple[str, str]:
    return _lower_ascii(run["task_name"]), _lower_ascii(run["id"])


def _lower_ascii(text: str) -> str:
    # Like SQL's LIKE, the methods of bytes change ASCII letters only.
    return text.encode().lower().decode()


def _run_duration(run: JsonObject) -> int:
    if "start_at" not in run or "end_at" not in run:
        return 0
    return parse_rfc3339(run["end_at"]) - parse_rfc3339(run["start_at"])


_SORT_KEYS: dict[str, Callable[[JsonObject], Json]] = {
    "task_name": lambda run: run["task_name"],
    "status": lambda run: run["status"],
    "start_at": lambda run: (run.get("start_at", run["created_at"]), run["created_at"]),
    "exit_code": lambda run: nulls_first(run["exit_code"]),
    "duration": _run_duration,
    "created_at": lambda run: run["created_at"],
}


def _add_id_tiebreak(key: Callable[[JsonObject], Json]) -> Field:
    # The real server leaves ties unordered. Here pages must never overlap.
    return lambda run, _timestamp: (key(run), run["id"])


_ORDERS = {field: _add_id_tiebreak(key) for field, key in _SORT_KEYS.items()}
