"""Results of runs, in the form that a waiting parent run receives."""

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.access import get_run_to_change
from soundstage.apis.trigger_dev.errors import RejectedRequest
from soundstage.apis.trigger_dev.payload_codec import encode_json
from soundstage.apis.trigger_dev.serializers import FAILED_STATUSES, compute_usage
from soundstage.types import JsonObject

_ERROR_CODES = {
    "CANCELED": "TASK_RUN_CANCELLED",
    "CRASHED": "TASK_RUN_CRASHED",
    "TIMED_OUT": "MAX_DURATION_EXCEEDED",
}


def get_run_result(context: RequestContext) -> Response:
    """Return the result of a run that has ended. Raises ``RejectedRequest``."""
    message = "Run either doesn't exist or is not finished"
    result = build_result(context, get_run_to_change(context, message))
    if result is None:
        raise RejectedRequest(404, message)
    return Response(result)


def build_result(context: RequestContext, run: JsonObject) -> JsonObject | None:
    """Return the output or the error of a run; None if it has not ended."""
    result: JsonObject = {
        "id": run["id"],
        "taskIdentifier": run["taskIdentifier"],
        "usage": {"durationMs": compute_usage(context, run)["durationMs"]},
    }
    if run["status"] in FAILED_STATUSES:
        return {**result, "ok": False, "error": build_error(run)}
    # The real server has no result of a run that expired or timed out either.
    if run["status"] != "COMPLETED":
        return None
    result |= {"ok": True, "outputType": "application/json"}
    if "output" in run:
        result["output"] = encode_json(run["output"])
    return result


def build_error(run: JsonObject) -> JsonObject:
    """Return a run's error in its stored form: of the task's code, or of the system.

    >>> build_error({"status": "CRASHED"})
    {'type': 'INTERNAL_ERROR', 'code': 'TASK_RUN_CRASHED'}
    """
    error = run.get("error", {})
    if run["status"] == "FAILED":
        return {
            "type": "BUILT_IN_ERROR",
            "name": error.get("name", "Error"),
            "message": error.get("message", ""),
            "stackTrace": error.get("stackTrace", ""),
        }
    code = _ERROR_CODES.get(run["status"], "UNSPECIFIED_ERROR")
    stored = {"type": "INTERNAL_ERROR", "code": code}
    return {**stored, "message": error["message"]} if "message" in error else stored
