"""The run that follows a finished one: a retry of a task or a restart of a service."""

from soundstage.apis.runwisp.tasks import Task
from soundstage.types import JsonObject
from soundstage.world.run_builder import MAX_CHAIN_LENGTH
from soundstage.world.runs import Run
from soundstage.world.scenario import RunRequest

RETRYABLE_REASONS = frozenset({"failed", "timeout", "crashed", "log_overflow"})


def plan_next_run(run: Run) -> RunRequest | None:
    """Return the request for the run that follows; None after a chain of 64 runs."""
    record = run.records[0]
    version, ended_at = record.versions[-1], record.timestamps[-1]
    if version is None or run.chain_length >= MAX_CHAIN_LENGTH:
        return None
    task = Task(run.task, dict(run.variables))
    plan = _plan_restart if task.is_service else _plan_retry
    return plan(task, run, version, ended_at)


def _plan_retry(task: Task, run: Run, record: JsonObject, ended_at: int) -> RunRequest | None:
    """Plan a run that points back to the failed one.

    If the scenario sets ``failures``, exactly that many runs in a row fail.
    """
    attempt = record["retry_attempt"] + 1
    if (
        record.get("end_reason") not in RETRYABLE_REASONS
        or record["triggered_by"] == "cloud"  # the cloud retries its runs itself
        or attempt > task.retry_attempts
    ):
        return None
    variables = {
        "attempt": attempt,
        "failed_run": record["id"],
        "triggered_by": record["triggered_by"],
    }
    scenario = None
    if failures := run.variables.get("failures"):
        variables["failures"] = failures - 1
        scenario = "failed" if failures > 1 else "success"
    start = ended_at + task.compute_delay("retry", attempt)
    return RunRequest("", scenario, start, variables=variables, beginning="retry")


def _plan_restart(task: Task, run: Run, record: JsonObject, ended_at: int) -> RunRequest | None:
    """Plan the same replica again; its number of retries stays 0."""
    reason = record.get("end_reason")
    match task.policy.get("restart", "always"):
        # A service that was stopped by a request stays so.
        case "always" if reason not in {None, "stopped"}:
            pass
        case "on_failure" if reason in RETRYABLE_REASONS:
            pass
        case _:
            return None
    variables = {"replica": record["replica_index"], "triggered_by": record["triggered_by"]}
    start = ended_at + task.compute_delay("restart", run.chain_length + 1)
    return RunRequest("", None, start, variables=variables)
