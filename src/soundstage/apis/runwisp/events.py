"""What happens to runs, as a stream that can be taken up where it broke off."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from soundstage.apis.api import Answer, Call
from soundstage.apis.runwisp.resume import last_event
from soundstage.types import Document, Json
from soundstage.world.clock import SECOND
from soundstage.world.log import Interrupt, Start
from soundstage.world.record import Record
from soundstage.world.schedule import next_at

PING = 30 * SECOND
"""Of the world's clock: how long nothing comes but a ping."""

IN_ONE = 1_000
"""Ids for the events of one instant; an event's id is its instant times this, plus how
many events that instant had before it."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a run; ``run`` is the run as it was then."""

    at: int
    name: str
    run: Document


def stream(call: Call) -> Answer:
    """Events from now on, or from the one after the last that arrived."""
    seen = last_event(call)
    if seen is None:
        seen = call.now * IN_ONE + len(_happened(call, call.now)) - 1
    return Answer(media_type="text/event-stream", stream=_stream(call, seen))


async def _stream(call: Call, seen: int) -> AsyncIterator[Json]:
    """A ping at once and whenever it is time, and each event when it happens.

    A ping has the id of the event before it, so that a client that heard nothing else
    misses nothing either.
    """
    yield _ping(seen)
    ping_at = call.now + PING
    while True:
        for event_id, event in _numbered(_happened(call, seen // IN_ONE)):
            if event_id > seen:
                seen = event_id
                data = {"run": event.run}
                yield {"event": event.name, "id": event_id, "data": data}
        if call.now >= ping_at:
            yield _ping(seen)
            ping_at = call.now + PING
        call = await call.later(min(ping_at, *_next_changes(call)))


def _ping(seen: int) -> Json:
    return {"event": "ping", "id": seen, "data": {}}


def _numbered(events: list[Event]) -> Iterator[tuple[int, Event]]:
    """Each event with its id."""
    instant, before = None, 0
    for event in events:
        before = before + 1 if event.at == instant else 0
        instant = event.at
        yield instant * IN_ONE + before, event


def _next_changes(call: Call) -> Iterator[int]:
    """When a run changes, or a task is due."""
    if (at := call.collection("runs").next_change(call.now)) is not None:
        yield at
    for task in call.world.state(call.api).script.tasks.values():
        if "cron" in task and (at := next_at(task["cron"], call.now)) is not None:
            yield at


def _happened(call: Call, since: int) -> list[Event]:
    """All events from an instant on, in their order. O(runs)."""
    records = list(call.collection("runs"))
    found = [
        (event.at, i, event)
        for i, record in enumerate(records)
        if record.settled >= since
        for event in _events(record, since, call.now)
    ]
    ranks = _ranks(call, since, records) if found else {}
    found.sort(key=lambda e: (e[0], ranks.get((e[0], e[2].run["id"]), -1), e[1]))
    return [event for _, _, event in found]


def _events(record: Record, since: int, now: int) -> Iterator[Event]:
    """What happened to one run from an instant on, until now."""
    for i in range(bisect_left(record.times, since), len(record.times)):
        at, run = record.times[i], record.documents[i]
        if at > now:
            break
        before = record.documents[i - 1] if i else None
        if run is not None and run != before:
            for name in _names(before, run):
                yield Event(at, name, run)


def _names(before: Document | None, run: Document) -> Iterator[str]:
    """What the events are called; a run that is skipped ends as it begins."""
    if before is None:
        yield "run.created"
    if before and before["status"] == run["status"]:
        yield "run.updated"
    elif run["status"] == "running":
        yield "run.started"
    elif run["status"] == "ended":
        success = run.get("end_reason") == "success"
        yield "run.completed" if success else "run.failed"


def _ranks(call: Call, since: int, records: list[Record]) -> dict[tuple[int, str], int]:
    """Where commands of one instant stand in the log, by instant and run. O(log).

    What was drawn before has no rank and comes first; so an event that has an id keeps
    it, whatever is commanded later in the same instant.
    """
    ranks: dict[tuple[int, str], int] = {}
    started: dict[int, list[int]] = defaultdict(list)
    for i, entry in enumerate(call.world.log):
        command = entry.command
        if entry.at < since or getattr(command, "api", None) != call.api:
            continue
        if isinstance(command, Start):
            started[entry.at].append(i)
        elif isinstance(command, Interrupt):
            ranks.setdefault((entry.at, command.run), i)
    for record in reversed(records):
        if places := started.get(record.began):
            ranks[record.began, record.id] = places.pop()
    return ranks
