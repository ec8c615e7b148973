"""Keys that keep a request from being carried out twice."""

from dataclasses import dataclass

import orjson

from soundstage.apis.api import RequestContext
from soundstage.apis.trigger_dev.durations import parse_duration
from soundstage.types import Document
from soundstage.world.clock import DAY
from soundstage.world.commands import Put

FAILED_STATUSES = frozenset({"FAILED", "CRASHED", "INTERRUPTED", "SYSTEM_FAILURE"})
KEY_RELEASING_STATUSES = FAILED_STATUSES | {"TIMED_OUT", "EXPIRED"}
"""Runs of these statuses give their key free."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A key within its environment, and how long it is good."""

    id: str
    ttl_ms: int = 30 * DAY

    @classmethod
    def create(cls, *path: str, ttl: str | None = None) -> "IdempotencyKey":
        """A key whose name is told apart by what comes before it."""
        id_ = orjson.dumps(path).decode()
        return cls(id_, parse_duration(ttl)) if ttl else cls(id_)


def find_record_id(context: RequestContext, key: IdempotencyKey) -> str | None:
    """The record that came of this key, while it is good."""
    entry = context.collection("keys").get(key.id, context.now)
    if entry is None or entry["expiresAt"] <= context.now:
        return None
    return str(entry["of"])


def find_run_id(context: RequestContext, key: IdempotencyKey) -> str | None:
    """The run that came of this key, unless it has failed since."""
    run = context.collection("runs").get(
        find_record_id(context, key) or "", context.now
    )
    return run["id"] if run and run["status"] not in KEY_RELEASING_STATUSES else None


def store_key(context: RequestContext, key: IdempotencyKey, record_id: str) -> None:
    """Let the key lead to this record from now on."""
    entry: Document = {"of": record_id, "expiresAt": context.now + key.ttl_ms}
    context.world.apply(Put(context.api, "keys", key.id, entry))
