"""Who goes first: what becomes of a run while others of its task are going on.

A run and its retries keep one place from the first to the last of them, the time in
between included: whoever waits for it waits for all. (The real daemon gives the place
away between two attempts.)
"""

from bisect import bisect_right
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from soundstage.apis.runwisp.task import Task
from soundstage.world.clock import LATEST
from soundstage.world.log import Interrupt, Start
from soundstage.world.record import ALWAYS, Record
from soundstage.world.state import State
from soundstage.world.timeline import Run

LATENCY = 100
"""More ms than a run needs to start once it may."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place of a task: that of a run which goes on, or of one that will be retried.

    ``starts`` is when the run starts, or did; ``until``, when the place is free again.
    """

    run: str
    starts: int
    until: int
    goes_on: bool = True


def started(
    state: State, task: Task, at: int, triggered_by: str
) -> list[Interrupt | Start]:
    """The commands by which a run of a task is started; the last one starts it.

    A policy for which the fixture lacks scenario, beginning or ending is none.
    """
    api, names = state.fixture.api, {"triggered_by": triggered_by}
    there = list(places(state, task.name, at))
    match task.on_overlap if len(there) >= task.parallelism else None:
        case "skip" if "skipped" in state.script.scenarios:
            return [Start(api, task.name, "skipped", names)]
        case "terminate" if "stopped" in state.script.endings:
            return _instead(api, task, there, at, names)
        case "queue" if "queued" in state.script.beginnings:
            wait = {"wait": free_at(task, there) - at}
            return [Start(api, task.name, names=names | wait, beginning="queued")]
        case _:
            return [Start(api, task.name, names=names)]


def free_at(task: Task, there: list[Place]) -> int:
    """When so few of those that are there are left that one more may start."""
    ends = sorted(place.until for place in there)
    return ends[len(ends) - task.parallelism]


def _instead(
    api: str, task: Task, there: list[Place], at: int, names: dict[str, str]
) -> list[Interrupt | Start]:
    """The oldest run makes room; for a retry that is to come, the new one will."""
    going_on = [place for place in there if place.goes_on]
    if len(going_on) >= task.parallelism:
        oldest = Interrupt(api, going_on[0].run, "stopped")
        return [oldest, Start(api, task.name, names=names)]
    retry = min(place.starts for place in there if not place.goes_on)
    return [Start(api, task.name, names=names, deadlines={"stopped": retry - at})]


def moved_up(
    state: State, task: Task, at: int, moved: Collection[str]
) -> Interrupt | None:
    """The command for the first in the queue that waits too long, or too short.

    To be asked again once it is carried out, with its run among those that ``moved``:
    the others wait for it. None if all stand where they should.
    """
    if "requeued" not in state.script.endings:
        return None
    there: list[Place] = []
    for place in places(state, task.name, at):
        waits = place.goes_on and place.starts > at + LATENCY
        if waits and place.run not in moved:
            free = at
            if len(there) >= task.parallelism:
                free = max(at, free_at(task, there))
            if not free <= place.starts <= free + LATENCY:
                # The fixture's scenario ``queued`` has a wait of its own; it is over.
                names = {"wait": free - at, "queued_for": 0}
                return Interrupt(state.fixture.api, place.run, "requeued", names)
        there.append(place)
    return None


def places(state: State, task: str, at: int) -> Iterator[Place]:
    """Who has a place of a task at an instant, the oldest first.

    O(runs since the oldest that is not over): those before it are looked at once.
    """
    records = state.collection("runs").listed(task)
    passed = _PASSED.setdefault(state, {})
    for i in range(passed.get(task, 0), bisect_right(records, at, key=_began)):
        if place := _place(state, records[i], at):
            yield place
        elif i == passed.get(task, 0):
            passed[task] = i + 1


_PASSED: WeakKeyDictionary[State, dict[str, int]] = WeakKeyDictionary()
"""How many runs of a task, from the first on, are over for good in a state."""


def _place(state: State, record: Record, at: int) -> Place | None:
    """The place of a run that has begun; None if it is over and nothing follows."""
    if state.first.outline(record.id):  # all of it is over
        return None
    document, run = record.as_of(at), state.runs.get(record.id)
    if document and document["status"] != "ended":
        starts, end = _first(record, "running", at), _first(record, "ended")
        return Place(record.id, starts, max(end, *_ends(run)))
    if run and (to_come := [s for s in run.successors if s.at > at]):
        return Place(record.id, to_come[0].at, max(_ends(run)), goes_on=False)
    return None


def _began(record: Record) -> int:
    return record.began


def _ends(run: Run | None) -> list[int]:
    """When the runs that follow one are over; it begins with no time at all."""
    ends = [ALWAYS]
    for successor in run.successors if run else ():
        ends += _first(successor.records[0], "ended"), *_ends(successor)
    return ends


def _first(record: Record, status: str, otherwise: int = LATEST) -> int:
    """The first instant at which a run's record has this status, or is deleted."""
    for at, document in zip(record.times, record.documents, strict=True):
        if document is None or document["status"] == status:
            return at
    return otherwise
