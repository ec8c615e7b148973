"""Whether a task accepts runs: failures in a row disable it without any command.

Runs are indexed by their start. Those before the first unfinished run are settled:
their outcomes are counted once and then cached, until a run of the task is replaced.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final
from weakref import WeakKeyDictionary

from soundstage.types import JsonObject
from soundstage.world.clock import clamp_timestamp, format_rfc3339
from soundstage.world.record import Record
from soundstage.world.record_index import RecordIndex
from soundstage.world.state import State

DEFAULT_FAILURE_THRESHOLD: Final = 5
"""Failed runs in a row that disable a task whose policies name no other number."""

ACTIVE_STATUSES: Final = frozenset({"created", "started"})


def is_enabled(state: State, task: JsonObject, now: int) -> bool:
    """Return whether a task is enabled and has not failed too often since then.

    Takes as long as ``reaches_failure_threshold``.
    """
    # The last failure writes nothing to the task, because a read must not change state.
    if not task["enabled"]:
        return False
    policies = task.get("policies", {})
    threshold = policies.get("criticalThreshold", DEFAULT_FAILURE_THRESHOLD)
    record = state.collection("tasks").get_record(task["taskID"])
    since = ""
    if record:
        since = format_rfc3339(clamp_timestamp(_find_enabled_since(record, now)))
    runs = state.collection("runs").children_index(task["taskID"])
    return not reaches_failure_threshold(runs, since, threshold, now)


def _find_enabled_since(record: Record, now: int) -> int:
    """Return when a task was last enabled, or else when it was created."""
    since = record.created_at
    versions = zip(record.timestamps, record.versions, strict=True)
    for (_, old), (timestamp, new) in pairwise(versions):
        was_enabled = old and old["enabled"]
        if timestamp <= now and new and new["enabled"] and not was_enabled:
            since = timestamp
    return since


@dataclass(frozen=True, slots=True)
class SettledRuns:
    """The outcomes of a task's first ``count`` runs, settled since ``timestamp``.

    They hold while ``replaced_count`` records of the index have been replaced. Of the
    runs that finished after ``since`` (RFC 3339), the latest did at
    ``last_finished_at`` and ended a ``streak`` of failures, shorter than ``threshold``.
    """

    replaced_count: int
    timestamp: int
    since: str
    threshold: int
    count: int = 0
    last_finished_at: str = ""
    streak: int = 0


_CACHE: WeakKeyDictionary[RecordIndex, SettledRuns] = WeakKeyDictionary()


def has_active_run(index: RecordIndex, now: int) -> bool:
    """Return whether a run other than a push is in progress. O(runs not settled)."""
    settled, first = _CACHE.get(index), 0
    if settled and settled.replaced_count == index.replaced_count:
        first = settled.count if settled.timestamp <= now else 0
    return any(
        run["status"] in ACTIVE_STATUSES and run["type"] != "push"
        for run in _iter_runs(index, first, now)
    )


def reaches_failure_threshold(index: RecordIndex, since: str, threshold: int, now: int) -> bool:
    """Return whether ``threshold`` runs in a row failed, of those finished ``since``.

    O(runs not settled): those from the first unfinished run on.
    """
    unsettled = SettledRuns(index.replaced_count, now, since, threshold)
    settled = _CACHE.get(index, unsettled)
    key = settled.replaced_count, settled.since, settled.threshold
    if key != (index.replaced_count, since, threshold) or now < settled.timestamp:
        settled = unsettled
    finished = _select_finished(_iter_runs(index, settled.count, now), since)
    if finished and finished[0]["finishedAt"] <= settled.last_finished_at:
        # This run was still active, or did not exist, when others that finished later
        # were settled: their order is another one now.
        settled = unsettled
        finished = _select_finished(_iter_runs(index, 0, now), since)
    streak = settled.streak
    for run in finished:
        streak = _next_streak(streak, run)
        if streak == threshold:
            return True
    _CACHE[index] = _extend(index, settled, now)
    return False


def _extend(index: RecordIndex, settled: SettledRuns, now: int) -> SettledRuns:
    """Settle all runs before the first that is unfinished or will still change."""
    count, streak = settled.count, settled.streak
    last_finished_at = settled.last_finished_at
    newly_settled = []
    for record in index.visible_at(now, count):
        run = record.as_of(now)
        if record.last_changed_at > now or (run and run["status"] in ACTIVE_STATUSES):
            break
        count += 1
        if run is not None:
            newly_settled.append(run)
    for run in _select_finished(newly_settled, settled.since):
        streak, last_finished_at = _next_streak(streak, run), run["finishedAt"]
    return replace(
        settled, timestamp=now, count=count, last_finished_at=last_finished_at, streak=streak
    )


def _next_streak(streak: int, run: JsonObject) -> int:
    return streak + 1 if run["outcome"] == "failure" else 0


def _select_finished(runs: Iterable[JsonObject], since: str) -> list[JsonObject]:
    """Return the runs that finished after ``since``, in the order of their finish."""
    finished = (
        run
        for run in runs
        if run.get("outcome") is not None and (run.get("finishedAt") or "") > since
    )
    return sorted(finished, key=lambda run: str(run["finishedAt"]))


def _iter_runs(index: RecordIndex, first: int, now: int) -> Iterator[JsonObject]:
    runs = (record.as_of(now) for record in index.visible_at(now, first))
    return (run for run in runs if run is not None)
