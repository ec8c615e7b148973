"""Lists of runs: filters, order, pages, and how the runs ended."""

from collections import Counter
from collections.abc import Callable

from soundstage.apis.api import Answer, Call
from soundstage.apis.runwisp.described import described
from soundstage.types import Document, Json
from soundstage.world.clock import instant_of
from soundstage.world.page import nulls_first, ordered

SEARCH_BYTES = 100  # the rest of a search is cut off
END_REASONS = frozenset(
    "success failed stopped timeout crashed skipped log_overflow".split()
)
FAILURES = frozenset({"failed", "crashed", "timeout"})


def list_task_runs(call: Call) -> Answer:
    """A page of a task's runs; a task that is not there has none."""
    return _page(call, _runs(call, call.parameters["taskName"]))


def list_all_runs(call: Call) -> Answer:
    """A page of the runs of all tasks, or of the one that is named."""
    return _page(call, _runs(call, call.parameters.get("task_name")))


def summarize(call: Call) -> Answer:
    """How many runs there are, and how they ended. O(runs)."""
    runs = _runs(call, None)
    reasons = Counter(run.get("end_reason") for run in runs)
    body: Document = {
        "total": len(runs),
        "success": reasons["success"],
        "failed": sum(reasons[reason] for reason in FAILURES),
    }
    ends = [run["end_at"] for run in runs if run.get("end_reason") in FAILURES]
    if ends:
        body["last_failure"] = max(ends)
    return described(call, "RunSummary", body)


def _runs(call: Call, task: str | None) -> list[Document]:
    """The runs of a task, of all if none is named. O(those)."""
    runs = call.collection("runs")
    return runs.children(task, call.now) if task else runs.all(call.now)


def _page(call: Call, runs: list[Document]) -> Answer:
    given = call.parameters
    found = [
        run
        for run in runs
        if _has_status(run, given.get("status"))
        and _matches(run, _needle(given.get("search")))
    ]
    found = _sorted(found, given.get("sort_field"), given.get("sort_direction"))
    page = found[given["offset"] : given["offset"] + given["limit"]]
    return described(call, "RunsResponseBody", {"runs": page, "total": len(found)})


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
