"""One run: read, cancelled, rescheduled, tagged."""

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.durations import parse_future_delay
from soundstage.apis.trigger_dev.errors import MAX_TAGS, RejectedRequest, get_own_record
from soundstage.apis.trigger_dev.serializers import render_run
from soundstage.apis.trigger_dev.trigger import get_own_run
from soundstage.types import Document
from soundstage.world.clock import rfc3339
from soundstage.world.commands import Interrupt, Patch


def retrieve_run(context: RequestContext) -> Response:
    """All of a run; the SDK's ``runs.poll`` asks for it until it is completed."""
    return Response(
        render_run(
            context, get_own_record(context, "runs", context.parameters["runId"])
        )
    )


def cancel_run(context: RequestContext) -> Response:
    """The same answer for a run that is over, to which nothing happens.

    Nor does anything happen to a record that somebody put there without a run.
    """
    run = get_own_run(context, context.parameters["runId"])
    if run["id"] in context.world.state(context.api).runs:
        context.world.apply(Interrupt(context.api, run["id"], "cancelled"))
    return Response({"id": run["id"]})


def reschedule_run(context: RequestContext) -> Response:
    """A delayed run with another delay, which counts from now."""
    run = get_own_run(context, context.parameters["runId"])
    drawn = context.world.state(context.api).runs.get(run["id"])
    if run["status"] != "DELAYED" or drawn is None:
        raise RejectedRequest(400, "Cannot reschedule a run that is not delayed")
    delay = parse_future_delay(context.body["delay"], context.now)
    names = {
        "delay": delay,
        "delayedUntil": rfc3339(context.now + delay),
        "then": drawn.names.get("then", drawn.scenario),
    }
    context.world.apply(Interrupt(context.api, run["id"], "rescheduled", names))
    context = context.refreshed()
    return Response(render_run(context, get_own_record(context, "runs", run["id"])))


def add_tags(context: RequestContext) -> Response:
    """Tags that the run does not have yet; ten at most with those that it has."""
    run = get_own_run(context, context.parameters["runId"])
    given = context.body["tags"]
    several = [given] if isinstance(given, str) else given
    new = [tag for tag in several if tag.strip() and tag not in run["tags"]]
    if not new:
        return Response({"message": "No new tags to add"})
    _check_tag_limit(run, new)
    patch = {"tags": [*run["tags"], *new], "updatedAt": rfc3339(context.now)}
    context.world.apply(Patch(context.api, "runs", run["id"], patch))
    return Response({"message": f"Successfully set {len(new)} new tags."})


def _check_tag_limit(run: Document, new: list[str]) -> None:
    count = len(run["tags"]) + len(new)
    if count > MAX_TAGS:
        names = ", ".join(f"'{tag}'" for tag in new)
        text = (
            f"Runs can only have {MAX_TAGS} tags, you're trying to set {count}. "
            f"These tags have not been set: {names}."
        )
        raise RejectedRequest(422, text)
