"""One run: read, cancelled, rescheduled, tagged."""

from soundstage.apis.api import Answer, Call
from soundstage.apis.trigger_dev.duration import delay_ahead
from soundstage.apis.trigger_dev.refusals import MOST_TAGS, Declined, own
from soundstage.apis.trigger_dev.shown import retrieved
from soundstage.apis.trigger_dev.trigger import own_run
from soundstage.types import Document
from soundstage.world.clock import rfc3339
from soundstage.world.log import Interrupt, Patch


def retrieve_run(call: Call) -> Answer:
    """All of a run; the SDK's ``runs.poll`` asks for it until it is completed."""
    return Answer(retrieved(call, own(call, "runs", call.parameters["runId"])))


def cancel_run(call: Call) -> Answer:
    """The same answer for a run that is over, to which nothing happens.

    Nor does anything happen to a record that somebody put there without a run.
    """
    run = own_run(call, call.parameters["runId"])
    if run["id"] in call.world.state(call.api).runs:
        call.world.apply(Interrupt(call.api, run["id"], "cancelled"))
    return Answer({"id": run["id"]})


def reschedule_run(call: Call) -> Answer:
    """A delayed run with another delay, which counts from now."""
    run = own_run(call, call.parameters["runId"])
    drawn = call.world.state(call.api).runs.get(run["id"])
    if run["status"] != "DELAYED" or drawn is None:
        raise Declined(400, "Cannot reschedule a run that is not delayed")
    delay = delay_ahead(call.body["delay"], call.now)
    names = {
        "delay": delay,
        "delayedUntil": rfc3339(call.now + delay),
        "then": drawn.names.get("then", drawn.scenario),
    }
    call.world.apply(Interrupt(call.api, run["id"], "rescheduled", names))
    call = call.as_of_now()
    return Answer(retrieved(call, own(call, "runs", run["id"])))


def add_tags(call: Call) -> Answer:
    """Tags that the run does not have yet; ten at most with those that it has."""
    run = own_run(call, call.parameters["runId"])
    given = call.body["tags"]
    several = [given] if isinstance(given, str) else given
    new = [tag for tag in several if tag.strip() and tag not in run["tags"]]
    if not new:
        return Answer({"message": "No new tags to add"})
    _check_room(run, new)
    patch = {"tags": [*run["tags"], *new], "updatedAt": rfc3339(call.now)}
    call.world.apply(Patch(call.api, "runs", run["id"], patch))
    return Answer({"message": f"Successfully set {len(new)} new tags."})


def _check_room(run: Document, new: list[str]) -> None:
    count = len(run["tags"]) + len(new)
    if count > MOST_TAGS:
        names = ", ".join(f"'{tag}'" for tag in new)
        text = (
            f"Runs can only have {MOST_TAGS} tags, you're trying to set {count}. "
            f"These tags have not been set: {names}."
        )
        raise Declined(422, text)
