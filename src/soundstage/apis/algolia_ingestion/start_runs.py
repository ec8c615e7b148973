"""Runs of tasks, one by one or all of a source."""

from typing import Final

from soundstage.apis.algolia_ingestion.application import (
    get_own_record,
    list_own_records,
)
from soundstage.apis.algolia_ingestion.auto_disable import is_enabled
from soundstage.apis.algolia_ingestion.failure_streaks import has_active_run
from soundstage.apis.api import BadRequest, RequestContext, Response
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339
from soundstage.world.commands import Start
from soundstage.world.state import State

API_NAME: Final = "algolia-ingestion"
BLOCKED_SCENARIO: Final = "blocked"
"""The scenario of a run that comes while another one of its task is under way."""

RUNNABLE_SOURCE_TYPES: Final = frozenset({"bigcommerce", "commercetools", "shopify"})
"""Sources whose tasks are run together, as the vendor's document has it."""


def run_task(context: RequestContext) -> Response:
    """Start a run of a task; it is skipped if another one is under way."""
    task = get_own_record(context, "tasks", context.parameters["taskID"])
    require_enabled(context, task)
    run = context.world.apply(
        build_start_command(context.world.state(context.api), task, context.now)
    )
    return Response({"runID": run.id, "createdAt": format_rfc3339(context.now)})


def run_source(context: RequestContext) -> Response:
    """Start a run of every enabled task of a source whose index was asked for.

    O(tasks of the application).
    """
    source = get_own_record(context, "sources", context.parameters["sourceID"])
    if source["type"] not in RUNNABLE_SOURCE_TYPES:
        msg = f"tasks of a source of type {source['type']} are not run together"
        raise BadRequest(msg)
    started = {}
    for task in _select_tasks(context, source):
        run = context.world.apply(
            build_start_command(context.world.state(context.api), task, context.now)
        )
        started[task["taskID"]] = run.id
    return Response(
        {"taskWithRunID": started, "createdAt": format_rfc3339(context.now)}
    )


def _select_tasks(context: RequestContext, source: JsonObject) -> list[JsonObject]:
    given = context.body or {}
    included, excluded = given.get("indexToInclude"), given.get("indexToExclude", ())
    state = context.world.state(context.api)
    return [
        task
        for task in list_own_records(context, "tasks")
        if task["sourceID"] == source["sourceID"]
        and is_enabled(state, task, context.now)
        and (included is None or get_index_name(context, task) in included)
        and get_index_name(context, task) not in excluded
    ]


def get_index_name(context: RequestContext, task: JsonObject) -> str:
    """The name of the index that a task's destination is."""
    destination = context.get("destinations", task["destinationID"])
    name: str = destination["input"]["indexName"]
    return name


def require_enabled(context: RequestContext, task: JsonObject) -> None:
    """Raise ``Impossible`` for a task that takes no runs."""
    if not is_enabled(context.world.state(context.api), task, context.now):
        msg = f"the task {task['taskID']!r} is disabled"
        raise BadRequest(msg)


def build_start_command(state: State, task: JsonObject, now: int) -> Start:
    """The command that starts a run of a task as it is now."""
    runs = state.collection("runs").children_index(task["taskID"])
    scenario = BLOCKED_SCENARIO if has_active_run(runs, now) else None
    return build_scenario_start(state, task, scenario)


def build_scenario_start(state: State, task: JsonObject, scenario: str | None) -> Start:
    """The command that starts a run of a task in this way."""
    names = {
        "appID": task["owner"],
        "taskID": task["taskID"],
        "failureThreshold": task.get("failureThreshold", 0),
    }
    return Start(API_NAME, get_task_name(state, task), scenario, names)


def get_task_name(state: State, task: JsonObject) -> str:
    """What the fixture calls a task; its identifier, if that is not in there."""
    task_id: str = task["taskID"]
    listed = state.definitions.tasks.items()
    return next((n for n, each in listed if each.get("taskID") == task_id), task_id)
