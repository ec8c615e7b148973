"""Handlers for runs and their events."""

from soundstage.apis.algolia_ingestion.application import application_id, get_requested
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

# The contract's defaults of startDate: so long before now.
EVENTS_WINDOW = 3 * HOUR
RUNS_WINDOW = 7 * DAY

FILTER_FIELDS = ("status", "type")


def retrieve_run(context: RequestContext) -> Response:
    """Return a run as of now."""
    return Response(get_requested(context, "runs"))


def list_runs(context: RequestContext) -> Response:
    """Return a page of the application's runs that were created within a window."""
    window = parse_window(context, RUNS_WINDOW)
    predicates: tuple[tuple[Field, Predicate], ...] = (
        ("appID", In(frozenset({application_id(context)}))),
        ("createdAt", Between(window["startDate"], window["endDate"])),
        *build_predicates(context, FILTER_FIELDS),
    )
    query = build_query(context, predicates, {"updatedAt": _update_timestamp})
    task_id = context.parameters.get("taskID")
    page = context.collection("runs").find(query, context.now, task_id)
    return Response({**render_page(context, "runs", page), "window": window})


def _update_timestamp(_run: JsonObject, timestamp: int) -> int:
    return timestamp


def list_events(context: RequestContext) -> Response:
    """Return a page of a run's events that were published within a window."""
    run = get_requested(context, "runs")
    window = parse_window(context, EVENTS_WINDOW)
    predicates = (
        ("publishedAt", Between(window["startDate"], window["endDate"])),
        *build_predicates(context, FILTER_FIELDS),
    )
    query = build_query(context, predicates, {})
    page = context.collection("events").find(query, context.now, run["runID"])
    return Response({**render_page(context, "events", page), "window": window})


def retrieve_event(context: RequestContext) -> Response:
    """Return an event of a run; a future event is not found."""
    run = get_requested(context, "runs")
    event_id, events = context.parameters["eventID"], context.collection("events")
    event = events.get(event_id, context.now, run["runID"])
    if event is None or event["runID"] != run["runID"]:
        raise NotFound("events", event_id)
    return Response(event)
