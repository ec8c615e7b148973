"""What tasks do by themselves: their crons start runs."""

from collections.abc import Mapping, Sequence

from soundstage.apis.algolia_ingestion.running import start
from soundstage.apis.algolia_ingestion.switch import is_enabled
from soundstage.world.log import Command
from soundstage.world.schedule import Overview, Schedule, next_at
from soundstage.world.state import State


def crons(state: Overview, at: int) -> Mapping[str, str]:
    """The cron expressions of tasks that are not disabled. O(tasks)."""
    return {
        task["taskID"]: task["cron"]
        for task in state.collection("tasks").all(at)
        if task["enabled"] and is_cron(task.get("cron"))
    }


def is_cron(text: str | None) -> bool:
    """Whether it is a cron expression; a record put there by hand may say anything."""
    try:
        next_at(text or "", 0)
    except ValueError:
        return False
    return True


def tick(state: State, key: str, at: int) -> Sequence[Command]:
    """A run, unless failures have disabled the task since its last one."""
    task = state.collection("tasks").get(key, at)
    if task is None or not is_enabled(state, task, at):
        return ()
    return (start(state, task, at),)


SCHEDULE = Schedule(crons, tick)
