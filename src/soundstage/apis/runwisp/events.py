"""What happens to runs, as a stream that can be taken up where it broke off."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.runwisp.resume import parse_last_event_id
from soundstage.types import Json, JsonObject
from soundstage.world.clock import SECOND
from soundstage.world.commands import Interrupt, Start
from soundstage.world.record import Record
from soundstage.world.scheduler import next_cron_tick

PING_INTERVAL = 30 * SECOND
"""Of the world's clock: how long nothing comes but a ping."""

IDS_PER_TIMESTAMP = 1_000
"""Ids for the events of one instant; an event's id is its instant times this, plus how
many events that instant had before it."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """One event of a run; ``run`` is the run as it was then."""

    timestamp: int
    name: str
    run: JsonObject


def stream_runs(context: RequestContext) -> Response:
    """Events from now on, or from the one after the last that arrived."""
    seen = parse_last_event_id(context)
    if seen is None:
        seen = (
            context.now * IDS_PER_TIMESTAMP
            + len(_list_events(context, context.now))
            - 1
        )
    return Response(
        media_type="text/event-stream", stream=_generate_events(context, seen)
    )


async def _generate_events(
    context: RequestContext, last_event_id: int
) -> AsyncIterator[Json]:
    """A ping at once and whenever it is time, and each event when it happens.

    A ping has the id of the event before it, so that a client that heard nothing else
    misses nothing either.
    """
    yield _build_ping(last_event_id)
    ping_at = context.now + PING_INTERVAL
    while True:
        for event_id, event in _assign_event_ids(
            _list_events(context, last_event_id // IDS_PER_TIMESTAMP)
        ):
            if event_id > last_event_id:
                last_event_id = event_id
                data = {"run": event.run}
                yield {"event": event.name, "id": event_id, "data": data}
        if context.now >= ping_at:
            yield _build_ping(last_event_id)
            ping_at = context.now + PING_INTERVAL
        context = await context.wait_for_change(
            min(ping_at, *_iter_next_changes(context))
        )


def _build_ping(event_id: int) -> Json:
    return {"event": "ping", "id": event_id, "data": {}}


def _assign_event_ids(events: list[RunEvent]) -> Iterator[tuple[int, RunEvent]]:
    """Each event with its id."""
    instant, before = None, 0
    for event in events:
        before = before + 1 if event.timestamp == instant else 0
        instant = event.timestamp
        yield instant * IDS_PER_TIMESTAMP + before, event


def _iter_next_changes(context: RequestContext) -> Iterator[int]:
    """When a run changes, or a task is due."""
    if (at := context.collection("runs").next_change(context.now)) is not None:
        yield at
    for task in context.world.state(context.api).definitions.tasks.values():
        if (
            "cron" in task
            and (at := next_cron_tick(task["cron"], context.now)) is not None
        ):
            yield at


def _list_events(context: RequestContext, since: int) -> list[RunEvent]:
    """All events from an instant on, in their order. O(runs)."""
    records = list(context.collection("runs"))
    found = [
        (event.timestamp, i, event)
        for i, record in enumerate(records)
        if record.last_changed_at >= since
        for event in _iter_run_events(record, since, context.now)
    ]
    ranks = _rank_commands(context, since, records) if found else {}
    found.sort(key=lambda e: (e[0], ranks.get((e[0], e[2].run["id"]), -1), e[1]))
    return [event for _, _, event in found]


def _iter_run_events(record: Record, since: int, now: int) -> Iterator[RunEvent]:
    """What happened to one run from an instant on, until now."""
    for i in range(bisect_left(record.timestamps, since), len(record.timestamps)):
        at, run = record.timestamps[i], record.versions[i]
        if at > now:
            break
        before = record.versions[i - 1] if i else None
        if run is not None and run != before:
            for name in _iter_event_names(before, run):
                yield RunEvent(at, name, run)


def _iter_event_names(previous: JsonObject | None, run: JsonObject) -> Iterator[str]:
    """What the events are called; a run that is skipped ends as it begins."""
    if previous is None:
        yield "run.created"
    if previous and previous["status"] == run["status"]:
        yield "run.updated"
    elif run["status"] == "running":
        yield "run.started"
    elif run["status"] == "ended":
        success = run.get("end_reason") == "success"
        yield "run.completed" if success else "run.failed"


def _rank_commands(
    context: RequestContext, since: int, records: list[Record]
) -> dict[tuple[int, str], int]:
    """Where commands of one instant stand in the log, by instant and run. O(log).

    What was drawn before has no rank and comes first; so an event that has an id keeps
    it, whatever is commanded later in the same instant.
    """
    ranks: dict[tuple[int, str], int] = {}
    started: dict[int, list[int]] = defaultdict(list)
    for i, entry in enumerate(context.world.log):
        command = entry.command
        if entry.timestamp < since or getattr(command, "api", None) != context.api:
            continue
        if isinstance(command, Start):
            started[entry.timestamp].append(i)
        elif isinstance(command, Interrupt):
            ranks.setdefault((entry.timestamp, command.run), i)
    for record in reversed(records):
        if places := started.get(record.created_at):
            ranks[record.created_at, record.id] = places.pop()
    return ranks
