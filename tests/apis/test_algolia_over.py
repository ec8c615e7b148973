"""A task's runs that are over are passed, and it is told as if all were looked at."""

import random

import pytest

from soundstage.apis.algolia_ingestion.failure_streaks import (
    ACTIVE_STATUSES,
    has_active_run,
    reaches_failure_threshold,
)
from soundstage.apis.algolia_ingestion.model import MODEL
from soundstage.world.record import Record
from soundstage.world.record_index import RecordIndex

RUN = MODEL.record_types["run"]


def moment(at):
    return f"{at:04}"


def run(number, began, lasts, outcome, *, is_push=False):
    """A run that starts and, unless it lasts for ever, ends after so long."""
    started = {"status": "started", "type": "push" if is_push else "reindex"}
    if lasts is None:
        return Record(RUN, f"{number}", (began,), (started,))
    end = moment(began + lasts)
    over = {**started, "status": "finished", "outcome": outcome, "finishedAt": end}
    times = (began, began + lasts) if lasts else (began,)
    return Record(RUN, f"{number}", times, (started, over)[-len(times) :])


LASTING = (0, 1, 1, 3, 3, 8, 30, None)
OUTCOMES = ("failure", "failure", "failure", "success")


def every_run(rows, now):
    return [run for run in rows.all(now) if run]


def looked_at(rows, since, most, now):
    """Whether so many failed in a row, by looking at all."""
    ended = [r for r in every_run(rows, now) if r.get("finishedAt", "") > since]
    ended.sort(key=lambda run: run["finishedAt"])
    told = "".join(run["outcome"][0] for run in ended)
    return "f" * most in told


@pytest.mark.parametrize("seed", range(400))
def test_what_was_passed_makes_no_difference(seed):
    draws, rows, now = random.Random(seed), RecordIndex(), 0
    for number in range(40):
        now += draws.randint(0, 3)
        if draws.random() < 0.7:
            lasts, is_push = draws.choice(LASTING[: seed % 8 + 1]), draws.random() < 0.2
            outcome = draws.choice(OUTCOMES)
            rows.add(run(number, now, lasts, outcome, is_push=is_push))
        elif rows.records and seed % 2 and draws.random() < 0.2:
            old = draws.choice(rows.records)
            lasts = draws.choice((0, 0, None))  # it is over, or started again
            last = run(number, now, lasts, draws.choice(OUTCOMES)).last_version
            last = None if draws.random() < 0.2 else last
            rows.replace(old, old.replace_from(now, last))
        asked = now - draws.choice((0, 0, 0, 0, 0, 0, 9))
        under_way = [
            r for r in every_run(rows, asked) if r["status"] in ACTIVE_STATUSES
        ]
        expected = any(run["type"] != "push" for run in under_way)
        assert has_active_run(rows, asked) == expected
        since, most = moment(draws.choice((0, 0, 0, 9))), draws.choice((4, 4, 4, 3))
        expected = looked_at(rows, since, most, asked)
        assert reaches_failure_threshold(rows, since, most, asked) == expected


def test_runs_that_are_over_are_looked_at_once():
    looks = []

    class Watched(Record):
        def as_of(self, now):
            looks.append(self.id)
            return super().as_of(now)

    rows = RecordIndex()
    for n in range(1_000):
        made = run(n, n * 10, 5, "failure" if n % 4 else "success")
        rows.add(Watched(RUN, made.id, made.timestamps, made.versions))
    assert not reaches_failure_threshold(rows, "", 5, 9_000)
    looks.clear()
    assert not reaches_failure_threshold(rows, "", 5, 9_010)
    assert has_active_run(rows, 9_011)
    assert len(looks) <= 10
