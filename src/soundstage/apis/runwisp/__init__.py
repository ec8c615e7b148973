"""RunWisp: a daemon that runs tasks by schedule or by request, and services."""

from collections.abc import Mapping, Sequence

from soundstage.apis.api import Api, ExampleRequest, Handler
from soundstage.apis.runwisp import auth, events, log, run_lists, runs, schema_links, tasks
from soundstage.apis.runwisp.concurrency import build_start_commands
from soundstage.apis.runwisp.errors import render_error
from soundstage.apis.runwisp.retry import plan_next_run
from soundstage.apis.runwisp.tasks import Task, list_fixture_tasks
from soundstage.world.clock import format_rfc3339
from soundstage.world.commands import Command
from soundstage.world.ids import hex16, ulid
from soundstage.world.record import ApiModel, RecordType
from soundstage.world.state import Schedule, ScheduleView, State

_DAEMON_SCHEMA = "#/components/schemas/DaemonInfo"

MODEL = ApiModel.define(
    RecordType("run", "runs", "id", ulid, "task_name", "#/components/schemas/Run"),
    RecordType("line", "lines", "id", hex16, "run_id", belongs_to_run=True),
    RecordType("daemon", "daemons", "fingerprint", hex16, schema=_DAEMON_SCHEMA),
    RecordType("challenge", "challenges", "nonce", hex16),
    at=lambda timestamp, _: format_rfc3339(timestamp),
    at_ms=lambda timestamp, _: timestamp,
)

HANDLERS: dict[str, Handler] = {
    "getInfo": tasks.retrieve_info,
    "getTasks": tasks.list_tasks,
    "triggerRun": runs.trigger_run,
    "restartService": runs.restart_service,
    "stopService": runs.stop_service,
    "getTaskRuns": run_lists.list_task_runs,
    "getRun": runs.retrieve_run,
    "deleteRun": runs.delete_run,
    "stopRun": runs.stop_run,
    "getLogPage": log.retrieve_log_page,
    "streamLog": log.stream_log,
    "getAllRuns": run_lists.list_all_runs,
    "getRunSummary": run_lists.summarize_runs,
    "streamRuns": events.stream_runs,
    "getAuthChallenge": auth.create_challenge,
    "login": auth.log_in,
    "getAuthStatus": auth.retrieve_auth_status,
    "getHealth": auth.check_health,
    "getSchema": schema_links.retrieve_schema,
}


def list_crons(state: ScheduleView, _timestamp: int) -> Mapping[str, str]:
    """Return the cron expressions of tasks, by task name. O(tasks)."""
    return {
        task.name: task.policy["cron"]
        for task in list_fixture_tasks(state)
        if "cron" in task.policy and not task.is_service
    }


def build_tick_commands(state: State, task_name: str, timestamp: int) -> Sequence[Command]:
    """Return the commands that start a run of a task according to its policy."""
    task = Task(task_name, state.definitions.task(task_name))
    return build_start_commands(state, task, timestamp, "cron")


API = Api(
    name="runwisp",
    title="RunWisp",
    model=MODEL,
    handlers=HANDLERS,
    render_error=render_error,
    example_request=ExampleRequest("GET", "/api/tasks/example/runs?limit=3"),
    on_finish=plan_next_run,
    schedule=Schedule(list_crons, build_tick_commands),
    numbered_records={"line": ("#/components/schemas/LogLineEntry", "n")},
)
