"""Cached outcomes of settled runs give the same results as inspecting all runs."""

from random import Random

import pytest

from soundstage.apis.algolia_ingestion.auto_disable import (
    ACTIVE_STATUSES,
    has_active_run,
    reaches_failure_threshold,
)
from soundstage.apis.algolia_ingestion.model import MODEL
from soundstage.world.record import Record
from soundstage.world.record_index import RecordIndex

RUN = MODEL.record_types["run"]


def to_text(timestamp):
    return f"{timestamp:04}"


def build_run(number, start, duration, outcome, *, is_push=False):
    """Build a run; without a duration it never ends."""
    started = {"status": "started", "type": "push" if is_push else "reindex"}
    if duration is None:
        return Record(RUN, f"{number}", (start,), (started,))
    end = to_text(start + duration)
    ended = {**started, "status": "finished", "outcome": outcome, "finishedAt": end}
    timestamps = (start, start + duration) if duration else (start,)
    versions = (started, ended)[-len(timestamps) :]
    return Record(RUN, f"{number}", timestamps, versions)


DURATIONS = (0, 1, 1, 3, 3, 8, 30, None)
OUTCOMES = ("failure", "failure", "failure", "success")


def list_runs(index, now):
    return [run for run in index.all(now) if run]


def has_streak(index, since, threshold, now):
    """Return whether so many runs failed in a row, by inspecting all of them."""
    ended = [r for r in list_runs(index, now) if r.get("finishedAt", "") > since]
    ended.sort(key=lambda run: run["finishedAt"])
    return "f" * threshold in "".join(run["outcome"][0] for run in ended)


@pytest.mark.parametrize("seed", range(400))
def test_settled_runs_make_no_difference(seed):
    random, index, now = Random(seed), RecordIndex(), 0
    for number in range(40):
        now += random.randint(0, 3)
        if random.random() < 0.7:
            duration = random.choice(DURATIONS[: seed % 8 + 1])
            is_push = random.random() < 0.2
            outcome = random.choice(OUTCOMES)
            index.add(build_run(number, now, duration, outcome, is_push=is_push))
        elif index.records and seed % 2 and random.random() < 0.2:
            old = random.choice(index.records)
            duration = random.choice((0, 0, None))  # it has ended, or starts again
            run = build_run(number, now, duration, random.choice(OUTCOMES))
            version = None if random.random() < 0.2 else run.last_version
            index.replace(old, old.replace_from(now, version))
        # Sometimes the past is read, of which less is settled.
        timestamp = now - random.choice((0, 0, 0, 0, 0, 0, 9))
        runs = list_runs(index, timestamp)
        active = [run for run in runs if run["status"] in ACTIVE_STATUSES]
        expected = any(run["type"] != "push" for run in active)
        assert has_active_run(index, timestamp) == expected
        since = to_text(random.choice((0, 0, 0, 9)))
        threshold = random.choice((4, 4, 4, 3))
        expected = has_streak(index, since, threshold, timestamp)
        assert reaches_failure_threshold(index, since, threshold, timestamp) == expected


def test_ended_runs_are_inspected_once():
    inspected = []

    class Watched(Record):
        def as_of(self, now):
            inspected.append(self.id)
            return super().as_of(now)

    index = RecordIndex()
    for n in range(1_000):
        run = build_run(n, n * 10, 5, "failure" if n % 4 else "success")
        index.add(Watched(RUN, run.id, run.timestamps, run.versions))
    assert not reaches_failure_threshold(index, "", 5, 9_000)
    inspected.clear()
    assert not reaches_failure_threshold(index, "", 5, 9_010)
    assert has_active_run(index, 9_011)
    assert len(inspected) <= 10
