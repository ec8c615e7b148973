"""What a run writes: pages of its lines, and its lines as they come."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import accumulate

from soundstage.apis.api import Answer, Call, NotFound
from soundstage.apis.runwisp.described import described
from soundstage.apis.runwisp.resume import last_event
from soundstage.types import Document, Json
from soundstage.world.errors import Unknown

PAGE = 1_000
"""Lines that a page has unless the client says how many."""


@dataclass(frozen=True, slots=True)
class Log:
    """A run's log as of one instant; a full one lost its first lines, or its last.

    ``lines`` are those that were kept, ``total`` counts those that were lost at the
    front too, ``dropped`` those that were lost at the end.
    """

    lines: list[Document]
    total: int
    dropped: int
    is_final: bool

    @property
    def first(self) -> int:
        """The number of the first line that is still there."""
        return self.total - len(self.lines)

    def anchor(self, start: int) -> int:
        """The number of a line; below 0 it counts back from the end."""
        return max(start + self.total if start < 0 else start, self.first)

    def since(self, number: int) -> list[Document]:
        """The lines from this number on."""
        return self.lines[max(number - self.first, 0) :]


def page(call: Call) -> Answer:
    """Lines of a run's log, from one of them on."""
    log, given = _log(call), call.parameters
    lines = log.since(log.anchor(given["from"]))[: given.get("limit", PAGE)]
    body = {
        "lines": lines,
        "first_available": log.first,
        "total_lines": log.total,
        "truncated": log.first > 0,
        "finalized": log.is_final,
    }
    return described(call, "LogPageBody", body)


def stream(call: Call) -> Answer:
    """A run's log from one of its lines on, until the run has ended.

    The client's last event wins over ``from``, unless it is none of ours.
    """
    log, start, last = _log(call), call.parameters["from"], last_event(call)
    if last is not None and last >= 0:
        start = last + 1
    start = log.anchor(start) if start < 0 else start
    return Answer(media_type="text/event-stream", stream=_events(call, start))


async def _events(call: Call, following: int) -> AsyncIterator[Json]:
    first = dropped = 0
    while True:
        log = _log(call)
        if log.first > max(first, following):
            yield {"event": "rotated", "data": {"first_available": log.first}}
        first = max(first, log.first)
        for line in log.since(following):
            yield {"event": "line", "id": line["n"], "data": line}
            following = line["n"] + 1
        if log.dropped > dropped:
            lost = {"after": log.total - 1, "count": log.dropped - dropped}
            yield {"event": "dropped", "data": lost}
        dropped = log.dropped
        if log.is_final:
            break
        call = await call.later(_next_change(call))
    done = {"final_line": log.total - 1, "status": "ended"}
    yield {"event": "done", "data": done}


def _next_change(call: Call) -> int | None:
    """When the run or its log is another one. O(its lines)."""
    run = call.world.state(call.api).runs.get(call.parameters["runId"])
    changes = (record.next_after(call.now) for record in run.records) if run else ()
    return min((at for at in changes if at is not None), default=None)


def _log(call: Call) -> Log:
    """The log as of now, after what its task says of full ones. O(lines).

    Raises ``NotFound`` for a run that is not there, or not of the task in the path.
    """
    run_id, name = call.parameters["runId"], call.parameters["taskName"]
    run = call.collection("runs").get(run_id, call.now)
    if run is None or run["task_name"] != name:
        raise NotFound("logs", run_id)
    written = call.collection("lines").children(run_id, call.now)
    lines = [
        {"n": n, "ts": line["ts"], "stream": line["stream"], "text": line["text"]}
        for n, line in enumerate(written)
    ]
    ended = run["status"] == "ended"
    policy = _policy(call, name)
    match policy.get("log_on_full"):
        case "drop_old" if "log_max_size" in policy:
            kept = _fitting(lines[::-1], policy["log_max_size"])
            return Log(lines[len(lines) - kept :], len(lines), 0, ended)
        case "drop_new" if "log_max_size" in policy:
            kept = _fitting(lines, policy["log_max_size"])
            return Log(lines[:kept], kept, len(lines) - kept, ended)
        case _:
            return Log(lines, len(lines), 0, ended)


def _fitting(lines: list[Document], size: int) -> int:
    """How many of these lines have room in so many bytes."""
    sizes = accumulate(len(line["text"].encode()) + 1 for line in lines)
    return sum(1 for total in sizes if total <= size)


def _policy(call: Call, name: str) -> Document:
    try:
        return call.world.state(call.api).script.task(name)
    except Unknown:
        return {}
