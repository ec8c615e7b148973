"""What a run says of itself, changed from outside."""

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trigger_dev.payload_codec import encode_metadata
from soundstage.apis.trigger_dev.trigger import get_own_run
from soundstage.world.commands import Patch


def update_metadata(context: RequestContext) -> Response:
    """Other metadata in the place of what there is.

    A run that goes on sets its own keys again, but for those that are written here.
    """
    run = get_own_run(context, context.parameters["runId"], "Task Run not found")
    new = context.body["metadata"]
    gone = dict.fromkeys(run.get("metadata", {}).keys() - new.keys())
    patch = {"metadata": {**gone, **encode_metadata(new)}}
    context.world.apply(Patch(context.api, "runs", run["id"], patch))
    return Response({"metadata": new})
