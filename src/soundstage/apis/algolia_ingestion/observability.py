"""Runs and the events that tell how they went."""

from bisect import bisect_right

from soundstage.apis.algolia_ingestion.application import caller, own
from soundstage.apis.algolia_ingestion.lists import (
    chosen,
    field,
    inside,
    listed,
    window,
)
from soundstage.apis.api import Answer, Call, NotFound
from soundstage.types import Document
from soundstage.world.clock import DAY, HOUR

EVENTS_WINDOW = 3 * HOUR  # the default startDate of listEvents: now minus three hours
RUNS_WINDOW = 7 * DAY  # and of listRuns

FILTERS = {"status": field("status"), "type": field("type")}


def retrieve_run(call: Call) -> Answer:
    """One run, as it is now."""
    return Answer(own(call, "runs", call.parameters["runID"]))


def list_runs(call: Call) -> Answer:
    """A page of the application's runs that were created inside a window of time.

    O(runs), or O(runs of the task) where one is named.
    """
    period = window(call, RUNS_WINDOW)
    runs, task = call.collection("runs"), call.parameters.get("taskID")
    there = runs.all(call.now) if task is None else runs.children(task, call.now)
    found = [run for run in there if run["appID"] == caller(call)]
    found = inside(chosen(call, found, FILTERS), "createdAt", period)

    def updated(run: Document) -> int | None:
        record = runs.record(run["runID"])
        if record is None:
            return None
        return record.times[bisect_right(record.times, call.now) - 1]

    page = listed(call, "runs", found, {"updatedAt": updated})
    return Answer({**page, "window": period})


def list_events(call: Call) -> Answer:
    """A page of a run's events inside a window of time."""
    run = own(call, "runs", call.parameters["runID"])
    period = window(call, EVENTS_WINDOW)
    events = call.collection("events").children(run["runID"], call.now)
    found = inside(chosen(call, events, FILTERS), "publishedAt", period)
    return Answer({**listed(call, "events", found, {}), "window": period})


def retrieve_event(call: Call) -> Answer:
    """One event of a run; one that is still to come is not there yet."""
    run = own(call, "runs", call.parameters["runID"])
    event = call.get("events", call.parameters["eventID"])
    if event["runID"] != run["runID"]:
        raise NotFound("events", event["eventID"])
    return Answer(event)
