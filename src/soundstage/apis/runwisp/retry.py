"""Which run follows one that is over: a retry of a task, a restart of a service."""

from soundstage.apis.runwisp.tasks import Task
from soundstage.types import JsonObject
from soundstage.world.run_builder import MAX_CHAIN_LENGTH
from soundstage.world.runs import Run
from soundstage.world.scenario import RunRequest

RETRYABLE_REASONS = frozenset({"failed", "timeout", "crashed", "log_overflow"})


def plan_next_run(run: Run) -> RunRequest | None:
    """The run that is started after this one; none follows a chain of 64."""
    own = run.records[0]
    document, ended = own.versions[-1], own.timestamps[-1]
    if document is None or run.chain_length >= MAX_CHAIN_LENGTH:
        return None
    task = Task(run.task, dict(run.variables))
    again = _plan_restart if task.is_service else _plan_retry
    return again(task, run, document, ended)


def _plan_retry(
    task: Task, run: Run, record: JsonObject, ended_at: int
) -> RunRequest | None:
    """A new run that points back to the one that has just failed.

    A scenario can say how many ``failures`` there are to be in a row.
    """
    attempt = record["retry_attempt"] + 1
    if (
        record.get("end_reason") not in RETRYABLE_REASONS
        or record["triggered_by"] == "cloud"  # the cloud retries its runs itself
        or attempt > task.retry_attempts
    ):
        return None
    names = {
        "attempt": attempt,
        "failed_run": record["id"],
        "triggered_by": record["triggered_by"],
    }
    scenario = None
    if failures := run.variables.get("failures"):
        names["failures"] = failures - 1
        scenario = "failed" if failures > 1 else "success"
    at = ended_at + task.compute_delay("retry", attempt)
    return RunRequest("", scenario, at, variables=names, beginning="retry")


def _plan_restart(
    task: Task, run: Run, record: JsonObject, ended_at: int
) -> RunRequest | None:
    """The same replica again; its count of retries stays 0."""
    reason = record.get("end_reason")
    match task.policy.get("restart", "always"):
        case "always" if reason not in {None, "stopped"}:
            pass
        case "on_failure" if reason in RETRYABLE_REASONS:
            pass
        case _:
            return None
    names = {
        "replica": record["replica_index"],
        "triggered_by": record["triggered_by"],
    }
    at = ended_at + task.compute_delay("restart", run.chain_length + 1)
    return RunRequest("", None, at, variables=names)
