"""Records of the caller's environment: look them up for reading and for changing."""

from soundstage.apis.api import NotFound, RequestContext
from soundstage.apis.trigger_dev.errors import RejectedRequest
from soundstage.types import JsonObject


def find_own(context: RequestContext, collection: str, record_id: str | None) -> JsonObject | None:
    """Return a record of the caller's environment; None if there is none."""
    record = context.collection(collection).get(record_id or "", context.now)
    if record is None or record["environment"] != context.credential["environment"]:
        return None
    return record


def get_own(context: RequestContext, collection: str, record_id: str) -> JsonObject:
    """Return a record of the caller's environment. Raises ``NotFound``."""
    record = find_own(context, collection, record_id)
    if record is None:
        raise NotFound(collection, record_id)
    return record


def get_run(context: RequestContext) -> JsonObject:
    """Return the run of the path, for reading. Raises ``NotFound``."""
    return get_own(context, "runs", context.parameters["runId"])


def get_run_to_change(context: RequestContext, message: str = "Run not found") -> JsonObject:
    """Return the run of the path. Raises ``RejectedRequest`` with a message."""
    # Unlike for NotFound, the real server does not ask the client to retry: a run that
    # a client reads may be stored late, a run that it changes is stored already.
    run = find_own(context, "runs", context.parameters["runId"])
    if run is None:
        raise RejectedRequest(404, message)
    return run
