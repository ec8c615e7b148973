"""Pushes: runs that send records through a task into an index."""

from dataclasses import replace
from typing import Final

from soundstage.apis.algolia_ingestion.application import get_requested, list_own_records
from soundstage.apis.algolia_ingestion.start_runs import (
    build_scenario_start,
    get_index_name,
    get_task_name,
    require_enabled,
)
from soundstage.apis.api import BadRequest, RequestContext, Response
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339
from soundstage.world.state import State

PUSH_SCENARIO: Final = "push"
"""The default scenario of pushes; the names of the others begin with it."""

PUSH_EVENT_NAME: Final = "pushed"
"""The name that scenarios give the event whose id the response contains."""


async def push_to_task(context: RequestContext) -> Response:
    """Push records through a task."""
    return await _start_push(context, get_requested(context, "tasks"))


async def push_to_index(context: RequestContext) -> Response:
    """Push records through the only task that targets an index.

    If none does, the task of ``referenceIndexName`` is used.
    """
    index = context.parameters["indexName"]
    fallback = context.parameters.get("referenceIndexName")
    tasks = _find_tasks_by_index(context, index)
    if not tasks and fallback:
        tasks = _find_tasks_by_index(context, fallback)
    if len(tasks) != 1:
        msg = f"{len(tasks)} tasks target the index {index!r}; a push needs one"
        raise BadRequest(msg)
    return await _start_push(context, tasks[0])


def _find_tasks_by_index(context: RequestContext, index: str) -> list[JsonObject]:
    """Return the tasks that target an index. O(tasks of the application)."""
    tasks = list_own_records(context, "tasks")
    return [task for task in tasks if get_index_name(context, task) == index]


async def _start_push(context: RequestContext, task: JsonObject) -> Response:
    require_enabled(context, task)
    state = context.state
    command = build_scenario_start(state, task, _choose_scenario(state, task))
    variables = {**command.names, "records": len(context.body["records"])}
    run = context.world.apply(replace(command, names=variables))
    # The run's future is generated at its start, so the event has its id already.
    event = next(record.id for record in run.records if record.name == PUSH_EVENT_NAME)
    created_at = format_rfc3339(context.now)
    receipt = {"runID": run.id, "eventID": event, "createdAt": created_at}
    if not context.parameters.get("watch"):
        return Response({**receipt, "message": "The records are being pushed"})
    return Response({**receipt, **await _wait_for_outcome(context.refreshed(), run.id)})


async def _wait_for_outcome(context: RequestContext, run_id: str) -> JsonObject:
    """Wait until a push has ended; return its message and, if it failed, its events."""
    run = context.get("runs", run_id)
    while not context.state.definitions.is_final(run):
        record = context.collection("runs").get_record(run_id)
        end = record.timestamps[-1] if record else None
        context = await context.wait_for_change(end)
        run = context.get("runs", run_id)
    if run.get("outcome") == "success":
        return {"message": "The records were pushed"}
    events = context.collection("events").children(run_id, context.now)
    return {"message": run.get("reason", "The push failed"), "events": events}


def _choose_scenario(state: State, task: JsonObject) -> str | None:
    """Return None if a scenario of a push is queued next, else the default one."""
    # A command without a scenario takes the queued one. A scenario that is queued for
    # another kind of run stays in the queue.
    name = get_task_name(state, task)
    queued = (q.scenario for q in state.queued_scenarios if q.task in {None, name})
    return None if next(queued, "").startswith(PUSH_SCENARIO) else PUSH_SCENARIO
