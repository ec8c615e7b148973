"""Tasks: how they are told, changed, enabled and disabled."""

from typing import Final

from soundstage.apis.algolia_ingestion.auto_disable import is_enabled
from soundstage.apis.algolia_ingestion.lists import field_values
from soundstage.apis.algolia_ingestion.model import MODEL
from soundstage.apis.algolia_ingestion.resources import Resource
from soundstage.apis.algolia_ingestion.schedule import is_valid_cron
from soundstage.apis.api import BadRequest, RequestContext
from soundstage.types import Json, JsonObject
from soundstage.world.clock import format_rfc3339
from soundstage.world.scheduler import next_cron_tick


def _build_task(body: JsonObject) -> JsonObject:
    """What is kept of a task; without a word about it, it is enabled."""
    return _check_cron({"enabled": True, **body})


def _check_cron(task: JsonObject) -> JsonObject:
    """The task, if its cron can be understood. Raises ``Impossible``."""
    if "cron" in task and not is_valid_cron(task["cron"]):
        msg = f"{task['cron']!r} is no cron expression of five fields"
        raise BadRequest(msg)
    return task


def refresh_task(context: RequestContext, task: JsonObject) -> JsonObject:
    """The task as its runs left it. O(runs not over for good)."""
    enabled = is_enabled(context.world.state(context.api), task, context.now)
    return {**task, "enabled": enabled}


def render_task(context: RequestContext, task: JsonObject) -> JsonObject:
    """The settled task, and when its cron last ran and will run next."""
    told = refresh_task(context, task)
    return (
        {**told, **_render_run_times(context, told)}
        if is_valid_cron(task.get("cron"))
        else told
    )


def _render_run_times(context: RequestContext, task: JsonObject) -> JsonObject:
    newest = context.collection("runs").newest_first(context.now, task["taskID"])
    runs = (run for record in newest if (run := record.as_of(context.now)))
    ran = (run["createdAt"] for run in runs if run["type"] != "push")
    due = next_cron_tick(task["cron"], context.now) if task["enabled"] else None
    moments = {"lastRun": next(ran, None), "nextRun": due and format_rfc3339(due)}
    return {name: moment for name, moment in moments.items() if moment}


def list_triggers(task: JsonObject) -> tuple[str, ...]:
    """What starts a task, besides requests."""
    found = {
        "schedule": task.get("cron"),
        "subscription": task.get("subscriptionAction"),
        "streaming": task.get("input", {}).get("mapping"),
    }
    return tuple(name for name, there in found.items() if there) or ("onDemand",)


def _source_type_values(context: RequestContext, task: JsonObject) -> tuple[Json]:
    source = context.get("sources", task["sourceID"])
    return (source["type"],)


def _email_notification_values(_: RequestContext, task: JsonObject) -> tuple[bool]:
    email: JsonObject = task.get("notifications", {}).get("email", {})
    return (email.get("enabled", False),)


TASKS: Final = Resource(
    MODEL.record_types["task"],
    filters={
        "action": field_values("action"),
        "enabled": field_values("enabled"),
        "sourceID": field_values("sourceID"),
        "sourceType": _source_type_values,
        "destinationID": field_values("destinationID"),
        "triggerType": lambda _, task: list_triggers(task),
        "withEmailNotifications": _email_notification_values,
    },
    build=_build_task,
    refresh=refresh_task,
    render=render_task,
    sort_keys={"triggerType": lambda task: list_triggers(task)[0]},
    includes_name=False,
)


def update_task(context: RequestContext, old: JsonObject) -> JsonObject:
    """The task with what the request gives."""
    return _check_cron({**old, **context.body})


def replace_task(context: RequestContext, old: JsonObject) -> JsonObject:
    """The task as the request describes it; its source stays."""
    kept = {name: old[name] for name in ("taskID", "sourceID", "owner", "createdAt")}
    return {**kept, **_build_task(context.body)}


def enable_task(_: RequestContext, old: JsonObject) -> JsonObject:
    """The task, taking runs."""
    return {**old, "enabled": True}


def disable_task(_: RequestContext, old: JsonObject) -> JsonObject:
    """The task, taking no runs."""
    return {**old, "enabled": False}
