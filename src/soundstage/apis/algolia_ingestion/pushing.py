"""Pushes: records on their way through a task into an index."""

from dataclasses import replace
from typing import Final

from soundstage.apis.algolia_ingestion.application import all_own, own
from soundstage.apis.algolia_ingestion.running import (
    check_enabled,
    index_of,
    name_of,
    start_as,
)
from soundstage.apis.api import Answer, Call, Impossible
from soundstage.types import Document
from soundstage.world.clock import rfc3339
from soundstage.world.state import State

PUSH: Final = "push"
"""The scenario of a push, and how the names of the others begin."""

PUSHED: Final = "pushed"
"""What its scenario calls the event that a client waits for."""


async def push_to_task(call: Call) -> Answer:
    """Push records through a task."""
    return await _push(call, own(call, "tasks", call.parameters["taskID"]))


async def push_to_index(call: Call) -> Answer:
    """Push records through the only task that targets an index.

    The one of another index stands in for it where there is none.
    """
    index = call.parameters["indexName"]
    stand_in = call.parameters.get("referenceIndexName")
    tasks = _targeting(call, index) or (stand_in and _targeting(call, stand_in)) or []
    if len(tasks) != 1:
        msg = f"{len(tasks)} tasks target the index {index!r}; a push needs one"
        raise Impossible(msg)
    return await _push(call, tasks[0])


def _targeting(call: Call, index: str) -> list[Document]:
    """The tasks that target an index. O(tasks of the application)."""
    return [task for task in all_own(call, "tasks") if index_of(call, task) == index]


async def _push(call: Call, task: Document) -> Answer:
    """Start a push; the event that a client waits for is in its future already."""
    check_enabled(call, task)
    state = call.world.state(call.api)
    command = start_as(state, task, _scenario(state, task))
    names = {**command.names, "records": len(call.body["records"])}
    run = call.world.apply(replace(command, names=names))
    event = next(record.id for record in run.records if record.name == PUSHED)
    receipt = {"runID": run.id, "eventID": event, "createdAt": rfc3339(call.now)}
    if not call.parameters.get("watch"):
        return Answer({**receipt, "message": "The records are being pushed"})
    return Answer({**receipt, **await _outcome(call.as_of_now(), run.id)})


async def _outcome(call: Call, run_id: str) -> Document:
    """What became of a push, once it is over."""
    run = call.get("runs", run_id)
    while not call.world.state(call.api).script.is_final(run):
        record = call.collection("runs").record(run_id)
        call = await call.later(record.times[-1] if record else None)
        run = call.get("runs", run_id)
    if run.get("outcome") == "success":
        return {"message": "The records were pushed"}
    events = call.collection("events").children(run_id, call.now)
    return {"message": run.get("reason", "The push failed"), "events": events}


def _scenario(state: State, task: Document) -> str | None:
    """A push as it was planned, if the next one was."""
    name = name_of(state, task)
    plans = (plan.scenario for plan in state.planned if plan.task in {None, name})
    return None if next(plans, "").startswith(PUSH) else PUSH
