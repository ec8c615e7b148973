"""Runs one by one: started, looked at, waited for, stopped, deleted."""

from soundstage.apis.api import (
    BadRequest,
    Conflict,
    Forbidden,
    NotFound,
    RequestContext,
    Response,
)
from soundstage.apis.runwisp.concurrency import build_start_commands, find_queue_move
from soundstage.apis.runwisp.errors import (
    RUN_NOT_ENDED,
    RUN_NOT_RUNNING,
    SERVICE_NOT_TRIGGERABLE,
    TRIGGER_DISABLED,
)
from soundstage.apis.runwisp.schema_links import build_described_response
from soundstage.apis.runwisp.tasks import Task
from soundstage.types import JsonObject
from soundstage.world.clock import SECOND, format_rfc3339
from soundstage.world.commands import Delete, Interrupt, Patch
from soundstage.world.errors import UnknownName
from soundstage.world.runs import Run


async def trigger_run(context: RequestContext) -> Response:
    """A new run, as it is now or, if the client waits, once it has ended.

    Waiting ends with ``wait_timeout`` seconds of the world's clock; then the run is
    given as it is.
    """
    task = get_task(context)
    if task.is_service:
        raise Conflict(SERVICE_NOT_TRIGGERABLE)
    if not task.is_triggerable:
        raise Forbidden(TRIGGER_DISABLED)
    run_id = _start_run(context, task).id
    context = context.refreshed()
    if context.parameters.get("wait"):
        context = await _wait_until_ended(context, run_id)
    return build_described_response(context, "Run", context.get("runs", run_id), 201)


def retrieve_run(context: RequestContext) -> Response:
    """A run; the task in the path may be any."""
    return build_described_response(
        context, "Run", context.get("runs", context.parameters["runId"])
    )


def stop_run(context: RequestContext) -> Response:
    """A run is stopped, and whoever waited for it moves up."""
    run = context.get("runs", context.parameters["runId"])
    if run["status"] != "running":
        raise BadRequest(RUN_NOT_RUNNING)
    end_run(context, run)
    advance_queue(context, run["task_name"])
    return build_described_response(
        context, "StopRunOutputBody", {"message": "Run stop signal sent"}
    )


def delete_run(context: RequestContext) -> Response:
    """A run that is over is forgotten."""
    run = context.get("runs", context.parameters["runId"])
    if run["status"] != "ended":
        raise Conflict(RUN_NOT_ENDED)
    context.world.apply(Delete(context.api, "runs", run["id"]))
    return Response(status=204)


def get_task(context: RequestContext) -> Task:
    """The task that the path names. Raises ``NotFound``."""
    name = context.parameters["taskName"]
    try:
        return Task(name, context.world.state(context.api).definitions.task(name))
    except UnknownName:
        raise NotFound("tasks", name) from None


def end_run(context: RequestContext, run: JsonObject) -> None:
    """Let a run end now; one that nothing drew is only patched."""
    state = context.world.state(context.api)
    if run["id"] in state.runs and "stopped" in state.definitions.endings:
        context.world.apply(Interrupt(context.api, run["id"], "stopped"))
        return
    ended = {
        "status": "ended",
        "end_at": format_rfc3339(context.now),
        "end_reason": "stopped",
        "exit_code": -1,
    }
    context.world.apply(Patch(context.api, "runs", run["id"], ended))


def advance_queue(context: RequestContext, task_name: str) -> None:
    """Let the queue of a task know that somebody has gone."""
    try:
        task = Task(
            task_name, context.world.state(context.api).definitions.task(task_name)
        )
    except UnknownName:
        return
    at, moved = context.world.now(), set[str]()
    while move := find_queue_move(context.world.state(context.api), task, at, moved):
        context.world.apply(move)
        moved.add(move.run)


def _start_run(context: RequestContext, task: Task) -> Run:
    """Start a run as the task's policy says."""
    state = context.world.state(context.api)
    *before, start = build_start_commands(state, task, context.world.now(), "api")
    for command in before:
        context.world.apply(command)
    run = context.world.apply(start)
    if not isinstance(run, Run):
        raise TypeError("the last command starts the run")
    return run


async def _wait_until_ended(context: RequestContext, run_id: str) -> RequestContext:
    """The call as of the moment when a run has ended, or was waited for enough."""
    enough = context.now + context.parameters["wait_timeout"] * SECOND
    while context.now < enough and context.get("runs", run_id)["status"] != "ended":
        record = context.collection("runs").get_record(run_id)
        change = record.next_change(context.now) if record else None
        context = await context.wait_for_change(min(enough, change or enough))
    return context
