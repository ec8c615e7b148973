"""JSON of runs: in lists, by themselves, and as relatives of other runs."""

from collections.abc import Iterable

from soundstage.apis.api import RequestContext
from soundstage.apis.trigger_dev.model import NS_PER_MS
from soundstage.apis.trigger_dev.payload_codec import decode_metadata
from soundstage.apis.trigger_dev.spans import list_spans
from soundstage.types import JsonObject

CURRENT_VERSION = "2025-07-16"
"""The ``x-trigger-api-version`` that has the current names of statuses."""

_STATUS_NAMES = {
    CURRENT_VERSION: {"REATTEMPTING": "EXECUTING", "FROZEN": "WAITING", "INTERRUPTED": "FAILED"}
}
_OLD_STATUS_NAMES = {"DEQUEUED": "EXECUTING", "WAITING": "FROZEN"}

QUEUED_STATUSES = frozenset({"QUEUED", "PENDING_VERSION", "DELAYED"})
EXECUTING_STATUSES = frozenset({"EXECUTING", "REATTEMPTING", "FROZEN", "DEQUEUED"})
FAILED_STATUSES = frozenset({"CANCELED", "FAILED", "CRASHED", "INTERRUPTED", "SYSTEM_FAILURE"})

_COPIED_FIELDS = (
    "id", "taskIdentifier", "idempotencyKey", "version", "createdAt", "startedAt",
    "updatedAt", "finishedAt", "delayedUntil", "ttl", "expiredAt", "isTest", "depth",
    "region",
)  # fmt: skip

_BASE_COST_CENTS = 0.0025
_CENTS_PER_MS = {
    "micro": 0.00000169,
    "small-1x": 0.00000338,
    "small-2x": 0.00000675,
    "medium-1x": 0.0000085,
    "medium-2x": 0.000017,
    "large-1x": 0.000034,
    "large-2x": 0.000068,
}


def get_api_version(context: RequestContext) -> str | None:
    """Return the API version of a client; None is the oldest."""
    version = context.parameters.get("x-trigger-api-version")
    return CURRENT_VERSION if version == CURRENT_VERSION else None


def translate_status(status: str, version: str | None) -> str:
    """Return the name of a stored status in a version of the API.

    >>> translate_status("FROZEN", CURRENT_VERSION), translate_status("FROZEN", None)
    ('WAITING', 'FROZEN')
    """
    return _STATUS_NAMES.get(version or "", _OLD_STATUS_NAMES).get(status, status)


def render_listed_run(context: RequestContext, run: JsonObject) -> JsonObject:
    """Return the JSON of a run in a list."""
    environment = run["environment"]
    return {
        **_render_common(context, run),
        "env": {"id": f"env_{environment}", "name": environment},
    }


def render_run(context: RequestContext, run: JsonObject) -> JsonObject:
    """Return the JSON of a run by itself, with its relatives."""
    document = _render_related(context, run) | {
        # The real server no longer lists attempts, only their count.
        "attempts": [],
        "attemptCount": run["attemptCount"],
        "relatedRuns": _render_relatives(context, run),
    }
    for name in ("payload", "error"):
        if name in run:
            document[name] = run[name]
    if run["status"] == "COMPLETED" and "output" in run:
        document["output"] = run["output"]
    return document


def _render_relatives(context: RequestContext, run: JsonObject) -> JsonObject:
    runs = context.collection("runs")
    relatives: JsonObject = {}
    for name in ("root", "parent"):
        if relative := runs.get(run.get(f"{name}RunId", ""), context.now):
            relatives[name] = _render_related(context, relative)
    children = (runs.get(child, context.now) for child in run.get("children", ()))
    if bodies := [_render_related(context, child) for child in children if child]:
        relatives["children"] = bodies
    return relatives


def _render_related(context: RequestContext, run: JsonObject) -> JsonObject:
    document = _render_common(context, run)
    document["triggerFunction"] = run["triggerFunction"]
    if "batchId" in run:
        document["batchId"] = run["batchId"]
    return document


def _render_common(context: RequestContext, run: JsonObject) -> JsonObject:
    version = get_api_version(context)
    document = {name: run[name] for name in _COPIED_FIELDS if name in run}
    document["status"] = translate_status(run["status"], version)
    document["tags"] = sorted(run["tags"])
    if "metadata" in run:
        document["metadata"] = decode_metadata(run["metadata"])
    return {**document, **_compute_status_flags(document["status"]), **compute_usage(context, run)}


def _compute_status_flags(status: str) -> JsonObject:
    # The real server sets no flag for runs that expired or timed out.
    success = status == "COMPLETED"
    return {
        "isQueued": status in QUEUED_STATUSES,
        "isExecuting": status in EXECUTING_STATUSES,
        "isWaiting": status == "WAITING",
        "isCompleted": success or status in FAILED_STATUSES,
        "isSuccess": success,
        "isFailed": status in FAILED_STATUSES,
        "isCancelled": status == "CANCELED",
    }


def compute_usage(context: RequestContext, run: JsonObject) -> JsonObject:
    """Return the duration of a run's attempts so far, in ms, and their cost."""
    if "durationMs" in run:
        duration = run["durationMs"]
    else:
        duration = compute_duration_ms(list_spans(context, run))
    # Runs of the development environment use the developer's machine.
    is_free = run["environment"] == "dev"
    rate = 0 if is_free else _CENTS_PER_MS.get(run["machine"], _CENTS_PER_MS["small-1x"])
    return {
        "durationMs": duration,
        "costInCents": round(duration * rate, 8),
        "baseCostInCents": _BASE_COST_CENTS if "startedAt" in run and not is_free else 0,
    }


def compute_duration_ms(spans: Iterable[JsonObject]) -> int:
    """Return the duration in ms of the completed attempts, without their waits.

    >>> attempt = {"style": {"icon": "attempt"}, "isPartial": False}
    >>> compute_duration_ms([{**attempt, "duration": 5_000_000}])
    5
    """
    total = 0
    for span in spans:
        icon = span["style"].get("icon")
        # A wait is a span within an attempt.
        if not span["isPartial"] and icon in {"attempt", "wait"}:
            total += span["duration"] if icon == "attempt" else -span["duration"]
    return max(total, 0) // NS_PER_MS
