"""Lists of runs: filtered, the newest first, in pages that cursors lead through."""

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
from soundstage.types import Document, Json
from soundstage.world.clock import DAY, rfc3339, within_years
from soundstage.world.query import (
    Among,
    Aspect,
    Between,
    Holds,
    Page,
    Query,
    Test,
)

DEFAULT_PAGE_SIZE = 25
DEFAULT_PERIOD = 7 * DAY  # how far back a list goes unless somebody says otherwise

Filters = tuple[tuple[Aspect, Test], ...]

SortKey = tuple[str, str]
"""Where a run stands in the order: when it was made, and its id."""

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
"""Filters by one of several values of a field."""


def list_runs(context: RequestContext) -> Response:
    """A page of the environment's runs."""
    tests = tuple(_parse_filters(context))
    start, size = _compute_window(context, tests)
    page = _find_runs(
        context, Query(tests, _get_sort_key, descending=True, start=start, size=size)
    )
    runs, pagination = page.documents, {}
    if runs and start + size < page.total:
        pagination["next"] = _encode_cursor(runs[-1])
    if runs and start > 0:
        pagination["previous"] = _encode_cursor(runs[0])
    return Response(
        {
            "data": [render_listed_run(context, r) for r in runs],
            "pagination": pagination,
        }
    )


def _compute_window(context: RequestContext, filters: Filters) -> tuple[int, int]:
    """Where the page begins among what is found, and how many it has.

    ``before`` wins over ``after``. A cursor that leads nowhere leads to an empty page.
    """
    page = context.parameters.get("page") or {}
    size = page.get("size", DEFAULT_PAGE_SIZE)
    cursor = page.get("before") or page.get("after")
    if not cursor:
        return 0, size
    place = _decode_cursor(cursor, context)
    if place is None:
        return 0, 0
    newer = _find_runs(
        context, Query((*filters, (_get_sort_key, Between(place))))
    ).total
    if page.get("before"):
        newer -= _find_runs(
            context, Query((*filters, (_get_sort_key, Among(frozenset({place})))))
        ).total
        start = max(newer - size, 0)
        return start, newer - start
    return newer, size


def _find_runs(context: RequestContext, query: Query) -> Page:
    environment = context.credential["environment"]
    return context.collection("runs").find(query, context.now, environment)


def _get_sort_key(run: Document, _timestamp: int = 0) -> SortKey:
    return run["createdAt"], run["id"]


def _encode_cursor(run: Document) -> str:
    text = "\0".join(_get_sort_key(run))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode_cursor(cursor: str, context: RequestContext) -> SortKey | None:
    """The place that a cursor, or the bare id of a run, means."""
    run = context.collection("runs").get(cursor, context.now)
    if run:
        return _get_sort_key(run)
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        created, _, run_id = raw.decode().partition("\0")
    except (binascii.Error, ValueError):
        return None
    return (created, run_id) if run_id else None


def _parse_filters(context: RequestContext) -> Iterator[tuple[Aspect, Test]]:
    """Which runs are asked for."""
    given: Document = context.parameters.get("filter") or {}
    several = {k: v.split(",") for k, v in given.items() if isinstance(v, str) and v}
    yield (
        "createdAt",
        Between(*_parse_created_range(given.get("createdAt") or {}, context.now)),
    )
    if statuses := several.get("status"):
        version = get_api_version(context)
        yield "status", Holds(lambda status: _matches_status(status, statuses, version))
    if tags := several.get("tag"):
        yield _get_tags, Holds(lambda own: not set(tags).isdisjoint(own))
    if "isTest" in given:
        yield "isTest", Among(frozenset({given["isTest"]}))
    for name, field in _FILTER_FIELDS.items():
        if name in several:
            yield field, Among(frozenset(several[name]))


def _get_tags(run: Document, _timestamp: int) -> tuple[str, ...]:
    return tuple(run["tags"])


def _matches_status(status: str, names: list[str], version: str | None) -> bool:
    """By the name that its clients know it under, or the one it had before."""
    return translate_status(status, version) in names or status in names


def _parse_created_range(created_at: Json, now: int) -> tuple[str, str]:
    """From when to when, as text; a period counts back from now."""
    since, until = created_at.get("from"), created_at.get("to")
    period = (
        parse_duration(created_at["period"])
        if "period" in created_at
        else DEFAULT_PERIOD
    )
    back = rfc3339(within_years(now - period))
    earliest = normalize_time(since) if since else back if not until else ""
    if "period" in created_at:
        earliest = max(earliest, back)
    return earliest, normalize_time(until) if until else "~"
