"""Who goes first: what becomes of a run while others of its task are going on.

A run and its retries keep one place from the first to the last of them, the time in
between included: whoever waits for it waits for all. (The real daemon gives the place
away between two attempts.)
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from soundstage.apis.runwisp.tasks import Task
from soundstage.world.clock import MAX_TIMESTAMP
from soundstage.world.commands import Interrupt, Start
from soundstage.world.record import BEGINNING, Record
from soundstage.world.runs import Run
from soundstage.world.state import State

START_LATENCY = 100
"""More ms than a run needs to start once it may."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A place of a task: that of a run which goes on, or of one that will be retried.

    ``starts`` is when the run starts, or did; ``until``, when the place is free again.
    """

    run_id: str
    starts_at: int
    free_from: int
    is_active: bool = True


def build_start_commands(
    state: State, task: Task, timestamp: int, triggered_by: str
) -> list[Interrupt | Start]:
    """The commands by which a run of a task is started; the last one starts it.

    A policy for which the fixture lacks scenario, beginning or ending is none.
    """
    api, names = state.fixture.api, {"triggered_by": triggered_by}
    there = list(iter_occupied_slots(state, task.name, timestamp))
    match task.on_overlap if len(there) >= task.parallelism else None:
        case "skip" if "skipped" in state.definitions.scenarios:
            return [Start(api, task.name, "skipped", names)]
        case "terminate" if "stopped" in state.definitions.endings:
            return _build_replacement_commands(api, task, there, timestamp, names)
        case "queue" if "queued" in state.definitions.beginnings:
            wait = {"wait": find_free_timestamp(task, there) - timestamp}
            return [Start(api, task.name, names=names | wait, beginning="queued")]
        case _:
            return [Start(api, task.name, names=names)]


def find_free_timestamp(task: Task, occupied: list[Slot]) -> int:
    """When so few of those that are there are left that one more may start."""
    ends = sorted(place.free_from for place in occupied)
    return ends[len(ends) - task.parallelism]


def _build_replacement_commands(
    api: str, task: Task, occupied: list[Slot], timestamp: int, names: dict[str, str]
) -> list[Interrupt | Start]:
    """The oldest run makes room; for a retry that is to come, the new one will."""
    going_on = [place for place in occupied if place.is_active]
    if len(going_on) >= task.parallelism:
        oldest = Interrupt(api, going_on[0].run_id, "stopped")
        return [oldest, Start(api, task.name, names=names)]
    retry = min(place.starts_at for place in occupied if not place.is_active)
    return [
        Start(api, task.name, names=names, deadlines={"stopped": retry - timestamp})
    ]


def find_queue_move(
    state: State, task: Task, timestamp: int, moved_run_ids: Collection[str]
) -> Interrupt | None:
    """The command for the first in the queue that waits too long, or too short.

    To be asked again once it is carried out, with its run among those that ``moved``:
    the others wait for it. None if all stand where they should.
    """
    if "requeued" not in state.definitions.endings:
        return None
    there: list[Slot] = []
    for place in iter_occupied_slots(state, task.name, timestamp):
        waits = place.is_active and place.starts_at > timestamp + START_LATENCY
        if waits and place.run_id not in moved_run_ids:
            free = timestamp
            if len(there) >= task.parallelism:
                free = max(timestamp, find_free_timestamp(task, there))
            if not free <= place.starts_at <= free + START_LATENCY:
                # The fixture's scenario ``queued`` has a wait of its own; it is over.
                names = {"wait": free - timestamp, "queued_for": 0}
                return Interrupt(state.fixture.api, place.run_id, "requeued", names)
        there.append(place)
    return None


def iter_occupied_slots(state: State, task_name: str, timestamp: int) -> Iterator[Slot]:
    """Who has a place of a task at an instant, the oldest first.

    O(runs since the oldest that is not over): those before it are looked at once.
    """
    records = state.collection("runs").child_records(task_name)
    passed = _SETTLED_COUNTS.setdefault(state, {})
    for i in range(
        passed.get(task_name, 0), bisect_right(records, timestamp, key=_start_timestamp)
    ):
        if place := _find_slot(state, records[i], timestamp):
            yield place
        elif i == passed.get(task_name, 0):
            passed[task_name] = i + 1


_SETTLED_COUNTS: WeakKeyDictionary[State, dict[str, int]] = WeakKeyDictionary()
"""How many runs of a task, from the first on, are over for good in a state."""


def _find_slot(state: State, record: Record, timestamp: int) -> Slot | None:
    """The place of a run that has begun; None if it is over and nothing follows."""
    if state.initial_runs.find_summary(record.id):  # all of it is over
        return None
    document, run = record.as_of(timestamp), state.runs.get(record.id)
    if document and document["status"] != "ended":
        starts, end = (
            _find_status_timestamp(record, "running", timestamp),
            _find_status_timestamp(record, "ended"),
        )
        return Slot(record.id, starts, max(end, *_list_successor_ends(run)))
    if run and (to_come := [s for s in run.successors if s.started_at > timestamp]):
        return Slot(
            record.id,
            to_come[0].started_at,
            max(_list_successor_ends(run)),
            is_active=False,
        )
    return None


def _start_timestamp(record: Record) -> int:
    return record.created_at


def _list_successor_ends(run: Run | None) -> list[int]:
    """When the runs that follow one are over; it begins with no time at all."""
    ends = [BEGINNING]
    for successor in run.successors if run else ():
        ends += (
            _find_status_timestamp(successor.records[0], "ended"),
            *_list_successor_ends(successor),
        )
    return ends


def _find_status_timestamp(
    record: Record, status: str, default: int = MAX_TIMESTAMP
) -> int:
    """The first instant at which a run's record has this status, or is deleted."""
    for at, document in zip(record.timestamps, record.versions, strict=True):
        if document is None or document["status"] == status:
            return at
    return default
