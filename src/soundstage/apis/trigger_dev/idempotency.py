"""Idempotency keys, which prevent that a request is carried out twice."""

from dataclasses import dataclass

import orjson

from soundstage.apis.api import RequestContext
from soundstage.apis.trigger_dev.durations import parse_duration
from soundstage.types import JsonObject
from soundstage.world.clock import DAY
from soundstage.world.commands import Put

KEY_RELEASING_STATUSES = frozenset(
    {"FAILED", "CRASHED", "INTERRUPTED", "SYSTEM_FAILURE", "TIMED_OUT", "EXPIRED"}
)
"""Statuses of runs whose key may be used again, for a new run."""


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """The id of a key's record, and how long the key is valid, in ms."""

    id: str
    ttl_ms: int = 30 * DAY


def build_key(
    context: RequestContext, kind: str, *path: str | None, ttl: str | None = None
) -> IdempotencyKey | None:
    """Return the key that the last part of a path names; None if that part is empty.

    Keys of different kinds, environments or paths are independent of each other.
    ``ttl`` is a duration as text.
    """
    if not path[-1]:
        return None
    # JSON keeps the parts apart, whatever characters they have.
    key_id = orjson.dumps([kind, context.credential["environment"], *path]).decode()
    return IdempotencyKey(key_id, parse_duration(ttl)) if ttl else IdempotencyKey(key_id)


def find_record_id(context: RequestContext, key: IdempotencyKey | None) -> str | None:
    """Return the id of the record that was created with a key, while it is valid."""
    entry = context.collection("keys").get(key.id, context.now) if key else None
    if entry is None or entry["expiresAt"] <= context.now:
        return None
    return str(entry["of"])


def find_run_id(context: RequestContext, key: IdempotencyKey | None) -> str | None:
    """Return the id of the run that was created with a key, unless it has failed."""
    # The record of the key may refer to a run that has been deleted since.
    run_id = find_record_id(context, key) or ""
    run = context.collection("runs").get(run_id, context.now)
    return run["id"] if run and run["status"] not in KEY_RELEASING_STATUSES else None


def store_key(context: RequestContext, key: IdempotencyKey | None, record_id: str) -> None:
    """Store that a record was created with a key, if there is a key."""
    if key:
        entry: JsonObject = {"of": record_id, "expiresAt": context.now + key.ttl_ms}
        context.world.apply(Put(context.api, "keys", key.id, entry))
