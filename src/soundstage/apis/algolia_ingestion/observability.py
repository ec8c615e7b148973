"""Runs and the events that tell how they went."""

from soundstage.apis.algolia_ingestion.application import caller, own
from soundstage.apis.algolia_ingestion.lists import (
    asked,
    tests_of,
    told,
    window,
)
from soundstage.apis.api import Answer, Call, NotFound
from soundstage.types import Document
from soundstage.world.clock import DAY, HOUR
from soundstage.world.query import Among, Aspect, Between, Test

EVENTS_WINDOW = 3 * HOUR  # the default startDate of listEvents: now minus three hours
RUNS_WINDOW = 7 * DAY  # and of listRuns

FILTERS = ("status", "type")


def retrieve_run(call: Call) -> Answer:
    """One run, as it is now."""
    return Answer(own(call, "runs", call.parameters["runID"]))


def list_runs(call: Call) -> Answer:
    """A page of the application's runs that were created inside a window of time."""
    period = window(call, RUNS_WINDOW)
    tests: tuple[tuple[Aspect, Test], ...] = (
        ("appID", Among(frozenset({caller(call)}))),
        ("createdAt", Between(period["startDate"], period["endDate"])),
        *tests_of(call, FILTERS),
    )
    query = asked(call, tests, {"updatedAt": _updated})
    page = call.collection("runs").find(query, call.now, call.parameters.get("taskID"))
    return Answer({**told(call, "runs", page), "window": period})


def _updated(_run: Document, at: int) -> int:
    return at


def list_events(call: Call) -> Answer:
    """A page of a run's events inside a window of time."""
    run = own(call, "runs", call.parameters["runID"])
    period = window(call, EVENTS_WINDOW)
    published = Between(period["startDate"], period["endDate"])
    query = asked(call, (("publishedAt", published), *tests_of(call, FILTERS)), {})
    page = call.collection("events").find(query, call.now, run["runID"])
    return Answer({**told(call, "events", page), "window": period})


def retrieve_event(call: Call) -> Answer:
    """One event of a run; one that is still to come is not there yet."""
    run = own(call, "runs", call.parameters["runID"])
    event_id, events = call.parameters["eventID"], call.collection("events")
    event = events.get(event_id, call.now, run["runID"])
    if event is None or event["runID"] != run["runID"]:
        raise NotFound("events", event_id)
    return Answer(event)
