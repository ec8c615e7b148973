"""One run: retrieve, cancel, reschedule and tag it, and replace its metadata."""

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.access import get_run, get_run_to_change
from soundstage.apis.trigger_dev.durations import parse_future_delay
from soundstage.apis.trigger_dev.errors import MAX_TAGS, RejectedRequest
from soundstage.apis.trigger_dev.payload_codec import encode_metadata
from soundstage.apis.trigger_dev.serializers import render_run
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339
from soundstage.world.commands import Interrupt, Patch


def retrieve_run(context: RequestContext) -> Response:
    """Return a run; the SDK's ``runs.poll`` repeats this until the run has ended."""
    return Response(render_run(context, get_run(context)))


def cancel_run(context: RequestContext) -> Response:
    """Cancel a run; nothing changes if it has ended."""
    run = get_run_to_change(context)
    # A record that was stored without a run (by the control API) has no steps to end.
    if run["id"] in context.world.state(context.api).runs:
        context.world.apply(Interrupt(context.api, run["id"], "cancelled"))
    return Response({"id": run["id"]})


def reschedule_run(context: RequestContext) -> Response:
    """Replace the delay of a delayed run by another one, from now."""
    record = get_run_to_change(context)
    run = context.world.state(context.api).runs.get(record["id"])
    if record["status"] != "DELAYED" or run is None:
        raise RejectedRequest(400, "Cannot reschedule a run that is not delayed")
    delay = parse_future_delay(context.body["delay"], context.now)
    names = {
        "delay": delay,
        "delayedUntil": format_rfc3339(context.now + delay),
        # The scenario that follows the delay, also after several reschedulings.
        "then": run.variables.get("then", run.scenario),
    }
    context.world.apply(Interrupt(context.api, record["id"], "rescheduled", names))
    context = context.refreshed()
    return Response(render_run(context, get_run(context)))


def add_tags(context: RequestContext) -> Response:
    """Add the tags that a run does not have yet. Raises ``RejectedRequest``."""
    run = get_run_to_change(context)
    tags = context.body["tags"]
    tags = [tags] if isinstance(tags, str) else tags
    new = [tag for tag in tags if tag.strip() and tag not in run["tags"]]
    if not new:
        return Response({"message": "No new tags to add"})
    _check_tag_limit(run, new)
    patch = {"tags": [*run["tags"], *new], "updatedAt": format_rfc3339(context.now)}
    context.world.apply(Patch(context.api, "runs", run["id"], patch))
    return Response({"message": f"Successfully set {len(new)} new tags."})


def _check_tag_limit(run: JsonObject, new: list[str]) -> None:
    count = len(run["tags"]) + len(new)
    if count > MAX_TAGS:
        names = ", ".join(f"'{tag}'" for tag in new)
        message = (
            f"Runs can only have {MAX_TAGS} tags, you're trying to set {count}. "
            f"These tags have not been set: {names}."
        )
        raise RejectedRequest(422, message)


def update_metadata(context: RequestContext) -> Response:
    """Replace a run's metadata.

    The later steps of a run still set their own keys, unless the request has them.
    """
    run = get_run_to_change(context, "Task Run not found")
    new = context.body["metadata"]
    # A merge patch removes a key by null (RFC 7396).
    removed = dict.fromkeys(run.get("metadata", {}).keys() - new.keys())
    patch = {"metadata": {**removed, **encode_metadata(new)}}
    context.world.apply(Patch(context.api, "runs", run["id"], patch))
    return Response({"metadata": new})
