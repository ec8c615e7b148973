"""The concurrency limit of a task: its slots, and the runs that wait for one.

A run keeps its slot until the last of its retries has ended, the delays in between
included. (The real daemon frees the slot between two attempts.)
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from soundstage.apis.runwisp.tasks import Task
from soundstage.world.clock import MAX_TIMESTAMP
from soundstage.world.commands import Interrupt, Start
from soundstage.world.record import BEGINNING, Record, get_created_at
from soundstage.world.runs import Run
from soundstage.world.state import State

START_LATENCY = 100
"""An upper bound (ms) of the time that a run takes to start once it has a slot."""


@dataclass(frozen=True, slots=True)
class Slot:
    """An occupied slot of a task: by a run (``is_active``) or for its next retry.

    The run or the retry starts at ``starts_at``; the slot is free from ``free_from``.
    """

    run_id: str
    starts_at: int
    free_from: int
    is_active: bool = True


def build_start_commands(
    state: State, task: Task, timestamp: int, triggered_by: str
) -> list[Interrupt | Start]:
    """Return the commands that start a run of a task; the last one starts it.

    The policy for overlapping runs is ignored if the fixture lacks the scenario, the
    beginning or the ending for it.
    """
    api, variables = state.fixture.api, {"triggered_by": triggered_by}
    occupied = list(iter_occupied_slots(state, task.name, timestamp))
    match task.on_overlap if len(occupied) >= task.parallelism else None:
        case "skip" if "skipped" in state.definitions.scenarios:
            return [Start(api, task.name, "skipped", variables)]
        case "terminate" if "stopped" in state.definitions.endings:
            return _build_replacement_commands(api, task, occupied, timestamp, variables)
        case "queue" if "queued" in state.definitions.beginnings:
            wait = {"wait": _find_free_timestamp(task, occupied) - timestamp}
            return [Start(api, task.name, names=variables | wait, beginning="queued")]
        case _:
            return [Start(api, task.name, names=variables)]


def _find_free_timestamp(task: Task, occupied: list[Slot]) -> int:
    """Return the first timestamp at which one of these slots is free for another run.

    There may be more of them than ``parallelism``, if it was changed or ignored.
    """
    ends = sorted(slot.free_from for slot in occupied)
    return ends[len(ends) - task.parallelism]


def _build_replacement_commands(
    api: str, task: Task, occupied: list[Slot], timestamp: int, names: dict[str, str]
) -> list[Interrupt | Start]:
    """Stop the oldest run; or stop the new run when a pending retry starts."""
    active = [slot for slot in occupied if slot.is_active]
    if len(active) >= task.parallelism:
        oldest = Interrupt(api, active[0].run_id, "stopped")
        return [oldest, Start(api, task.name, names=names)]
    retry = min(slot.starts_at for slot in occupied if not slot.is_active)
    deadlines = {"stopped": retry - timestamp}
    return [Start(api, task.name, names=names, deadlines=deadlines)]


def find_queue_move(
    state: State, task: Task, timestamp: int, moved_run_ids: Collection[str]
) -> Interrupt | None:
    """Return a command for the first queued run whose wait is too long or too short.

    Call it again after the command is applied, with the run added to
    ``moved_run_ids``, because the waits of later runs depend on it. Returns None when
    all waits are right.
    """
    if "requeued" not in state.definitions.endings:
        return None
    ahead: list[Slot] = []
    for slot in iter_occupied_slots(state, task.name, timestamp):
        is_queued = slot.is_active and slot.starts_at > timestamp + START_LATENCY
        if is_queued and slot.run_id not in moved_run_ids:
            free = timestamp
            if len(ahead) >= task.parallelism:
                free = max(timestamp, _find_free_timestamp(task, ahead))
            if not free <= slot.starts_at <= free + START_LATENCY:
                # The wait that the fixture's scenario ``queued`` has by itself is over.
                variables = {"wait": free - timestamp, "queued_for": 0}
                return Interrupt(state.fixture.api, slot.run_id, "requeued", variables)
        ahead.append(slot)
    return None


def iter_occupied_slots(state: State, task_name: str, timestamp: int) -> Iterator[Slot]:
    """Yield the slots of a task that are occupied at a timestamp, the oldest first.

    O(runs since the oldest that has not ended): those before it are inspected once.
    """
    records = state.collection("runs").child_records(task_name)
    settled = _SETTLED_COUNTS.setdefault(state, {})
    stop = bisect_right(records, timestamp, key=get_created_at)
    for i in range(settled.get(task_name, 0), stop):
        if slot := _find_slot(state, records[i], timestamp):
            yield slot
        elif i == settled.get(task_name, 0):
            settled[task_name] = i + 1


_SETTLED_COUNTS: WeakKeyDictionary[State, dict[str, int]] = WeakKeyDictionary()
"""By state and task, how many of the first runs have ended and have no retry."""


def _find_slot(state: State, record: Record, timestamp: int) -> Slot | None:
    """Return the slot of a started run; None if it has ended and no retry follows."""
    if state.initial_runs.find_summary(record.id):  # only runs that ended have one
        return None
    version, run = record.as_of(timestamp), state.runs.get(record.id)
    if version and version["status"] != "ended":
        starts_at = _find_status_timestamp(record, "running", timestamp)
        end = _find_status_timestamp(record, "ended")
        return Slot(record.id, starts_at, max(end, *_list_successor_ends(run)))
    successors = run.successors if run else ()
    pending = [s.started_at for s in successors if s.started_at > timestamp]
    if pending:
        free_from = max(_list_successor_ends(run))
        return Slot(record.id, pending[0], free_from, is_active=False)
    return None


def _list_successor_ends(run: Run | None) -> list[int]:
    """Return when the runs that follow a run end, after the beginning of time."""
    # The first item is for ``max``, which needs one even if no run follows.
    ends = [BEGINNING]
    for successor in run.successors if run else ():
        ends.append(_find_status_timestamp(successor.records[0], "ended"))
        ends += _list_successor_ends(successor)
    return ends


def _find_status_timestamp(record: Record, status: str, default: int = MAX_TIMESTAMP) -> int:
    """Return when a run first has a status or is deleted."""
    for timestamp, version in zip(record.timestamps, record.versions, strict=True):
        if version is None or version["status"] == status:
            return timestamp
    return default
