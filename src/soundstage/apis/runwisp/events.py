"""The stream of run events, which a client can resume by ``Last-Event-ID``."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.runwisp.resume import parse_last_event_id
from soundstage.types import Json, JsonObject
from soundstage.world.clock import SECOND
from soundstage.world.commands import Interrupt, Start
from soundstage.world.cron import next_cron_tick
from soundstage.world.record import Record

PING_INTERVAL = 30 * SECOND
"""The interval between pings, in ms of the world's clock."""

IDS_PER_TIMESTAMP = 1_000
"""Ids for the events of one ms. An event's id is its timestamp times this, plus the
number of events before it at the same timestamp."""


@dataclass(frozen=True, slots=True)
class RunEvent:
    """An event of a run, with the run as of the event's timestamp."""

    timestamp: int
    name: str
    run: JsonObject


def stream_runs(context: RequestContext) -> Response:
    """Stream the events from now on, or those after the last that the client got."""
    last_event_id = parse_last_event_id(context)
    if last_event_id is None:
        past_events = _list_events(context, context.now)
        last_event_id = context.now * IDS_PER_TIMESTAMP + len(past_events) - 1
    return Response(media_type="text/event-stream", stream=_generate_events(context, last_event_id))


async def _generate_events(context: RequestContext, last_event_id: int) -> AsyncIterator[Json]:
    """Yield a ping at once and in intervals, and each event when it occurs."""
    # A ping has the id of the last event: a client that got nothing but pings can
    # resume from one without losing events.
    yield _build_ping(last_event_id)
    ping_at = context.now + PING_INTERVAL
    while True:
        # Commands may have added events at the timestamp of the last one.
        events = _list_events(context, last_event_id // IDS_PER_TIMESTAMP)
        for event_id, event in _assign_event_ids(events):
            if event_id > last_event_id:
                last_event_id = event_id
                data = {"run": event.run}
                yield {"event": event.name, "id": event_id, "data": data}
        if context.now >= ping_at:
            yield _build_ping(last_event_id)
            ping_at = context.now + PING_INTERVAL
        next_change = min(ping_at, *_iter_next_changes(context))
        context = await context.wait_for_change(next_change)


def _build_ping(event_id: int) -> Json:
    return {"event": "ping", "id": event_id, "data": {}}


def _assign_event_ids(events: list[RunEvent]) -> Iterator[tuple[int, RunEvent]]:
    timestamp, index = None, 0
    for event in events:
        index = index + 1 if event.timestamp == timestamp else 0
        timestamp = event.timestamp
        yield timestamp * IDS_PER_TIMESTAMP + index, event


def _iter_next_changes(context: RequestContext) -> Iterator[int]:
    """Yield the timestamps of the next change of a run and of each task's next tick."""
    timestamp = context.collection("runs").next_change(context.now)
    if timestamp is not None:
        yield timestamp
    for task in context.state.definitions.tasks.values():
        if "cron" in task:
            timestamp = next_cron_tick(task["cron"], context.now)
            if timestamp is not None:
                yield timestamp


def _list_events(context: RequestContext, since: int) -> list[RunEvent]:
    """Return all events from a timestamp until now, in their order. O(runs)."""
    records = list(context.collection("runs"))
    events = [
        (event.timestamp, i, event)
        for i, record in enumerate(records)
        if record.last_changed_at >= since
        for event in _iter_run_events(record, since, context.now)
    ]
    # Events of one timestamp are in the order of the commands that caused them.
    ranks = _rank_commands(context, since, records) if events else {}
    events.sort(key=lambda e: (e[0], ranks.get((e[0], e[2].run["id"]), -1), e[1]))
    return [event for _, _, event in events]


def _iter_run_events(record: Record, since: int, now: int) -> Iterator[RunEvent]:
    """Yield the events of one run from a timestamp until now."""
    for i in range(bisect_left(record.timestamps, since), len(record.timestamps)):
        timestamp, run = record.timestamps[i], record.versions[i]
        if timestamp > now:
            break
        previous = record.versions[i - 1] if i else None
        if run is not None and run != previous:
            for name in _iter_event_names(previous, run):
                yield RunEvent(timestamp, name, run)


def _iter_event_names(previous: JsonObject | None, run: JsonObject) -> Iterator[str]:
    """Yield the names of the events of a version; a skipped run ends at its start."""
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
    """Return the position in the command log by timestamp and run id. O(log).

    Generated changes have no position and come first. So the id of an event stays the
    same, whatever commands follow at the same timestamp.
    """
    ranks: dict[tuple[int, str], int] = {}
    starts: dict[int, list[int]] = defaultdict(list)
    for i, entry in enumerate(context.world.log):
        command = entry.command
        if entry.timestamp < since or getattr(command, "api", None) != context.api:
            continue
        if isinstance(command, Start):
            starts[entry.timestamp].append(i)
        elif isinstance(command, Interrupt):
            ranks.setdefault((entry.timestamp, command.run), i)
    # A Start does not contain the id of its run; of those at the same timestamp, the
    # last command started the last record.
    for record in reversed(records):
        if positions := starts.get(record.created_at):
            ranks[record.created_at, record.id] = positions.pop()
    return ranks
