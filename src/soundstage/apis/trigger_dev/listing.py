"""Lists of runs: filtered, the newest first, in pages that cursors lead through."""

import base64
import binascii
from collections.abc import Callable

from soundstage.apis.api import Answer, Call
from soundstage.apis.trigger_dev.duration import moment_of, span_of
from soundstage.apis.trigger_dev.shown import listed, status_of, version_of
from soundstage.types import Document, Json
from soundstage.world.clock import DAY, rfc3339, within_years

PAGE = 25
PERIOD = 7 * DAY  # how far back a list goes unless somebody says otherwise

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
    """A page of the environment's runs. O(n log n) in all of them."""
    wanted = _filter(call)
    runs = call.collection("runs").children(call.credential["environment"], call.now)
    found = sorted(filter(wanted, runs), key=_place, reverse=True)
    start, end = _window(found, call)
    page = found[start:end]
    pagination = {}
    if page and end < len(found):
        pagination["next"] = _cursor(page[-1])
    if page and start > 0:
        pagination["previous"] = _cursor(page[0])
    return Answer({"data": [listed(call, r) for r in page], "pagination": pagination})


def _window(found: list[Document], call: Call) -> tuple[int, int]:
    """The page within what was found; ``before`` wins over ``after``.

    A cursor that leads nowhere leads to an empty page.
    """
    page = call.parameters.get("page") or {}
    size = page.get("size", PAGE)
    cursor = page.get("before") or page.get("after")
    if not cursor:
        return 0, size
    place = _place_of(cursor, call)
    if place is None:
        return 0, 0
    if page.get("before"):
        end = sum(_place(run) > place for run in found)
        return max(end - size, 0), end
    start = sum(_place(run) >= place for run in found)
    return start, start + size


def _place(run: Document) -> Place:
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


def _filter(call: Call) -> Callable[[Document], bool]:
    """Whether a run is asked for."""
    given: Document = call.parameters.get("filter") or {}
    several = {k: v.split(",") for k, v in given.items() if isinstance(v, str) and v}
    statuses, tags = several.get("status"), several.get("tag")
    since, until = _span(given.get("createdAt") or {}, call.now)
    version = version_of(call)
    fields = [(f, several[name]) for name, f in _FIELDS.items() if name in several]

    def wanted(run: Document) -> bool:
        return (
            since <= run["createdAt"] <= until
            and (not statuses or _has_status(run, statuses, version))
            and (not tags or not set(tags).isdisjoint(run["tags"]))
            and given.get("isTest", run["isTest"]) == run["isTest"]
            and all(run.get(field) in values for field, values in fields)
        )

    return wanted


def _has_status(run: Document, names: list[str], version: str | None) -> bool:
    """By the name that its clients know it under, or the one it had before."""
    return status_of(run, version) in names or run["status"] in names


def _span(given: Json, now: int) -> tuple[str, str]:
    """From when to when, as text; a period counts back from now."""
    since, until = given.get("from"), given.get("to")
    period = span_of(given["period"]) if "period" in given else PERIOD
    back = rfc3339(within_years(now - period))
    earliest = moment_of(since) if since else back if not until else ""
    if "period" in given:
        earliest = max(earliest, back)
    return earliest, moment_of(until) if until else "~"
