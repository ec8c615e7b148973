"""Runs of tasks, one by one or all of a source."""

from typing import Final

from soundstage.apis.algolia_ingestion.application import all_own, own
from soundstage.apis.algolia_ingestion.over import is_busy
from soundstage.apis.algolia_ingestion.switch import is_enabled
from soundstage.apis.api import Answer, Call, Impossible
from soundstage.types import Document
from soundstage.world.clock import rfc3339
from soundstage.world.log import Start
from soundstage.world.state import State

API_NAME: Final = "algolia-ingestion"
BLOCKED: Final = "blocked"
"""The scenario of a run that comes while another one of its task is under way."""

RUNNABLE: Final = frozenset({"bigcommerce", "commercetools", "shopify"})
"""Sources whose tasks are run together, as the vendor's document has it."""


def run_task(call: Call) -> Answer:
    """Start a run of a task; it is skipped if another one is under way."""
    task = own(call, "tasks", call.parameters["taskID"])
    check_enabled(call, task)
    run = call.world.apply(start(call.world.state(call.api), task, call.now))
    return Answer({"runID": run.id, "createdAt": rfc3339(call.now)})


def run_source(call: Call) -> Answer:
    """Start a run of every enabled task of a source whose index was asked for.

    O(tasks of the application).
    """
    source = own(call, "sources", call.parameters["sourceID"])
    if source["type"] not in RUNNABLE:
        msg = f"tasks of a source of type {source['type']} are not run together"
        raise Impossible(msg)
    started = {}
    for task in _tasks_of(call, source):
        run = call.world.apply(start(call.world.state(call.api), task, call.now))
        started[task["taskID"]] = run.id
    return Answer({"taskWithRunID": started, "createdAt": rfc3339(call.now)})


def _tasks_of(call: Call, source: Document) -> list[Document]:
    given = call.body or {}
    included, excluded = given.get("indexToInclude"), given.get("indexToExclude", ())
    state = call.world.state(call.api)
    return [
        task
        for task in all_own(call, "tasks")
        if task["sourceID"] == source["sourceID"]
        and is_enabled(state, task, call.now)
        and (included is None or index_of(call, task) in included)
        and index_of(call, task) not in excluded
    ]


def index_of(call: Call, task: Document) -> str:
    """The name of the index that a task's destination is."""
    destination = call.get("destinations", task["destinationID"])
    name: str = destination["input"]["indexName"]
    return name


def check_enabled(call: Call, task: Document) -> None:
    """Raise ``Impossible`` for a task that takes no runs."""
    if not is_enabled(call.world.state(call.api), task, call.now):
        msg = f"the task {task['taskID']!r} is disabled"
        raise Impossible(msg)


def start(state: State, task: Document, now: int) -> Start:
    """The command that starts a run of a task as it is now."""
    runs = state.collection("runs").family(task["taskID"])
    scenario = BLOCKED if is_busy(runs, now) else None
    return start_as(state, task, scenario)


def start_as(state: State, task: Document, scenario: str | None) -> Start:
    """The command that starts a run of a task in this way."""
    names = {
        "appID": task["owner"],
        "taskID": task["taskID"],
        "failureThreshold": task.get("failureThreshold", 0),
    }
    return Start(API_NAME, name_of(state, task), scenario, names)


def name_of(state: State, task: Document) -> str:
    """What the fixture calls a task; its identifier, if that is not in there."""
    task_id: str = task["taskID"]
    listed = state.script.tasks.items()
    return next((n for n, each in listed if each.get("taskID") == task_id), task_id)
