"""Runs as the API tells them."""

from collections.abc import Iterable

from soundstage.apis.api import Call
from soundstage.apis.trigger_dev.packet import told
from soundstage.apis.trigger_dev.spans import spans_of
from soundstage.apis.trigger_dev.vocabulary import NS
from soundstage.types import Document

PRESENT = "2025-07-16"
"""The ``x-trigger-api-version`` with which statuses have their present names."""

_NAMES = {
    PRESENT: {"REATTEMPTING": "EXECUTING", "FROZEN": "WAITING", "INTERRUPTED": "FAILED"}
}
_OLD_NAMES = {"DEQUEUED": "EXECUTING", "WAITING": "FROZEN"}

QUEUED = frozenset({"QUEUED", "PENDING_VERSION", "DELAYED"})
EXECUTING = frozenset({"EXECUTING", "REATTEMPTING", "FROZEN", "DEQUEUED"})
FAILED = frozenset({"CANCELED", "FAILED", "CRASHED", "INTERRUPTED", "SYSTEM_FAILURE"})

_FACTS = (
    "id", "taskIdentifier", "idempotencyKey", "version", "createdAt", "startedAt",
    "updatedAt", "finishedAt", "delayedUntil", "ttl", "expiredAt", "isTest", "depth",
    "region",
)  # fmt: skip

_START_CENTS = 0.0025
_CENTS_PER_MS = {
    "micro": 0.00000169,
    "small-1x": 0.00000338,
    "small-2x": 0.00000675,
    "medium-1x": 0.0000085,
    "medium-2x": 0.000017,
    "large-1x": 0.000034,
    "large-2x": 0.000068,
}


def version_of(call: Call) -> str | None:
    """The version of the API that a client speaks; None is the oldest."""
    version = call.parameters.get("x-trigger-api-version")
    return PRESENT if version == PRESENT else None


def status_of(status: str, version: str | None) -> str:
    """A run's status, as clients of this version call it."""
    return _NAMES.get(version or "", _OLD_NAMES).get(status, status)


def listed(call: Call, run: Document) -> Document:
    """A run in a list."""
    environment = run["environment"]
    return {
        **_common(call, run),
        "env": {"id": f"env_{environment}", "name": environment},
    }


def retrieved(call: Call, run: Document) -> Document:
    """A run by itself. The server gives attempts no longer, only their count."""
    document = _related(call, run) | {
        "attempts": [],
        "attemptCount": run["attemptCount"],
        "relatedRuns": _relatives(call, run),
    }
    for name in ("payload", "error"):
        if name in run:
            document[name] = run[name]
    if run["status"] == "COMPLETED" and "output" in run:
        document["output"] = run["output"]
    return document


def _relatives(call: Call, run: Document) -> Document:
    runs = call.collection("runs")
    relatives: Document = {}
    for name in ("root", "parent"):
        if above := runs.get(run.get(f"{name}RunId", ""), call.now):
            relatives[name] = _related(call, above)
    below = (runs.get(child, call.now) for child in run.get("children", ()))
    if children := [_related(call, child) for child in below if child]:
        relatives["children"] = children
    return relatives


def _related(call: Call, run: Document) -> Document:
    document = _common(call, run)
    document["triggerFunction"] = run["triggerFunction"]
    if "batchId" in run:
        document["batchId"] = run["batchId"]
    return document


def _common(call: Call, run: Document) -> Document:
    version = version_of(call)
    document = {name: run[name] for name in _FACTS if name in run}
    document["status"] = status_of(run["status"], version)
    document["tags"] = sorted(run["tags"])
    if "metadata" in run:
        document["metadata"] = told(run["metadata"])
    return {**document, **_helpers(document["status"]), **usage_of(call, run)}


def _helpers(status: str) -> Document:
    """What the server says of a status; of what expired or timed out, nothing."""
    success = status == "COMPLETED"
    return {
        "isQueued": status in QUEUED,
        "isExecuting": status in EXECUTING,
        "isWaiting": status == "WAITING",
        "isCompleted": success or status in FAILED,
        "isSuccess": success,
        "isFailed": status in FAILED,
        "isCancelled": status == "CANCELED",
    }


def usage_of(call: Call, run: Document) -> Document:
    """What a run has taken so far: the time of its attempts, and what that costs.

    Runs of the development environment cost nothing: they are on the user's machine.
    """
    duration = run.get("durationMs", computed_ms(spans_of(call, run)))
    free = run["environment"] == "dev"
    rate = 0 if free else _CENTS_PER_MS.get(run["machine"], _CENTS_PER_MS["small-1x"])
    return {
        "durationMs": duration,
        "costInCents": round(duration * rate, 8),
        "baseCostInCents": _START_CENTS if "startedAt" in run and not free else 0,
    }


def computed_ms(spans: Iterable[Document]) -> int:
    """The time of the attempts that are over, without the waits in them."""
    total = 0
    for span in spans:
        icon = span["style"].get("icon")
        if not span["isPartial"] and icon in {"attempt", "wait"}:
            total += span["duration"] if icon == "attempt" else -span["duration"]
    return max(total, 0) // NS
