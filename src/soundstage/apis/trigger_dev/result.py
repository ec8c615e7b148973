"""What came of a run, as a parent that waits for it is told."""

from soundstage.apis.api import Answer, Call
from soundstage.apis.trigger_dev.packet import encoded
from soundstage.apis.trigger_dev.refusals import Declined
from soundstage.apis.trigger_dev.shown import FAILED, usage_of
from soundstage.apis.trigger_dev.trigger import own_run
from soundstage.types import Document

_CODES = {
    "CANCELED": "TASK_RUN_CANCELLED",
    "CRASHED": "TASK_RUN_CRASHED",
    "TIMED_OUT": "MAX_DURATION_EXCEEDED",
}


def get_run_result(call: Call) -> Answer:
    """The result of a run that has finished."""
    missing = "Run either doesn't exist or is not finished"
    result = result_of(call, own_run(call, call.parameters["runId"], missing))
    if result is None:
        raise Declined(404, missing)
    return Answer(result)


def result_of(call: Call, run: Document) -> Document | None:
    """Output or error; None of a run that goes on.

    The server has none of a run that expired or timed out either.
    """
    result: Document = {
        "id": run["id"],
        "taskIdentifier": run["taskIdentifier"],
        "usage": {"durationMs": usage_of(call, run)["durationMs"]},
    }
    if run["status"] in FAILED:
        return {**result, "ok": False, "error": error_of(run)}
    if run["status"] != "COMPLETED":
        return None
    result |= {"ok": True, "outputType": "application/json"}
    return {**result, "output": encoded(run["output"])} if "output" in run else result


def error_of(run: Document) -> Document:
    """What went wrong, as it is stored: what the task threw, or what the system did."""
    error = run.get("error", {})
    if run["status"] == "FAILED":
        return {
            "type": "BUILT_IN_ERROR",
            "name": error.get("name", "Error"),
            "message": error.get("message", ""),
            "stackTrace": error.get("stackTrace", ""),
        }
    code = _CODES.get(run["status"], "UNSPECIFIED_ERROR")
    stored = {"type": "INTERNAL_ERROR", "code": code}
    return {**stored, "message": error["message"]} if "message" in error else stored
