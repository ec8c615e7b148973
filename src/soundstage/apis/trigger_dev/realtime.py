"""A run that is followed, by the protocol of ElectricSQL's shapes.

A client asks for the row first, then again and again for what has changed since, and
is kept waiting until something has.
"""

from zlib import crc32

import orjson

from soundstage.apis.api import Answer, Call
from soundstage.apis.trigger_dev.packet import encoded, told
from soundstage.apis.trigger_dev.refusals import own
from soundstage.apis.trigger_dev.result import error_of
from soundstage.apis.trigger_dev.shown import FAILED, usage_of
from soundstage.types import Document, Json

_STORED = {
    "QUEUED": "PENDING",
    "REATTEMPTING": "RETRYING_AFTER_FAILURE",
    "FROZEN": "WAITING_TO_RESUME",
    "COMPLETED": "COMPLETED_SUCCESSFULLY",
    "FAILED": "COMPLETED_WITH_ERRORS",
}
"""Statuses that the database calls otherwise."""

_TYPES = {
    "number": "int4",
    "usageDurationMs": "int4",
    "isTest": "bool",
    "costInCents": "float8",
    "baseCostInCents": "float8",
    "error": "jsonb",
    "status": "TaskRunStatus",
}
_LISTS = frozenset({"runTags", "realtimeStreams"})
_ALWAYS = frozenset({"id", "taskIdentifier", "friendlyId", "status", "createdAt"})

UP_TO_DATE: Document = {"headers": {"control": "up-to-date"}}


async def subscribe_to_run(call: Call) -> Answer:
    """The run's row; of a live request, as soon as it is another one.

    An offset tells which row a client has: when it was read, and a checksum of it.
    """
    given = call.parameters
    run = own(call, "runs", given["runId"])
    handle = str(crc32(run["id"].encode()))
    skipped = frozenset((given.get("skipColumns") or "").split(",")) - _ALWAYS
    row, seen = _row(call, run, skipped), given["offset"]
    while given.get("live") == "true" and _checksum(row) == seen.partition("_")[2]:
        record = call.collection("runs").record(run["id"])
        call = await call.later(record.next_after(call.now) if record else None)
        run = own(call, "runs", given["runId"])
        row = _row(call, run, skipped)
    operation = "insert" if seen == "-1" else "update"
    known = seen == "now" or _checksum(row) == seen.partition("_")[2]
    changes = [] if known else [_change(run, row, operation)]
    return Answer([*changes, UP_TO_DATE], headers=_headers(call, handle, row))


def _headers(call: Call, handle: str, row: Document) -> tuple[tuple[str, str], ...]:
    return (
        ("electric-handle", handle),
        ("electric-offset", f"{call.now}_{_checksum(row)}"),
        ("electric-schema", encoded({name: _column(name) for name in row})),
        ("electric-cursor", str(call.now)),
        ("electric-up-to-date", ""),
        ("cache-control", "no-store"),
    )


def _column(name: str) -> Document:
    if name in _LISTS:
        return {"type": "text", "dims": 1}
    if name.endswith(("At", "Until")):
        return {"type": "timestamp", "precision": 3}
    return {"type": _TYPES.get(name, "text")}


def _checksum(row: Document) -> str:
    return str(crc32(orjson.dumps(row)))


def _change(run: Document, row: Document, operation: str) -> Document:
    key = f'"public"."TaskRun"/"{run["id"].removeprefix("run_")}"'
    return {"key": key, "value": row, "headers": {"operation": operation}}


def _row(call: Call, run: Document, skipped: frozenset[str]) -> Document:
    """The run as a row of the database, all of it as text."""
    usage = usage_of(call, run)
    failed = run["status"] in FAILED or "error" in run
    row: Document = {
        "id": run["id"].removeprefix("run_"),
        "friendlyId": run["id"],
        "taskIdentifier": run["taskIdentifier"],
        "status": _STORED.get(run["status"], run["status"]),
        **{column: _date(run.get(name)) for column, name in _DATES.items()},
        "idempotencyKey": run.get("idempotencyKey"),
        "number": "0",
        "isTest": str(run["isTest"]).lower(),
        "usageDurationMs": str(usage["durationMs"]),
        "costInCents": str(usage["costInCents"]),
        "baseCostInCents": str(usage["baseCostInCents"]),
        "ttl": run.get("ttl"),
        **_packet("payload", run, there="payload" in run),
        **_packet(
            "output", run, there=run["status"] == "COMPLETED" and "output" in run
        ),
        "metadata": encoded(told(run["metadata"])) if "metadata" in run else None,
        "metadataType": "application/json",
        "runTags": _array(run["tags"]),
        "error": encoded(error_of(run)) if failed else None,
        "realtimeStreams": _array([]),
    }
    return {name: value for name, value in row.items() if name not in skipped}


_DATES = {
    "createdAt": "createdAt",
    "updatedAt": "updatedAt",
    "startedAt": "startedAt",
    "delayUntil": "delayedUntil",
    "queuedAt": "queuedAt",
    "expiredAt": "expiredAt",
    "completedAt": "finishedAt",
}


def _date(text: str | None) -> str | None:
    """The client adds the Z."""
    return text and text.removesuffix("Z")


def _packet(name: str, run: Document, *, there: bool) -> Document:
    value: Json = encoded(run[name]) if there else None
    return {name: value, f"{name}Type": "application/json"}


def _array(texts: list[str]) -> str:
    """A list of texts as PostgreSQL writes it."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
