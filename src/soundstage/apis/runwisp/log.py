"""The log of a run: pages of its lines, and a stream of lines as they are written."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import accumulate

from soundstage.apis.api import NotFound, RequestContext, Response
from soundstage.apis.runwisp.resume import parse_last_event_id
from soundstage.apis.runwisp.schema_links import build_described_response
from soundstage.types import Json, JsonObject
from soundstage.world.errors import UnknownName

DEFAULT_PAGE_SIZE = 1_000
"""The number of lines on a page without ``limit``."""


@dataclass(frozen=True, slots=True)
class RunLog:
    """The log of a run as of one timestamp.

    A full log loses its first or its last lines: ``total_count`` counts ``lines`` and
    those lost at the front, ``dropped_count`` those lost at the end.
    """

    lines: list[JsonObject]
    total_count: int
    dropped_count: int
    is_final: bool

    @property
    def first_number(self) -> int:
        """The number of the first line that is available."""
        return self.total_count - len(self.lines)

    def resolve_number(self, start: int) -> int:
        """Return the number of an available line; below 0 counts from the end."""
        return max(start + self.total_count if start < 0 else start, self.first_number)

    def lines_from(self, number: int) -> list[JsonObject]:
        """Return the lines from a number on."""
        return self.lines[max(number - self.first_number, 0) :]


def retrieve_log_page(context: RequestContext) -> Response:
    """Return lines of a run's log, from a line on."""
    log, parameters = _load_log(context), context.parameters
    lines = log.lines_from(log.resolve_number(parameters["from"]))
    body = {
        "lines": lines[: parameters.get("limit", DEFAULT_PAGE_SIZE)],
        "first_available": log.first_number,
        "total_lines": log.total_count,
        "truncated": log.first_number > 0,
        "finalized": log.is_final,
    }
    return build_described_response(context, "LogPageBody", body)


def stream_log(context: RequestContext) -> Response:
    """Stream a run's log from a line on, until the run ends.

    ``Last-Event-ID`` takes precedence over ``from``, unless it is no line number.
    """
    log, start = _load_log(context), context.parameters["from"]
    last_event_id = parse_last_event_id(context)
    if last_event_id is not None and last_event_id >= 0:
        start = last_event_id + 1
    start = log.resolve_number(start) if start < 0 else start
    return Response(media_type="text/event-stream", stream=_generate_log_events(context, start))


async def _generate_log_events(context: RequestContext, next_number: int) -> AsyncIterator[Json]:
    first = dropped = 0
    while True:
        log = _load_log(context)
        # Lines that were rotated out before they could be sent are reported.
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
    """Return the timestamp of the next change of the run or its log. O(its lines)."""
    run = context.state.runs.get(context.parameters["runId"])
    changes = (record.next_change(context.now) for record in run.records) if run else ()
    return min((change for change in changes if change is not None), default=None)


def _load_log(context: RequestContext) -> RunLog:
    """Return the log as of now, within the size limit of its task. O(lines).

    Raises ``NotFound`` if the run does not exist or belongs to another task.
    """
    run_id, task_name = context.parameters["runId"], context.parameters["taskName"]
    run = context.collection("runs").get(run_id, context.now)
    if run is None or run["task_name"] != task_name:
        raise NotFound("logs", run_id)
    written = context.collection("lines").children(run_id, context.now)
    lines = [
        {"n": n, "ts": line["ts"], "stream": line["stream"], "text": line["text"]}
        for n, line in enumerate(written)
    ]
    is_final = run["status"] == "ended"
    policy = _get_task_policy(context, task_name)
    match policy.get("log_on_full"):
        case "drop_old" if "log_max_size" in policy:
            count = _count_fitting_lines(lines[::-1], policy["log_max_size"])
            return RunLog(lines[len(lines) - count :], len(lines), 0, is_final)
        case "drop_new" if "log_max_size" in policy:
            count = _count_fitting_lines(lines, policy["log_max_size"])
            return RunLog(lines[:count], count, len(lines) - count, is_final)
        case _:
            return RunLog(lines, len(lines), 0, is_final)


def _count_fitting_lines(lines: list[JsonObject], max_bytes: int) -> int:
    """Return how many of the first lines fit, each with its line break."""
    sizes = accumulate(len(line["text"].encode()) + 1 for line in lines)
    return sum(1 for total in sizes if total <= max_bytes)


def _get_task_policy(context: RequestContext, task_name: str) -> JsonObject:
    try:
        return context.state.definitions.task(task_name)
    except UnknownName:
        return {}
