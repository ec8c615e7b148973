"""Runs and the events that tell how they went."""

from soundstage.apis.algolia_ingestion.application import application_id, get_own_record
from soundstage.apis.algolia_ingestion.lists import (
    build_predicates,
    build_query,
    parse_window,
    render_page,
)
from soundstage.apis.api import NotFound, RequestContext, Response
from soundstage.types import JsonObject
from soundstage.world.clock import DAY, HOUR
from soundstage.world.query import Between, Field, In, Predicate

EVENTS_WINDOW = 3 * HOUR  # the default startDate of listEvents: now minus three hours
RUNS_WINDOW = 7 * DAY  # and of listRuns

FILTER_FIELDS = ("status", "type")


def retrieve_run(context: RequestContext) -> Response:
    """One run, as it is now."""
    return Response(get_own_record(context, "runs", context.parameters["runID"]))


def list_runs(context: RequestContext) -> Response:
    """A page of the application's runs that were created inside a window of time."""
    period = parse_window(context, RUNS_WINDOW)
    tests: tuple[tuple[Field, Predicate], ...] = (
        ("appID", In(frozenset({application_id(context)}))),
        ("createdAt", Between(period["startDate"], period["endDate"])),
        *build_predicates(context, FILTER_FIELDS),
    )
    query = build_query(context, tests, {"updatedAt": _update_timestamp})
    page = context.collection("runs").find(
        query, context.now, context.parameters.get("taskID")
    )
    return Response({**render_page(context, "runs", page), "window": period})


def _update_timestamp(_run: JsonObject, timestamp: int) -> int:
    return timestamp


def list_events(context: RequestContext) -> Response:
    """A page of a run's events inside a window of time."""
    run = get_own_record(context, "runs", context.parameters["runID"])
    period = parse_window(context, EVENTS_WINDOW)
    published = Between(period["startDate"], period["endDate"])
    query = build_query(
        context,
        (("publishedAt", published), *build_predicates(context, FILTER_FIELDS)),
        {},
    )
    page = context.collection("events").find(query, context.now, run["runID"])
    return Response({**render_page(context, "events", page), "window": period})


def retrieve_event(context: RequestContext) -> Response:
    """One event of a run; one that is still to come is not there yet."""
    run = get_own_record(context, "runs", context.parameters["runID"])
    event_id, events = context.parameters["eventID"], context.collection("events")
    event = events.get(event_id, context.now, run["runID"])
    if event is None or event["runID"] != run["runID"]:
        raise NotFound("events", event_id)
    return Response(event)
