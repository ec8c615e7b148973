"""Tasks: how they are told, changed, enabled and disabled."""

from typing import Final

from soundstage.apis.algolia_ingestion.lists import field
from soundstage.apis.algolia_ingestion.resources import Resource
from soundstage.apis.algolia_ingestion.schedule import is_cron
from soundstage.apis.algolia_ingestion.switch import is_enabled
from soundstage.apis.algolia_ingestion.vocabulary import VOCABULARY
from soundstage.apis.api import Call, Impossible
from soundstage.types import Document, Json
from soundstage.world.clock import rfc3339
from soundstage.world.schedule import next_at


def _task(body: Document) -> Document:
    """What is kept of a task; without a word about it, it is enabled."""
    return _checked({"enabled": True, **body})


def _checked(task: Document) -> Document:
    """The task, if its cron can be understood. Raises ``Impossible``."""
    if "cron" in task and not is_cron(task["cron"]):
        msg = f"{task['cron']!r} is no cron expression of five fields"
        raise Impossible(msg)
    return task


def settled(call: Call, task: Document) -> Document:
    """The task as its runs left it. O(runs not over for good)."""
    enabled = is_enabled(call.world.state(call.api), task, call.now)
    return {**task, "enabled": enabled}


def shown(call: Call, task: Document) -> Document:
    """The settled task, and when its cron last ran and will run next."""
    told = settled(call, task)
    return {**told, **_moments(call, told)} if is_cron(task.get("cron")) else told


def _moments(call: Call, task: Document) -> Document:
    newest = call.collection("runs").newest(call.now, task["taskID"])
    runs = (run for record in newest if (run := record.as_of(call.now)))
    ran = (run["createdAt"] for run in runs if run["type"] != "push")
    due = next_at(task["cron"], call.now) if task["enabled"] else None
    moments = {"lastRun": next(ran, None), "nextRun": due and rfc3339(due)}
    return {name: moment for name, moment in moments.items() if moment}


def triggers(task: Document) -> tuple[str, ...]:
    """What starts a task, besides requests."""
    found = {
        "schedule": task.get("cron"),
        "subscription": task.get("subscriptionAction"),
        "streaming": task.get("input", {}).get("mapping"),
    }
    return tuple(name for name, there in found.items() if there) or ("onDemand",)


def _source_type(call: Call, task: Document) -> tuple[Json]:
    source = call.get("sources", task["sourceID"])
    return (source["type"],)


def _mails(_: Call, task: Document) -> tuple[bool]:
    email: Document = task.get("notifications", {}).get("email", {})
    return (email.get("enabled", False),)


TASKS: Final = Resource(
    VOCABULARY.kinds["task"],
    filters={
        "action": field("action"),
        "enabled": field("enabled"),
        "sourceID": field("sourceID"),
        "sourceType": _source_type,
        "destinationID": field("destinationID"),
        "triggerType": lambda _, task: triggers(task),
        "withEmailNotifications": _mails,
    },
    made=_task,
    settled=settled,
    shown=shown,
    keys={"triggerType": lambda task: triggers(task)[0]},
    named=False,
)


def revised(call: Call, old: Document) -> Document:
    """The task with what the request gives."""
    return _checked({**old, **call.body})


def rewritten(call: Call, old: Document) -> Document:
    """The task as the request describes it; its source stays."""
    kept = {name: old[name] for name in ("taskID", "sourceID", "owner", "createdAt")}
    return {**kept, **_task(call.body)}


def enabled(_: Call, old: Document) -> Document:
    """The task, taking runs."""
    return {**old, "enabled": True}


def disabled(_: Call, old: Document) -> Document:
    """The task, taking no runs."""
    return {**old, "enabled": False}
