"""Handlers that start runs, of one task or of all tasks of a source."""

from typing import Final

from soundstage.apis.algolia_ingestion.application import get_requested, list_own_records
from soundstage.apis.algolia_ingestion.auto_disable import has_active_run, is_enabled
from soundstage.apis.algolia_ingestion.model import API_NAME
from soundstage.apis.api import BadRequest, RequestContext, Response
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339
from soundstage.world.commands import Start
from soundstage.world.state import State

BLOCKED_SCENARIO: Final = "blocked"
"""The scenario of a run that starts while another run of its task is in progress."""

RUNNABLE_SOURCE_TYPES: Final = frozenset({"bigcommerce", "commercetools", "shopify"})
"""Types of sources whose tasks runSource starts, according to the vendor's document."""


def run_task(context: RequestContext) -> Response:
    """Start a run of a task; it is skipped if another one is in progress."""
    task = get_requested(context, "tasks")
    require_enabled(context, task)
    run_id = _start_run(context, task)
    return Response({"runID": run_id, "createdAt": format_rfc3339(context.now)})


def run_source(context: RequestContext) -> Response:
    """Start a run of every enabled task of a source, for the requested indices.

    O(tasks of the application).
    """
    source = get_requested(context, "sources")
    if source["type"] not in RUNNABLE_SOURCE_TYPES:
        msg = f"tasks of a source of type {source['type']} are not run together"
        raise BadRequest(msg)
    tasks = _select_tasks(context, source)
    run_ids = {task["taskID"]: _start_run(context, task) for task in tasks}
    created_at = format_rfc3339(context.now)
    return Response({"taskWithRunID": run_ids, "createdAt": created_at})


def _start_run(context: RequestContext, task: JsonObject) -> str:
    command = build_start_command(context.state, task, context.now)
    return context.world.apply(command).id


def _select_tasks(context: RequestContext, source: JsonObject) -> list[JsonObject]:
    body = context.body or {}
    included, excluded = body.get("indexToInclude"), body.get("indexToExclude", ())
    state = context.state
    # An empty ``indexToInclude`` includes nothing, a missing one everything.
    return [
        task
        for task in list_own_records(context, "tasks")
        if task["sourceID"] == source["sourceID"]
        and is_enabled(state, task, context.now)
        and (included is None or get_index_name(context, task) in included)
        and get_index_name(context, task) not in excluded
    ]


def get_index_name(context: RequestContext, task: JsonObject) -> str:
    """Return the name of the index in a task's destination."""
    destination = context.get("destinations", task["destinationID"])
    name: str = destination["input"]["indexName"]
    return name


def require_enabled(context: RequestContext, task: JsonObject) -> None:
    """Raise ``BadRequest`` if a task does not accept runs."""
    if not is_enabled(context.state, task, context.now):
        msg = f"the task {task['taskID']!r} is disabled"
        raise BadRequest(msg)


def build_start_command(state: State, task: JsonObject, now: int) -> Start:
    """Return the command that starts a run of a task as of now."""
    runs = state.collection("runs").children_index(task["taskID"])
    scenario = BLOCKED_SCENARIO if has_active_run(runs, now) else None
    return build_scenario_start(state, task, scenario)


def build_scenario_start(state: State, task: JsonObject, scenario: str | None) -> Start:
    """Return the command that starts a run of a task with a scenario."""
    variables = {
        "appID": task["owner"],
        "taskID": task["taskID"],
        "failureThreshold": task.get("failureThreshold", 0),
    }
    return Start(API_NAME, get_task_name(state, task), scenario, variables)


def get_task_name(state: State, task: JsonObject) -> str:
    """Return the name of a task in the fixture, or its id if the fixture has no such.

    O(tasks of the fixture).
    """
    task_id: str = task["taskID"]
    tasks = state.definitions.tasks.items()
    return next((n for n, each in tasks if each.get("taskID") == task_id), task_id)
