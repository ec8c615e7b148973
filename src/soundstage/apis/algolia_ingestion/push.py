"""Pushes: records on their way through a task into an index."""

from dataclasses import replace
from typing import Final

from soundstage.apis.algolia_ingestion.application import (
    get_own_record,
    list_own_records,
)
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
"""The scenario of a push, and how the names of the others begin."""

PUSH_EVENT_NAME: Final = "pushed"
"""What its scenario calls the event that a client waits for."""


async def push_to_task(context: RequestContext) -> Response:
    """Push records through a task."""
    return await _start_push(
        context, get_own_record(context, "tasks", context.parameters["taskID"])
    )


async def push_to_index(context: RequestContext) -> Response:
    """Push records through the only task that targets an index.

    The one of another index stands in for it where there is none.
    """
    index = context.parameters["indexName"]
    stand_in = context.parameters.get("referenceIndexName")
    tasks = (
        _find_tasks_by_index(context, index)
        or (stand_in and _find_tasks_by_index(context, stand_in))
        or []
    )
    if len(tasks) != 1:
        msg = f"{len(tasks)} tasks target the index {index!r}; a push needs one"
        raise BadRequest(msg)
    return await _start_push(context, tasks[0])


def _find_tasks_by_index(context: RequestContext, index: str) -> list[JsonObject]:
    """The tasks that target an index. O(tasks of the application)."""
    return [
        task
        for task in list_own_records(context, "tasks")
        if get_index_name(context, task) == index
    ]


async def _start_push(context: RequestContext, task: JsonObject) -> Response:
    """Start a push; the event that a client waits for is in its future already."""
    require_enabled(context, task)
    state = context.world.state(context.api)
    command = build_scenario_start(state, task, _choose_scenario(state, task))
    names = {**command.names, "records": len(context.body["records"])}
    run = context.world.apply(replace(command, names=names))
    event = next(record.id for record in run.records if record.name == PUSH_EVENT_NAME)
    receipt = {
        "runID": run.id,
        "eventID": event,
        "createdAt": format_rfc3339(context.now),
    }
    if not context.parameters.get("watch"):
        return Response({**receipt, "message": "The records are being pushed"})
    return Response({**receipt, **await _wait_for_outcome(context.refreshed(), run.id)})


async def _wait_for_outcome(context: RequestContext, run_id: str) -> JsonObject:
    """What became of a push, once it is over."""
    run = context.get("runs", run_id)
    while not context.world.state(context.api).definitions.is_final(run):
        record = context.collection("runs").get_record(run_id)
        context = await context.wait_for_change(
            record.timestamps[-1] if record else None
        )
        run = context.get("runs", run_id)
    if run.get("outcome") == "success":
        return {"message": "The records were pushed"}
    events = context.collection("events").children(run_id, context.now)
    return {"message": run.get("reason", "The push failed"), "events": events}


def _choose_scenario(state: State, task: JsonObject) -> str | None:
    """A push as it was planned, if the next one was."""
    name = get_task_name(state, task)
    plans = (
        plan.scenario for plan in state.queued_scenarios if plan.task in {None, name}
    )
    return None if next(plans, "").startswith(PUSH_SCENARIO) else PUSH_SCENARIO
