"""What a run writes: pages of its lines, and its lines as they come."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import accumulate

from soundstage.apis.api import NotFound, RequestContext, Response
from soundstage.apis.runwisp.resume import parse_last_event_id
from soundstage.apis.runwisp.schema_links import build_described_response
from soundstage.types import Json, JsonObject
from soundstage.world.errors import UnknownName

DEFAULT_PAGE_SIZE = 1_000
"""Lines that a page has unless the client says how many."""


@dataclass(frozen=True, slots=True)
class RunLog:
    """A run's log as of one instant; a full one lost its first lines, or its last.

    ``lines`` are those that were kept, ``total`` counts those that were lost at the
    front too, ``dropped`` those that were lost at the end.
    """

    lines: list[JsonObject]
    total_count: int
    dropped_count: int
    is_final: bool

    @property
    def first_number(self) -> int:
        """The number of the first line that is still there."""
        return self.total_count - len(self.lines)

    def resolve_number(self, start: int) -> int:
        """The number of a line; below 0 it counts back from the end."""
        return max(start + self.total_count if start < 0 else start, self.first_number)

    def lines_from(self, number: int) -> list[JsonObject]:
        """The lines from this number on."""
        return self.lines[max(number - self.first_number, 0) :]


def retrieve_log_page(context: RequestContext) -> Response:
    """Lines of a run's log, from one of them on."""
    log, given = _load_log(context), context.parameters
    lines = log.lines_from(log.resolve_number(given["from"]))[
        : given.get("limit", DEFAULT_PAGE_SIZE)
    ]
    body = {
        "lines": lines,
        "first_available": log.first_number,
        "total_lines": log.total_count,
        "truncated": log.first_number > 0,
        "finalized": log.is_final,
    }
    return build_described_response(context, "LogPageBody", body)


def stream_log(context: RequestContext) -> Response:
    """A run's log from one of its lines on, until the run has ended.

    The client's last event wins over ``from``, unless it is none of ours.
    """
    log, start, last = (
        _load_log(context),
        context.parameters["from"],
        parse_last_event_id(context),
    )
    if last is not None and last >= 0:
        start = last + 1
    start = log.resolve_number(start) if start < 0 else start
    return Response(
        media_type="text/event-stream", stream=_generate_log_events(context, start)
    )


async def _generate_log_events(
    context: RequestContext, next_number: int
) -> AsyncIterator[Json]:
    first = dropped = 0
    while True:
        log = _load_log(context)
        if log.first_number > max(first, next_number):
            yield {"event": "rotated", "data": {"first_available": log.first_number}}
        first = max(first, log.first_number)
        for line in log.lines_from(next_number):
            yield {"event": "line", "id": line["n"], "data": line}
            next_number = line["n"] + 1
        if log.dropped_count > dropped:
            lost = {"after": log.total_count - 1, "count": log.dropped_count - dropped}
            yield {"event": "dropped", "data": lost}
        dropped = log.dropped_count
        if log.is_final:
            break
        context = await context.wait_for_change(_find_next_change(context))
    done = {"final_line": log.total_count - 1, "status": "ended"}
    yield {"event": "done", "data": done}


def _find_next_change(context: RequestContext) -> int | None:
    """When the run or its log is another one. O(its lines)."""
    run = context.world.state(context.api).runs.get(context.parameters["runId"])
    changes = (record.next_change(context.now) for record in run.records) if run else ()
    return min((at for at in changes if at is not None), default=None)


def _load_log(context: RequestContext) -> RunLog:
    """The log as of now, after what its task says of full ones. O(lines).

    Raises ``NotFound`` for a run that is not there, or not of the task in the path.
    """
    run_id, name = context.parameters["runId"], context.parameters["taskName"]
    run = context.collection("runs").get(run_id, context.now)
    if run is None or run["task_name"] != name:
        raise NotFound("logs", run_id)
    written = context.collection("lines").children(run_id, context.now)
    lines = [
        {"n": n, "ts": line["ts"], "stream": line["stream"], "text": line["text"]}
        for n, line in enumerate(written)
    ]
    ended = run["status"] == "ended"
    policy = _get_task_policy(context, name)
    match policy.get("log_on_full"):
        case "drop_old" if "log_max_size" in policy:
            kept = _count_fitting_lines(lines[::-1], policy["log_max_size"])
            return RunLog(lines[len(lines) - kept :], len(lines), 0, ended)
        case "drop_new" if "log_max_size" in policy:
            kept = _count_fitting_lines(lines, policy["log_max_size"])
            return RunLog(lines[:kept], kept, len(lines) - kept, ended)
        case _:
            return RunLog(lines, len(lines), 0, ended)


def _count_fitting_lines(lines: list[JsonObject], max_bytes: int) -> int:
    """How many of these lines have room in so many bytes."""
    sizes = accumulate(len(line["text"].encode()) + 1 for line in lines)
    return sum(1 for total in sizes if total <= max_bytes)


def _get_task_policy(context: RequestContext, task_name: str) -> JsonObject:
    try:
        return context.world.state(context.api).definitions.task(task_name)
    except UnknownName:
        return {}
