"""Lists of runs: filtered, the newest first, in pages that cursors lead through."""

import base64
import binascii
from collections.abc import Iterator

from soundstage.apis.api import Answer, Call
from soundstage.apis.trigger_dev.duration import moment_of, span_of
from soundstage.apis.trigger_dev.shown import listed, status_of, version_of
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

PAGE = 25
PERIOD = 7 * DAY  # how far back a list goes unless somebody says otherwise

Tests = tuple[tuple[Aspect, Test], ...]

Place = tuple[str, str]
"""Where a run stands in the order: when it was made, and its id."""

_FIELDS = {
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


def list_runs(call: Call) -> Answer:
    """A page of the environment's runs."""
    tests = tuple(_tests(call))
    start, size = _window(call, tests)
    page = _found(call, Query(tests, _place, descending=True, start=start, size=size))
    runs, pagination = page.documents, {}
    if runs and start + size < page.total:
        pagination["next"] = _cursor(runs[-1])
    if runs and start > 0:
        pagination["previous"] = _cursor(runs[0])
    return Answer({"data": [listed(call, r) for r in runs], "pagination": pagination})


def _window(call: Call, tests: Tests) -> tuple[int, int]:
    """Where the page begins among what is found, and how many it has.

    ``before`` wins over ``after``. A cursor that leads nowhere leads to an empty page.
    """
    page = call.parameters.get("page") or {}
    size = page.get("size", PAGE)
    cursor = page.get("before") or page.get("after")
    if not cursor:
        return 0, size
    place = _place_of(cursor, call)
    if place is None:
        return 0, 0
    newer = _found(call, Query((*tests, (_place, Between(place))))).total
    if page.get("before"):
        newer -= _found(
            call, Query((*tests, (_place, Among(frozenset({place})))))
        ).total
        start = max(newer - size, 0)
        return start, newer - start
    return newer, size


def _found(call: Call, query: Query) -> Page:
    environment = call.credential["environment"]
    return call.collection("runs").find(query, call.now, environment)


def _place(run: Document, _at: int = 0) -> Place:
    return run["createdAt"], run["id"]


def _cursor(run: Document) -> str:
    text = "\0".join(_place(run))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place_of(cursor: str, call: Call) -> Place | None:
    """The place that a cursor, or the bare id of a run, means."""
    run = call.collection("runs").get(cursor, call.now)
    if run:
        return _place(run)
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        created, _, run_id = raw.decode().partition("\0")
    except (binascii.Error, ValueError):
        return None
    return (created, run_id) if run_id else None


def _tests(call: Call) -> Iterator[tuple[Aspect, Test]]:
    """Which runs are asked for."""
    given: Document = call.parameters.get("filter") or {}
    several = {k: v.split(",") for k, v in given.items() if isinstance(v, str) and v}
    yield "createdAt", Between(*_span(given.get("createdAt") or {}, call.now))
    if statuses := several.get("status"):
        version = version_of(call)
        yield "status", Holds(lambda status: _is_one(status, statuses, version))
    if tags := several.get("tag"):
        yield _tags, Holds(lambda own: not set(tags).isdisjoint(own))
    if "isTest" in given:
        yield "isTest", Among(frozenset({given["isTest"]}))
    for name, field in _FIELDS.items():
        if name in several:
            yield field, Among(frozenset(several[name]))


def _tags(run: Document, _at: int) -> tuple[str, ...]:
    return tuple(run["tags"])


def _is_one(status: str, names: list[str], version: str | None) -> bool:
    """By the name that its clients know it under, or the one it had before."""
    return status_of(status, version) in names or status in names


def _span(given: Json, now: int) -> tuple[str, str]:
    """From when to when, as text; a period counts back from now."""
    since, until = given.get("from"), given.get("to")
    period = span_of(given["period"]) if "period" in given else PERIOD
    back = rfc3339(within_years(now - period))
    earliest = moment_of(since) if since else back if not until else ""
    if "period" in given:
        earliest = max(earliest, back)
    return earliest, moment_of(until) if until else "~"
