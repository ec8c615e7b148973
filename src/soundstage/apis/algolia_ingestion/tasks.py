"""Tasks: their rendering, filters and updates."""

from typing import Final

from soundstage.apis.algolia_ingestion.auto_disable import is_enabled
from soundstage.apis.algolia_ingestion.lists import field_values
from soundstage.apis.algolia_ingestion.model import MODEL
from soundstage.apis.algolia_ingestion.resources import Resource
from soundstage.apis.algolia_ingestion.schedule import is_valid_cron
from soundstage.apis.api import BadRequest, RequestContext
from soundstage.types import Json, JsonObject
from soundstage.world.clock import format_rfc3339
from soundstage.world.cron import next_cron_tick


def _build_task(body: JsonObject) -> JsonObject:
    """Return the stored fields of a task, which is enabled by default."""
    return _check_cron({"enabled": True, **body})


def _check_cron(task: JsonObject) -> JsonObject:
    """Return the task. Raises ``BadRequest`` for an invalid cron expression."""
    if "cron" in task and not is_valid_cron(task["cron"]):
        msg = f"{task['cron']!r} is no cron expression of five fields"
        raise BadRequest(msg)
    return task


def refresh_task(context: RequestContext, task: JsonObject) -> JsonObject:
    """Return the task, disabled if its runs failed too often. O(runs not settled)."""
    return {**task, "enabled": is_enabled(context.state, task, context.now)}


def render_task(context: RequestContext, task: JsonObject) -> JsonObject:
    """Return the refreshed task with the times of its last and next scheduled run."""
    current = refresh_task(context, task)
    if not is_valid_cron(task.get("cron")):
        return current
    return {**current, **_render_run_times(context, current)}


def _render_run_times(context: RequestContext, task: JsonObject) -> JsonObject:
    newest = context.collection("runs").newest_first(context.now, task["taskID"])
    runs = (run for record in newest if (run := record.as_of(context.now)))
    last = next((run["createdAt"] for run in runs if run["type"] != "push"), None)
    tick = next_cron_tick(task["cron"], context.now) if task["enabled"] else None
    times = {"lastRun": last, "nextRun": tick and format_rfc3339(tick)}
    return {name: time for name, time in times.items() if time}


def list_triggers(task: JsonObject) -> tuple[str, ...]:
    """Return the values of ``triggerType`` that a task has."""
    settings = {
        "schedule": task.get("cron"),
        "subscription": task.get("subscriptionAction"),
        "streaming": task.get("input", {}).get("mapping"),
    }
    return tuple(name for name, value in settings.items() if value) or ("onDemand",)


def _source_type_values(context: RequestContext, task: JsonObject) -> tuple[Json]:
    return (context.get("sources", task["sourceID"])["type"],)


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
    """Apply the body to a task."""
    return _check_cron({**old, **context.body})


def replace_task(context: RequestContext, old: JsonObject) -> JsonObject:
    """Replace a task by the body; its id, source and creation stay."""
    kept = {name: old[name] for name in ("taskID", "sourceID", "owner", "createdAt")}
    return {**kept, **_build_task(context.body)}


def enable_task(_: RequestContext, old: JsonObject) -> JsonObject:
    """Return the task, enabled."""
    return {**old, "enabled": True}


def disable_task(_: RequestContext, old: JsonObject) -> JsonObject:
    """Return the task, disabled."""
    return {**old, "enabled": False}
