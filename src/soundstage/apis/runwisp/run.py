"""Runs one by one: started, looked at, waited for, stopped, deleted."""

from soundstage.apis.api import (
    Answer,
    Call,
    Conflict,
    Forbidden,
    Impossible,
    NotFound,
)
from soundstage.apis.runwisp.described import described
from soundstage.apis.runwisp.overlap import moved_up, started
from soundstage.apis.runwisp.problem import (
    IS_SERVICE,
    NO_TRIGGER,
    NOT_OVER,
    NOT_RUNNING,
)
from soundstage.apis.runwisp.task import Task
from soundstage.types import Document
from soundstage.world.clock import SECOND, rfc3339
from soundstage.world.errors import Unknown
from soundstage.world.log import Delete, Interrupt, Patch
from soundstage.world.timeline import Run


async def trigger_run(call: Call) -> Answer:
    """A new run, as it is now or, if the client waits, once it has ended.

    Waiting ends with ``wait_timeout`` seconds of the world's clock; then the run is
    given as it is.
    """
    task = task_of(call)
    if task.is_service:
        raise Conflict(IS_SERVICE)
    if not task.may_be_triggered:
        raise Forbidden(NO_TRIGGER)
    run_id = _start(call, task).id
    call = call.as_of_now()
    if call.parameters.get("wait"):
        call = await _ended(call, run_id)
    return described(call, "Run", call.get("runs", run_id), 201)


def retrieve_run(call: Call) -> Answer:
    """A run; the task in the path may be any."""
    return described(call, "Run", call.get("runs", call.parameters["runId"]))


def stop_run(call: Call) -> Answer:
    """A run is stopped, and whoever waited for it moves up."""
    run = call.get("runs", call.parameters["runId"])
    if run["status"] != "running":
        raise Impossible(NOT_RUNNING)
    stop(call, run)
    move_up(call, run["task_name"])
    return described(call, "StopRunOutputBody", {"message": "Run stop signal sent"})


def delete_run(call: Call) -> Answer:
    """A run that is over is forgotten."""
    run = call.get("runs", call.parameters["runId"])
    if run["status"] != "ended":
        raise Conflict(NOT_OVER)
    call.world.apply(Delete(call.api, "runs", run["id"]))
    return Answer(status=204)


def task_of(call: Call) -> Task:
    """The task that the path names. Raises ``NotFound``."""
    name = call.parameters["taskName"]
    try:
        return Task(name, call.world.state(call.api).script.task(name))
    except Unknown:
        raise NotFound("tasks", name) from None


def stop(call: Call, run: Document) -> None:
    """Let a run end now; one that nothing drew is only patched."""
    state = call.world.state(call.api)
    if run["id"] in state.runs and "stopped" in state.script.endings:
        call.world.apply(Interrupt(call.api, run["id"], "stopped"))
        return
    ended = {
        "status": "ended",
        "end_at": rfc3339(call.now),
        "end_reason": "stopped",
        "exit_code": -1,
    }
    call.world.apply(Patch(call.api, "runs", run["id"], ended))


def move_up(call: Call, task_name: str) -> None:
    """Let the queue of a task know that somebody has gone."""
    try:
        task = Task(task_name, call.world.state(call.api).script.task(task_name))
    except Unknown:
        return
    at, moved = call.world.now(), set[str]()
    while move := moved_up(call.world.state(call.api), task, at, moved):
        call.world.apply(move)
        moved.add(move.run)


def _start(call: Call, task: Task) -> Run:
    """Start a run as the task's policy says."""
    state = call.world.state(call.api)
    *before, start = started(state, task, call.world.now(), "api")
    for command in before:
        call.world.apply(command)
    run = call.world.apply(start)
    if not isinstance(run, Run):
        raise TypeError("the last command starts the run")
    return run


async def _ended(call: Call, run_id: str) -> Call:
    """The call as of the moment when a run has ended, or was waited for enough."""
    enough = call.now + call.parameters["wait_timeout"] * SECOND
    while call.now < enough and call.get("runs", run_id)["status"] != "ended":
        record = call.collection("runs").record(run_id)
        change = record.next_after(call.now) if record else None
        call = await call.later(min(enough, change or enough))
    return call
