"""The schedule of Algolia Ingestion: the cron expressions of tasks start runs."""

from collections.abc import Mapping, Sequence

from soundstage.apis.algolia_ingestion.auto_disable import is_enabled
from soundstage.apis.algolia_ingestion.start_runs import build_start_command
from soundstage.world.commands import Command
from soundstage.world.cron import next_cron_tick
from soundstage.world.state import Schedule, ScheduleView, State


def list_crons(state: ScheduleView, timestamp: int) -> Mapping[str, str]:
    """Return the cron expressions of enabled tasks, by task id. O(tasks)."""
    return {
        task["taskID"]: task["cron"]
        for task in state.collection("tasks").all(timestamp)
        if task["enabled"] and is_valid_cron(task.get("cron"))
    }


def is_valid_cron(text: str | None) -> bool:
    """Return whether a text is a cron expression.

    The handlers store no other, but a record from a fixture or from the control API may
    have any text.
    """
    try:
        next_cron_tick(text or "", 0)
    except ValueError:
        return False
    return True


def build_tick_commands(state: State, task_id: str, timestamp: int) -> Sequence[Command]:
    """Return the start of a run, unless failures have disabled the task by then."""
    task = state.collection("tasks").get(task_id, timestamp)
    if task is None or not is_enabled(state, task, timestamp):
        return ()
    return (build_start_command(state, task, timestamp),)


SCHEDULE = Schedule(list_crons, build_tick_commands)
