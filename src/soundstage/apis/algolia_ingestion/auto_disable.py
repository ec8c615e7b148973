"""Whether a task takes runs: what was commanded, and what its runs made of it."""

from itertools import pairwise
from typing import Final

from soundstage.apis.algolia_ingestion.failure_streaks import reaches_failure_threshold
from soundstage.types import JsonObject
from soundstage.world.clock import clamp_timestamp, format_rfc3339
from soundstage.world.record import Record
from soundstage.world.state import State

DEFAULT_FAILURE_THRESHOLD: Final = 5
"""Failed runs in a row that disable a task, where its policies say nothing else."""


def is_enabled(state: State, task: JsonObject, now: int) -> bool:
    """Whether a task takes runs: it was enabled, and has not failed too often since.

    Nothing is written down when the last failure comes, so that reading changes
    nothing. As long as ``fails_too_often`` takes.
    """
    if not task["enabled"]:
        return False
    most = task.get("policies", {}).get("criticalThreshold", DEFAULT_FAILURE_THRESHOLD)
    record = state.collection("tasks").get_record(task["taskID"])
    since = (
        format_rfc3339(clamp_timestamp(find_enabled_since(record, now)))
        if record
        else ""
    )
    runs = state.collection("runs").children_index(task["taskID"])
    return not reaches_failure_threshold(runs, since, most, now)


def find_enabled_since(record: Record, now: int) -> int:
    """The last instant at which a task became enabled, or the one that it is from."""
    since = record.created_at
    versions = zip(record.timestamps, record.versions, strict=True)
    for (_, old), (at, new) in pairwise(versions):
        if at <= now and new and new["enabled"] and not (old and old["enabled"]):
            since = at
    return since
