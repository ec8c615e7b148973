"""The runs of a task that are over for good: they are looked at once, not every time.

Runs stand as they begin. Those before the first that is not over are passed, with what
they came to; they are looked at again when any run of the task is changed by hand.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final
from weakref import WeakKeyDictionary

from soundstage.types import Document
from soundstage.world.rows import Rows

UNDER_WAY: Final = frozenset({"created", "started"})


@dataclass(frozen=True, slots=True)
class Passed:
    """The first ``count`` runs, as of ``at`` and later, with so many ``replaced``.

    Of those that ended after ``since``, the last did at ``latest``, and so many had
    failed in a ``row`` by then, never as many as ``most``.
    """

    replaced: int
    at: int
    since: str
    most: int
    count: int = 0
    latest: str = ""
    row: int = 0


_PASSED: WeakKeyDictionary[Rows, Passed] = WeakKeyDictionary()


def is_busy(rows: Rows, now: int) -> bool:
    """Whether a run is under way; pushes go side by side. O(runs not passed)."""
    passed = _PASSED.get(rows)
    if passed and (passed.replaced != rows.replaced or now < passed.at):
        passed = None
    return any(
        run["status"] in UNDER_WAY and run["type"] != "push"
        for run in _runs(rows, passed.count if passed else 0, now)
    )


def fails_too_often(rows: Rows, since: str, most: int, now: int) -> bool:
    """Whether so many runs failed in a row, of those that ended after an instant.

    O(runs not passed), which are those since the oldest that is not over.
    """
    fresh = Passed(rows.replaced, now, since, most)
    passed = _PASSED.get(rows, fresh)
    kept = passed.replaced, passed.since, passed.most
    if kept != (rows.replaced, since, most) or now < passed.at:
        passed = fresh
    ended = _ended(_runs(rows, passed.count, now), since)
    if ended and ended[0]["finishedAt"] <= passed.latest:
        # It was not over yet, or not there, when others that ended later were passed.
        passed = fresh
        ended = _ended(_runs(rows, 0, now), since)
    row = passed.row
    for run in ended:
        row = _counted(row, run)
        if row == most:
            return True
    _PASSED[rows] = _further(rows, passed, now)
    return False


def _further(rows: Rows, passed: Passed, now: int) -> Passed:
    """Past all that are over by now, up to the first that is not."""
    count, row, latest = passed.count, passed.row, passed.latest
    over = []
    for record in rows.begun(now, count):
        run = record.as_of(now)
        if record.settled > now or (run and run["status"] in UNDER_WAY):
            break
        count += 1
        over.append(run)
    for run in _ended(filter(None, over), passed.since):
        row, latest = _counted(row, run), run["finishedAt"]
    return replace(passed, at=now, count=count, latest=latest, row=row)


def _counted(row: int, run: Document) -> int:
    return row + 1 if run["outcome"] == "failure" else 0


def _ended(runs: Iterable[Document], since: str) -> list[Document]:
    """Those that ended since, in the order of that."""
    ended = (
        run
        for run in runs
        if run.get("outcome") is not None and (run.get("finishedAt") or "") > since
    )
    return sorted(ended, key=lambda run: str(run["finishedAt"]))


def _runs(rows: Rows, first: int, now: int) -> Iterator[Document]:
    there = (record.as_of(now) for record in rows.begun(now, first))
    return (run for run in there if run is not None)
