"""RunWisp: tasks that are run by schedule, by the API, or all the time."""

from collections.abc import Mapping, Sequence

from soundstage.apis.api import Api, Handler, Sample
from soundstage.apis.runwisp import (
    auth,
    described,
    events,
    listing,
    log,
    run,
    service,
    task,
)
from soundstage.apis.runwisp.overlap import started
from soundstage.apis.runwisp.problem import problem
from soundstage.apis.runwisp.retry import follow
from soundstage.apis.runwisp.task import Task, tasks_of
from soundstage.world.clock import rfc3339
from soundstage.world.ids import hex16, ulid
from soundstage.world.log import Command
from soundstage.world.record import Kind, Vocabulary
from soundstage.world.schedule import Overview, Schedule
from soundstage.world.state import State

VOCABULARY = Vocabulary.of(
    Kind("run", "runs", "id", ulid, "task_name", "#/components/schemas/Run"),
    Kind("line", "lines", "id", hex16, "run_id", of_run=True),
    Kind(
        "daemon",
        "daemons",
        "fingerprint",
        hex16,
        schema="#/components/schemas/DaemonInfo",
    ),
    Kind("challenge", "challenges", "nonce", hex16),
    at=lambda at, _: rfc3339(at),
    at_ms=lambda at, _: at,
)

HANDLERS: dict[str, Handler] = {
    "getInfo": task.info,
    "getTasks": task.list_tasks,
    "triggerRun": run.trigger_run,
    "restartService": service.restart_service,
    "stopService": service.stop_service,
    "getTaskRuns": listing.list_task_runs,
    "getRun": run.retrieve_run,
    "deleteRun": run.delete_run,
    "stopRun": run.stop_run,
    "getLogPage": log.page,
    "streamLog": log.stream,
    "getAllRuns": listing.list_all_runs,
    "getRunSummary": listing.summarize,
    "streamRuns": events.stream,
    "getAuthChallenge": auth.challenge,
    "login": auth.login,
    "getAuthStatus": auth.status,
    "getHealth": auth.health,
    "getSchema": described.retrieve_schema,
}


def crons(state: Overview, _at: int) -> Mapping[str, str]:
    """The tasks that have a schedule."""
    return {
        task.name: task.policy["cron"]
        for task in tasks_of(state)
        if "cron" in task.policy and not task.is_service
    }


def tick(state: State, name: str, at: int) -> Sequence[Command]:
    """A task is due: its run is started as its policy says."""
    return started(state, Task(name, state.script.task(name)), at, "cron")


API = Api(
    name="runwisp",
    title="RunWisp",
    vocabulary=VOCABULARY,
    handlers=HANDLERS,
    problem=problem,
    sample=Sample("GET", "/api/tasks/example/runs?limit=3"),
    follow=follow,
    schedule=Schedule(crons, tick),
    numbered={"line": ("#/components/schemas/LogLineEntry", "n")},
)
