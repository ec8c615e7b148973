"""Whether a task takes runs: what was commanded, and what its runs made of it."""

from itertools import pairwise
from typing import Final

from soundstage.types import Document
from soundstage.world.clock import rfc3339, within_years
from soundstage.world.query import Above, Between, Query
from soundstage.world.record import Record
from soundstage.world.state import State

MOST_FAILURES: Final = 5
"""Failed runs in a row that disable a task, where its policies say nothing else."""


def is_enabled(state: State, task: Document, now: int) -> bool:
    """Whether a task takes runs: it was enabled, and has not failed too often since.

    Nothing is written down when the last failure comes, so that reading changes
    nothing. O(runs of the task).
    """
    if not task["enabled"]:
        return False
    most = task.get("policies", {}).get("criticalThreshold", MOST_FAILURES)
    ended = _ended(state, task["taskID"], now)
    runs = state.collection("runs")
    row = 0
    for run in runs.find(ended, now, task["taskID"]).documents:
        row = row + 1 if run["outcome"] == "failure" else 0
        if row == most:
            return False
    return True


ALL: Final = 2**62


def _ended(state: State, task_id: str, now: int) -> Query:
    """Its runs that ended since it was last enabled, in the order of that."""
    record = state.collection("tasks").record(task_id)
    since = rfc3339(within_years(enabled_since(record, now))) if record else ""
    tests = ("outcome", Between()), ("finishedAt", Above(since))
    return Query(tests, "finishedAt", count=ALL)


def enabled_since(record: Record, now: int) -> int:
    """The last instant at which a task became enabled, or the one that it is from."""
    since = record.began
    versions = zip(record.times, record.documents, strict=True)
    for (_, old), (at, new) in pairwise(versions):
        if at <= now and new and new["enabled"] and not (old and old["enabled"]):
            since = at
    return since
