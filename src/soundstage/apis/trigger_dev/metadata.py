"""What a run says of itself, changed from outside."""

from soundstage.apis.api import Answer, Call
from soundstage.apis.trigger_dev.packet import kept
from soundstage.apis.trigger_dev.trigger import own_run
from soundstage.world.log import Patch


def update_metadata(call: Call) -> Answer:
    """Other metadata in the place of what there is.

    A run that goes on sets its own keys again, but for those that are written here.
    """
    run = own_run(call, call.parameters["runId"], "Task Run not found")
    new = call.body["metadata"]
    gone = dict.fromkeys(run.get("metadata", {}).keys() - new.keys())
    patch = {"metadata": {**gone, **kept(new)}}
    call.world.apply(Patch(call.api, "runs", run["id"], patch))
    return Answer({"metadata": new})
