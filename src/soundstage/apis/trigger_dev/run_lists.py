"""Lists of runs: filtered, the newest first, in pages with cursors."""

import base64
import binascii
from collections.abc import Iterator

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.durations import normalize_time, parse_duration
from soundstage.apis.trigger_dev.serializers import (
    get_api_version,
    render_listed_run,
    translate_status,
)
from soundstage.types import Json, JsonObject
from soundstage.world.clock import DAY, clamp_timestamp, format_rfc3339
from soundstage.world.query import Between, Field, In, Matches, Page, Predicate, Query

DEFAULT_PAGE_SIZE = 25

DEFAULT_PERIOD = 7 * DAY
"""Age of the oldest runs in a list, unless a filter sets it, in ms."""

Filters = tuple[tuple[Field, Predicate], ...]

SortKey = tuple[str, str]
"""A run's creation time and its id."""

_FILTER_FIELDS = {
    "taskIdentifier": "taskIdentifier",
    "version": "version",
    "queue": "queue",
    "machine": "machine",
    "region": "region",
    "batch": "batchId",
    "schedule": "scheduleId",
    "bulkAction": "bulkActionId",
    "error": "errorId",
}
"""Fields by the filter that lists their accepted values."""


def list_runs(context: RequestContext) -> Response:
    """Return a page of the environment's runs."""
    filters = tuple(_parse_filters(context))
    start, size = _compute_window(context, filters)
    query = Query(filters, _get_sort_key, descending=True, offset=start, limit=size)
    page = _find_runs(context, query)
    runs, pagination = page.items, {}
    if runs and start + size < page.total:
        pagination["next"] = _encode_cursor(runs[-1])
    if runs and start > 0:
        pagination["previous"] = _encode_cursor(runs[0])
    data = [render_listed_run(context, run) for run in runs]
    return Response({"data": data, "pagination": pagination})


def _compute_window(context: RequestContext, filters: Filters) -> tuple[int, int]:
    """Return the index of the page's first run among the matching ones, and its size.

    ``before`` has priority over ``after``. An invalid cursor yields an empty page.
    """
    page = context.parameters.get("page") or {}
    size = page.get("size", DEFAULT_PAGE_SIZE)
    cursor = page.get("before") or page.get("after")
    if not cursor:
        return 0, size
    key = _decode_cursor(cursor, context)
    if key is None:
        return 0, 0
    # A cursor is a position in the order and no index, so new runs do not move pages.
    query = Query((*filters, (_get_sort_key, Between(key))))
    end = _find_runs(context, query).total
    if not page.get("before"):
        return end, size
    query = Query((*filters, (_get_sort_key, In(frozenset({key})))))
    end -= _find_runs(context, query).total
    start = max(end - size, 0)
    return start, end - start


def _find_runs(context: RequestContext, query: Query) -> Page:
    environment = context.credential["environment"]
    return context.collection("runs").find(query, context.now, environment)


def _get_sort_key(run: JsonObject, _timestamp: int = 0) -> SortKey:
    return run["createdAt"], run["id"]


def _encode_cursor(run: JsonObject) -> str:
    text = "\0".join(_get_sort_key(run))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode_cursor(cursor: str, context: RequestContext) -> SortKey | None:
    """Return the position of a cursor, which may also be the id of a run."""
    run = context.collection("runs").get(cursor, context.now)
    if run:
        return _get_sort_key(run)
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        created, _, run_id = raw.decode().partition("\0")
    except (binascii.Error, ValueError):
        return None
    return (created, run_id) if run_id else None


def _parse_filters(context: RequestContext) -> Iterator[tuple[Field, Predicate]]:
    params: JsonObject = context.parameters.get("filter") or {}
    lists = {k: v.split(",") for k, v in params.items() if isinstance(v, str) and v}
    created = _parse_created_range(params.get("createdAt") or {}, context.now)
    yield "createdAt", Between(*created)
    if statuses := lists.get("status"):
        version = get_api_version(context)
        yield ("status", Matches(lambda status: _matches_status(status, statuses, version)))
    if tags := lists.get("tag"):
        yield _get_tags, Matches(lambda own: not set(tags).isdisjoint(own))
    if "isTest" in params:
        yield "isTest", In(frozenset({params["isTest"]}))
    for name, field in _FILTER_FIELDS.items():
        if name in lists:
            yield field, In(frozenset(lists[name]))


def _get_tags(run: JsonObject, _timestamp: int) -> tuple[str, ...]:
    return tuple(run["tags"])


def _matches_status(status: str, names: list[str], version: str | None) -> bool:
    # Both the name in the client's version and the stored name match.
    return translate_status(status, version) in names or status in names


def _parse_created_range(created_at: Json, now: int) -> tuple[str, str]:
    """Return the earliest and the latest creation time as text."""
    since, until = created_at.get("from"), created_at.get("to")
    earliest = normalize_time(since) if since else ""
    # The default period applies only if there are no other limits.
    if "period" in created_at or not (since or until):
        text = created_at.get("period")
        period = DEFAULT_PERIOD if text is None else parse_duration(text)
        earliest = max(earliest, format_rfc3339(clamp_timestamp(now - period)))
    # "~" sorts after all times.
    return earliest, normalize_time(until) if until else "~"
