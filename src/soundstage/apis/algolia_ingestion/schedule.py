"""What tasks do by themselves: their crons start runs."""

from collections.abc import Mapping, Sequence

from soundstage.apis.algolia_ingestion.auto_disable import is_enabled
from soundstage.apis.algolia_ingestion.start_runs import build_start_command
from soundstage.world.commands import Command
from soundstage.world.scheduler import Schedule, ScheduleView, next_cron_tick
from soundstage.world.state import State


def list_crons(state: ScheduleView, timestamp: int) -> Mapping[str, str]:
    """The cron expressions of tasks that are not disabled. O(tasks)."""
    return {
        task["taskID"]: task["cron"]
        for task in state.collection("tasks").all(timestamp)
        if task["enabled"] and is_valid_cron(task.get("cron"))
    }


def is_valid_cron(text: str | None) -> bool:
    """Whether it is a cron expression; a record put there by hand may say anything."""
    try:
        next_cron_tick(text or "", 0)
    except ValueError:
        return False
    return True


def build_tick_commands(
    state: State, task_id: str, timestamp: int
) -> Sequence[Command]:
    """A run, unless failures have disabled the task since its last one."""
    task = state.collection("tasks").get(task_id, timestamp)
    if task is None or not is_enabled(state, task, timestamp):
        return ()
    return (build_start_command(state, task, timestamp),)


SCHEDULE = Schedule(list_crons, build_tick_commands)
