"""Handlers for single runs and for services, whose replicas are runs."""

from soundstage.apis.api import BadRequest, Conflict, Forbidden, NotFound, RequestContext, Response
from soundstage.apis.runwisp.concurrency import build_start_commands, find_queue_move
from soundstage.apis.runwisp.errors import (
    NOT_A_SERVICE,
    RUN_NOT_ENDED,
    RUN_NOT_RUNNING,
    SERVICE_NOT_TRIGGERABLE,
    TRIGGER_DISABLED,
)
from soundstage.apis.runwisp.schema_links import build_described_response
from soundstage.apis.runwisp.tasks import Task
from soundstage.types import JsonObject
from soundstage.world.clock import SECOND, format_rfc3339
from soundstage.world.commands import Delete, Interrupt, Patch, Start
from soundstage.world.errors import UnknownName
from soundstage.world.runs import Run


async def trigger_run(context: RequestContext) -> Response:
    """Start a run; return it at once or, with ``wait``, when it has ended.

    The wait is limited by ``wait_timeout``, in seconds of the world's clock.
    """
    task = _get_requested_task(context)
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
    """Return a run, whatever task the path names."""
    return build_described_response(context, "Run", _get_requested_run(context))


def stop_run(context: RequestContext) -> Response:
    """Stop a run, and move up the runs that are queued behind it."""
    run = _get_requested_run(context)
    if run["status"] != "running":
        raise BadRequest(RUN_NOT_RUNNING)
    _end_run(context, run)
    _advance_queue(context, run["task_name"])
    body = {"message": "Run stop signal sent"}
    return build_described_response(context, "StopRunOutputBody", body)


def delete_run(context: RequestContext) -> Response:
    """Delete a run that has ended."""
    run = _get_requested_run(context)
    if run["status"] != "ended":
        raise Conflict(RUN_NOT_ENDED)
    context.world.apply(Delete(context.api, "runs", run["id"]))
    return Response(status=204)


def restart_service(context: RequestContext) -> Response:
    """Stop every replica of a service and start a new run in its place."""
    task = _stop_replicas(context)
    for replica in range(task.instances):
        variables = {"replica": replica, "triggered_by": "api"}
        context.world.apply(Start(context.api, task.name, names=variables))
    return Response(status=204)


def stop_service(context: RequestContext) -> Response:
    """Stop every replica of a service until it is restarted."""
    _stop_replicas(context)
    return Response(status=204)


def _get_requested_run(context: RequestContext) -> JsonObject:
    return context.get("runs", context.parameters["runId"])


def _get_requested_task(context: RequestContext) -> Task:
    """Return the task that the path names. Raises ``NotFound``."""
    name = context.parameters["taskName"]
    try:
        return Task(name, context.state.definitions.task(name))
    except UnknownName:
        raise NotFound("tasks", name) from None


def _start_run(context: RequestContext, task: Task) -> Run:
    """Start a run according to the task's policy."""
    # Commands are applied at the present, which may be later than ``context.now``.
    commands = build_start_commands(context.state, task, context.world.now(), "api")
    for command in commands:
        result = context.world.apply(command)
    if not isinstance(result, Run):
        raise TypeError("the last command starts the run")
    return result


async def _wait_until_ended(context: RequestContext, run_id: str) -> RequestContext:
    """Wait until a run has ended or the timeout is over; return the context of then."""
    timeout_at = context.now + context.parameters["wait_timeout"] * SECOND
    while context.now < timeout_at and context.get("runs", run_id)["status"] != "ended":
        record = context.collection("runs").get_record(run_id)
        change = record.next_change(context.now) if record else None
        context = await context.wait_for_change(min(timeout_at, change or timeout_at))
    return context


def _end_run(context: RequestContext, run: JsonObject) -> None:
    state = context.state
    if run["id"] in state.runs and "stopped" in state.definitions.endings:
        context.world.apply(Interrupt(context.api, run["id"], "stopped"))
        return
    # A record of the fixture is no generated run, so that it cannot be interrupted.
    ended = {
        "status": "ended",
        "end_at": format_rfc3339(context.now),
        "end_reason": "stopped",
        "exit_code": -1,
    }
    context.world.apply(Patch(context.api, "runs", run["id"], ended))


def _advance_queue(context: RequestContext, task_name: str) -> None:
    """Adjust the waits of a task's queued runs after one of its runs has ended."""
    try:
        task = Task(task_name, context.state.definitions.task(task_name))
    except UnknownName:
        return
    # Each command changes the waits of the runs behind it.
    now, moved = context.world.now(), set[str]()
    while move := find_queue_move(context.state, task, now, moved):
        context.world.apply(move)
        moved.add(move.run)


def _stop_replicas(context: RequestContext) -> Task:
    """End all active runs of a service; return its task. O(runs of the service)."""
    task = _get_requested_task(context)
    if not task.is_service:
        raise BadRequest(NOT_A_SERVICE)
    for run in context.collection("runs").children(task.name, context.now):
        if run["status"] != "ended":
            _end_run(context, run)
    return task
