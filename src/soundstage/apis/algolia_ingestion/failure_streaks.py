"""The runs of a task that are over for good: they are looked at once, not every time.

Runs stand as they begin. Those before the first that is not over are passed, with what
they came to; they are looked at again when any run of the task is changed by hand.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakKeyDictionary

from soundstage.types import JsonObject
from soundstage.world.record_index import RecordIndex

ACTIVE_STATUSES: Final = frozenset({"created", "started"})


@dataclass(frozen=True, slots=True)
class SettledRuns:
    """The first ``count`` runs, as of ``at`` and later, with so many ``replaced``.

    Of those that ended after ``since``, the last did at ``latest``, and so many had
    failed in a ``row`` by then, never as many as ``most``.
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
    """Whether a run is under way; pushes go side by side. O(runs not passed)."""
    passed = _CACHE.get(index)
    if passed and (passed.replaced_count != index.replaced or now < passed.timestamp):
        passed = None
    return any(
        run["status"] in ACTIVE_STATUSES and run["type"] != "push"
        for run in _iter_runs(index, passed.count if passed else 0, now)
    )


def reaches_failure_threshold(
    index: RecordIndex, since: str, threshold: int, now: int
) -> bool:
    """Whether so many runs failed in a row, of those that ended after an instant.

    O(runs not passed), which are those since the oldest that is not over.
    """
    fresh = SettledRuns(index.replaced, now, since, threshold)
    passed = _CACHE.get(index, fresh)
    kept = passed.replaced_count, passed.since, passed.threshold
    if kept != (index.replaced, since, threshold) or now < passed.timestamp:
        passed = fresh
    ended = _select_finished(_iter_runs(index, passed.count, now), since)
    if ended and ended[0]["finishedAt"] <= passed.last_finished_at:
        # It was not over yet, or not there, when others that ended later were passed.
        passed = fresh
        ended = _select_finished(_iter_runs(index, 0, now), since)
    row = passed.streak
    for run in ended:
        row = _next_streak(row, run)
        if row == threshold:
            return True
    _CACHE[index] = _extend(index, passed, now)
    return False


def _extend(index: RecordIndex, settled: SettledRuns, now: int) -> SettledRuns:
    """Past all that are over by now, up to the first that is not."""
    count, row, latest = settled.count, settled.streak, settled.last_finished_at
    over = []
    for record in index.visible_at(now, count):
        run = record.as_of(now)
        if record.last_changed_at > now or (run and run["status"] in ACTIVE_STATUSES):
            break
        count += 1
        over.append(run)
    for run in _select_finished(filter(None, over), settled.since):
        row, latest = _next_streak(row, run), run["finishedAt"]
    return replace(
        settled, timestamp=now, count=count, last_finished_at=latest, streak=row
    )


def _next_streak(streak: int, run: JsonObject) -> int:
    return streak + 1 if run["outcome"] == "failure" else 0


def _select_finished(runs: Iterable[JsonObject], since: str) -> list[JsonObject]:
    """Those that ended since, in the order of that."""
    ended = (
        run
        for run in runs
        if run.get("outcome") is not None and (run.get("finishedAt") or "") > since
    )
    return sorted(ended, key=lambda run: str(run["finishedAt"]))


def _iter_runs(index: RecordIndex, first: int, now: int) -> Iterator[JsonObject]:
    there = (record.as_of(now) for record in index.visible_at(now, first))
    return (run for run in there if run is not None)
