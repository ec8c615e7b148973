"""Subscriptions to a run, by the HTTP protocol of ElectricSQL's shapes.

A client requests the run's row first, then repeatedly its changes. A live request waits
for the next change (long polling).
"""

from zlib import crc32

import orjson

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.access import get_run
from soundstage.apis.trigger_dev.payload_codec import decode_metadata, encode_json
from soundstage.apis.trigger_dev.results import build_error
from soundstage.apis.trigger_dev.serializers import FAILED_STATUSES, compute_usage
from soundstage.types import Json, JsonObject

_DATABASE_STATUSES = {
    "QUEUED": "PENDING",
    "REATTEMPTING": "RETRYING_AFTER_FAILURE",
    "FROZEN": "WAITING_TO_RESUME",
    "COMPLETED": "COMPLETED_SUCCESSFULLY",
    "FAILED": "COMPLETED_WITH_ERRORS",
}
"""Statuses whose name in the database differs from the API's."""

_COLUMN_TYPES = {
    "number": "int4",
    "usageDurationMs": "int4",
    "isTest": "bool",
    "costInCents": "float8",
    "baseCostInCents": "float8",
    "error": "jsonb",
    "status": "TaskRunStatus",
}
_DATE_COLUMNS = {
    "createdAt": "createdAt",
    "updatedAt": "updatedAt",
    "startedAt": "startedAt",
    "delayUntil": "delayedUntil",
    "queuedAt": "queuedAt",
    "expiredAt": "expiredAt",
    "completedAt": "finishedAt",
}
"""Fields of a run by the column of their value."""

_ARRAY_COLUMNS = frozenset({"runTags", "realtimeStreams"})
# Columns without which the official client cannot parse a row.
_REQUIRED_COLUMNS = frozenset({"id", "taskIdentifier", "friendlyId", "status", "createdAt"})

UP_TO_DATE: JsonObject = {"headers": {"control": "up-to-date"}}


async def subscribe_to_run(context: RequestContext) -> Response:
    """Return the run's row if the client does not have it; wait if it is live."""
    params = context.parameters
    run = get_run(context)
    handle = str(crc32(run["id"].encode()))
    columns = (params.get("skipColumns") or "").split(",")
    skipped = frozenset(columns) - _REQUIRED_COLUMNS
    # An offset identifies the row that a client has: when it was read, and a checksum.
    offset = params["offset"]
    checksum = offset.partition("_")[2]
    row = _build_row(context, run, skipped)
    while params.get("live") == "true" and _compute_checksum(row) == checksum:
        record = context.collection("runs").get_record(run["id"])
        next_change = record.next_change(context.now) if record else None
        context = await context.wait_for_change(next_change)
        # A change of a skipped column leaves the row as it is, so the wait goes on.
        run = get_run(context)
        row = _build_row(context, run, skipped)
    has_row = offset == "now" or _compute_checksum(row) == checksum
    operation = "insert" if offset == "-1" else "update"
    changes = [] if has_row else [_build_change(run, row, operation)]
    headers = _build_headers(context, handle, row)
    return Response([*changes, UP_TO_DATE], headers=headers)


def _build_headers(
    context: RequestContext, handle: str, row: JsonObject
) -> tuple[tuple[str, str], ...]:
    return (
        ("electric-handle", handle),
        ("electric-offset", f"{context.now}_{_compute_checksum(row)}"),
        ("electric-schema", encode_json({name: _describe_column(name) for name in row})),
        ("electric-cursor", str(context.now)),
        ("electric-up-to-date", ""),
        ("cache-control", "no-store"),
    )


def _describe_column(name: str) -> JsonObject:
    if name in _ARRAY_COLUMNS:
        return {"type": "text", "dims": 1}
    if name.endswith(("At", "Until")):
        return {"type": "timestamp", "precision": 3}
    return {"type": _COLUMN_TYPES.get(name, "text")}


def _compute_checksum(row: JsonObject) -> str:
    return str(crc32(orjson.dumps(row)))


def _build_change(run: JsonObject, row: JsonObject, operation: str) -> JsonObject:
    key = f'"public"."TaskRun"/"{run["id"].removeprefix("run_")}"'
    return {"key": key, "value": row, "headers": {"operation": operation}}


def _build_row(context: RequestContext, run: JsonObject, skipped: frozenset[str]) -> JsonObject:
    """Return the run as a row of the database, with texts as values."""
    usage = compute_usage(context, run)
    has_failed = run["status"] in FAILED_STATUSES or "error" in run
    has_output = run["status"] == "COMPLETED" and "output" in run
    metadata = decode_metadata(run["metadata"]) if "metadata" in run else None
    dates = {column: run.get(name) for column, name in _DATE_COLUMNS.items()}
    row: JsonObject = {
        "id": run["id"].removeprefix("run_"),
        "friendlyId": run["id"],
        "taskIdentifier": run["taskIdentifier"],
        "status": _DATABASE_STATUSES.get(run["status"], run["status"]),
        **{column: _format_date(date) for column, date in dates.items()},
        "idempotencyKey": run.get("idempotencyKey"),
        "number": "0",
        "isTest": str(run["isTest"]).lower(),
        "usageDurationMs": str(usage["durationMs"]),
        "costInCents": str(usage["costInCents"]),
        "baseCostInCents": str(usage["baseCostInCents"]),
        "ttl": run.get("ttl"),
        **_build_packet("payload", run, is_present="payload" in run),
        **_build_packet("output", run, is_present=has_output),
        "metadata": None if metadata is None else encode_json(metadata),
        "metadataType": "application/json",
        "runTags": _format_array(run["tags"]),
        "error": encode_json(build_error(run)) if has_failed else None,
        "realtimeStreams": _format_array([]),
    }
    return {name: value for name, value in row.items() if name not in skipped}


def _format_date(text: str | None) -> str | None:
    # The client appends the Z.
    return text and text.removesuffix("Z")


def _build_packet(name: str, run: JsonObject, *, is_present: bool) -> JsonObject:
    value: Json = encode_json(run[name]) if is_present else None
    return {name: value, f"{name}Type": "application/json"}


def _format_array(texts: list[str]) -> str:
    """Format texts as an array literal of PostgreSQL.

    >>> _format_array(["a", "b"])
    '{"a","b"}'
    """
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
