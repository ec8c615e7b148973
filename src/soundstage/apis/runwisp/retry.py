"""Which run follows one that is over: a retry of a task, a restart of a service."""

from soundstage.apis.runwisp.task import Task
from soundstage.types import Document
from soundstage.world.drawing import LONGEST_CHAIN
from soundstage.world.scenario import Cue
from soundstage.world.timeline import Run

RETRYABLE = frozenset({"failed", "timeout", "crashed", "log_overflow"})


def follow(run: Run) -> Cue | None:
    """The run that is started after this one; none follows a chain of 64."""
    own = run.records[0]
    document, ended = own.documents[-1], own.times[-1]
    if document is None or run.chain >= LONGEST_CHAIN:
        return None
    task = Task(run.task, dict(run.names))
    again = _restarted if task.is_service else _retried
    return again(task, run, document, ended)


def _retried(task: Task, run: Run, document: Document, ended: int) -> Cue | None:
    """A new run that points back to the one that has just failed.

    A scenario can say how many ``failures`` there are to be in a row.
    """
    attempt = document["retry_attempt"] + 1
    if (
        document.get("end_reason") not in RETRYABLE
        or document["triggered_by"] == "cloud"  # the cloud retries its runs itself
        or attempt > task.retry_attempts
    ):
        return None
    names = {
        "attempt": attempt,
        "failed_run": document["id"],
        "triggered_by": document["triggered_by"],
    }
    scenario = None
    if failures := run.names.get("failures"):
        names["failures"] = failures - 1
        scenario = "failed" if failures > 1 else "success"
    at = ended + task.delay("retry", attempt)
    return Cue("", scenario, at, names=names, beginning="retry")


def _restarted(task: Task, run: Run, document: Document, ended: int) -> Cue | None:
    """The same replica again; its count of retries stays 0."""
    reason = document.get("end_reason")
    match task.policy.get("restart", "always"):
        case "always" if reason not in {None, "stopped"}:
            pass
        case "on_failure" if reason in RETRYABLE:
            pass
        case _:
            return None
    names = {
        "replica": document["replica_index"],
        "triggered_by": document["triggered_by"],
    }
    at = ended + task.delay("restart", run.chain + 1)
    return Cue("", None, at, names=names)
