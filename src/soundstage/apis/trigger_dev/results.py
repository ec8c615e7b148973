"""What came of a run, as a parent that waits for it is told."""

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.errors import RejectedRequest
from soundstage.apis.trigger_dev.payload_codec import encode_json
from soundstage.apis.trigger_dev.serializers import FAILED_STATUSES, compute_usage
from soundstage.apis.trigger_dev.trigger import get_own_run
from soundstage.types import Document

_ERROR_CODES = {
    "CANCELED": "TASK_RUN_CANCELLED",
    "CRASHED": "TASK_RUN_CRASHED",
    "TIMED_OUT": "MAX_DURATION_EXCEEDED",
}


def get_run_result(context: RequestContext) -> Response:
    """The result of a run that has finished."""
    missing = "Run either doesn't exist or is not finished"
    result = build_result(
        context, get_own_run(context, context.parameters["runId"], missing)
    )
    if result is None:
        raise RejectedRequest(404, missing)
    return Response(result)


def build_result(context: RequestContext, run: Document) -> Document | None:
    """Output or error; None of a run that goes on.

    The server has none of a run that expired or timed out either.
    """
    result: Document = {
        "id": run["id"],
        "taskIdentifier": run["taskIdentifier"],
        "usage": {"durationMs": compute_usage(context, run)["durationMs"]},
    }
    if run["status"] in FAILED_STATUSES:
        return {**result, "ok": False, "error": build_error(run)}
    if run["status"] != "COMPLETED":
        return None
    result |= {"ok": True, "outputType": "application/json"}
    return (
        {**result, "output": encode_json(run["output"])} if "output" in run else result
    )


def build_error(run: Document) -> Document:
    """What went wrong, as it is stored: what the task threw, or what the system did."""
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
