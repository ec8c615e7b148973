"""Lists of runs: filters, order, pages, and how the runs ended."""

from collections.abc import Callable, Iterable, Iterator

from soundstage.apis.api import Answer, Call
from soundstage.apis.runwisp.described import described
from soundstage.types import Document, Json
from soundstage.world.clock import instant_of
from soundstage.world.page import nulls_first
from soundstage.world.query import Among, Aspect, Holds, Query, Test

SEARCH_BYTES = 100  # the rest of a search is cut off
END_REASONS = frozenset(
    "success failed stopped timeout crashed skipped log_overflow".split()
)
FAILURES = frozenset({"failed", "crashed", "timeout"})


def list_task_runs(call: Call) -> Answer:
    """A page of a task's runs; a task that is not there has none."""
    return _page(call, call.parameters["taskName"])


def list_all_runs(call: Call) -> Answer:
    """A page of the runs of all tasks, or of the one that is named."""
    return _page(call, call.parameters.get("task_name"))


def summarize(call: Call) -> Answer:
    """How many runs there are, and how they ended."""
    runs = call.collection("runs")
    failed = Query((_ended(FAILURES),), "end_at", descending=True, size=1)
    failures = runs.find(failed, call.now)
    body: Document = {
        "total": runs.find(Query(), call.now).total,
        "success": runs.find(Query((_ended({"success"}),)), call.now).total,
        "failed": failures.total,
    }
    if failures.documents:
        body["last_failure"] = failures.documents[0]["end_at"]
    return described(call, "RunSummary", body)


def _page(call: Call, task: str | None) -> Answer:
    """Newest first unless a field is named; then descending unless asked otherwise."""
    given = call.parameters
    field, direction = given.get("sort_field"), given.get("sort_direction")
    query = Query(
        tests=tuple(_tests(given.get("status"), _needle(given.get("search")))),
        order=_ORDERS[field or "created_at"],
        descending=not field or direction != "asc",
        start=given["offset"],
        size=given["limit"],
    )
    page = call.collection("runs").find(query, call.now, task or None)
    body = {"runs": page.documents, "total": page.total}
    return described(call, "RunsResponseBody", body)


def _tests(status: str | None, needle: str) -> Iterator[tuple[Aspect, Test]]:
    """An end reason is looked for among end reasons, any other word among phases."""
    if status in END_REASONS:
        yield _ended({status})
    elif status:
        yield "status", Among(frozenset({status}))
    if needle:
        yield _names, Holds(lambda names: any(needle in name for name in names))


def _ended(reasons: Iterable[str]) -> tuple[Aspect, Test]:
    return "end_reason", Among(frozenset(reasons))


def _needle(search: str | None) -> str:
    """What the real server looks for: SQL's wildcards are taken out, capitals too."""
    cut = (search or "").encode()[:SEARCH_BYTES].decode(errors="ignore")
    return _ascii_lower(cut.replace("%", "").replace("_", ""))


def _names(run: Document, _at: int) -> tuple[str, str]:
    """What is searched in."""
    return _ascii_lower(run["task_name"]), _ascii_lower(run["id"])


def _ascii_lower(text: str) -> str:
    return (
        text.encode().lower().decode()
    )  # bytes know ASCII capitals only, as LIKE does


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


def _then_by_id(key: Callable[[Document], Json]) -> Aspect:
    """The real server breaks no ties; here the id does, so that pages never overlap."""
    return lambda run, _at: (key(run), run["id"])


_ORDERS = {field: _then_by_id(key) for field, key in _KEYS.items()}
