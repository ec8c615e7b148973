"""Keys that keep a request from being carried out twice."""

from dataclasses import dataclass

import orjson

from soundstage.apis.api import Call
from soundstage.apis.trigger_dev.duration import span_of
from soundstage.types import Document
from soundstage.world.clock import DAY
from soundstage.world.log import Put

FAILED = frozenset({"FAILED", "CRASHED", "INTERRUPTED", "SYSTEM_FAILURE"})
DEAD = FAILED | {"TIMED_OUT", "EXPIRED"}
"""Runs of these statuses give their key free."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key within its environment, and how long it is good."""

    id: str
    span: int = 30 * DAY

    @classmethod
    def of(cls, *path: str, ttl: str | None = None) -> "Key":
        """A key whose name is told apart by what comes before it."""
        id_ = orjson.dumps(path).decode()
        return cls(id_, span_of(ttl)) if ttl else cls(id_)


def known(call: Call, key: Key) -> str | None:
    """The record that came of this key, while it is good."""
    entry = call.collection("keys").get(key.id, call.now)
    if entry is None or entry["expiresAt"] <= call.now:
        return None
    return str(entry["of"])


def known_run(call: Call, key: Key) -> str | None:
    """The run that came of this key, unless it has failed since."""
    run = call.collection("runs").get(known(call, key) or "", call.now)
    return run["id"] if run and run["status"] not in DEAD else None


def remember(call: Call, key: Key, record_id: str) -> None:
    """Let the key lead to this record from now on."""
    entry: Document = {"of": record_id, "expiresAt": call.now + key.span}
    call.world.apply(Put(call.api, "keys", key.id, entry))
