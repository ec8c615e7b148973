"""Lists of runs: filters, order, pages, and how the runs ended."""

from collections.abc import Callable, Iterable, Iterator

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.runwisp.schema_links import build_described_response
from soundstage.types import Json, JsonObject
from soundstage.world.clock import parse_rfc3339
from soundstage.world.query import Field, In, Matches, Predicate, Query, nulls_first

MAX_SEARCH_BYTES = 100  # the rest of a search is cut off
END_REASONS = frozenset(
    "success failed stopped timeout crashed skipped log_overflow".split()
)
FAILURE_REASONS = frozenset({"failed", "crashed", "timeout"})


def list_task_runs(context: RequestContext) -> Response:
    """A page of a task's runs; a task that is not there has none."""
    return _render_run_page(context, context.parameters["taskName"])


def list_all_runs(context: RequestContext) -> Response:
    """A page of the runs of all tasks, or of the one that is named."""
    return _render_run_page(context, context.parameters.get("task_name"))


def summarize_runs(context: RequestContext) -> Response:
    """How many runs there are, and how they ended."""
    runs = context.collection("runs")
    failed = Query(
        (_match_end_reason(FAILURE_REASONS),), "end_at", descending=True, limit=1
    )
    failures = runs.find(failed, context.now)
    body: JsonObject = {
        "total": runs.find(Query(), context.now).total,
        "success": runs.find(
            Query((_match_end_reason({"success"}),)), context.now
        ).total,
        "failed": failures.total,
    }
    if failures.items:
        body["last_failure"] = failures.items[0]["end_at"]
    return build_described_response(context, "RunSummary", body)


def _render_run_page(context: RequestContext, task_name: str | None) -> Response:
    """Newest first unless a field is named; then descending unless asked otherwise."""
    given = context.parameters
    field, direction = given.get("sort_field"), given.get("sort_direction")
    query = Query(
        conditions=tuple(
            _build_predicates(
                given.get("status"), _normalize_search(given.get("search"))
            )
        ),
        order_by=_ORDERS[field or "created_at"],
        descending=not field or direction != "asc",
        offset=given["offset"],
        limit=given["limit"],
    )
    page = context.collection("runs").find(query, context.now, task_name or None)
    body = {"runs": page.items, "total": page.total}
    return build_described_response(context, "RunsResponseBody", body)


def _build_predicates(
    status: str | None, search_text: str
) -> Iterator[tuple[Field, Predicate]]:
    """An end reason is looked for among end reasons, any other word among phases."""
    if status in END_REASONS:
        yield _match_end_reason({status})
    elif status:
        yield "status", In(frozenset({status}))
    if search_text:
        yield (
            _searched_fields,
            Matches(lambda names: any(search_text in name for name in names)),
        )


def _match_end_reason(reasons: Iterable[str]) -> tuple[Field, Predicate]:
    return "end_reason", In(frozenset(reasons))


def _normalize_search(search: str | None) -> str:
    """What the real server looks for: SQL's wildcards are taken out, capitals too."""
    cut = (search or "").encode()[:MAX_SEARCH_BYTES].decode(errors="ignore")
    return _lower_ascii(cut.replace("%", "").replace("_", ""))


def _searched_fields(run: JsonObject, _timestamp: int) -> tuple[str, str]:
    """What is searched in."""
    return _lower_ascii(run["task_name"]), _lower_ascii(run["id"])


def _lower_ascii(text: str) -> str:
    return (
        text.encode().lower().decode()
    )  # bytes know ASCII capitals only, as LIKE does


def _run_duration(run: JsonObject) -> int:
    if "start_at" not in run or "end_at" not in run:
        return 0
    return parse_rfc3339(run["end_at"]) - parse_rfc3339(run["start_at"])


_SORT_KEYS: dict[str, Callable[[JsonObject], Json]] = {
    "task_name": lambda run: run["task_name"],
    "status": lambda run: run["status"],
    "start_at": lambda run: (
        run.get("start_at", run["created_at"]),
        run["created_at"],
    ),
    "exit_code": lambda run: nulls_first(run["exit_code"]),
    "duration": _run_duration,
    "created_at": lambda run: run["created_at"],
}


def _add_id_tiebreak(key: Callable[[JsonObject], Json]) -> Field:
    """The real server breaks no ties; here the id does, so that pages never overlap."""
    return lambda run, _at: (key(run), run["id"])


_ORDERS = {field: _add_id_tiebreak(key) for field, key in _SORT_KEYS.items()}
