"""Services: all of their replicas stopped, or started anew."""

from soundstage.apis.api import BadRequest, RequestContext, Response
from soundstage.apis.runwisp.errors import NOT_A_SERVICE
from soundstage.apis.runwisp.runs import end_run, get_task
from soundstage.apis.runwisp.tasks import Task
from soundstage.world.commands import Start


def restart_service(context: RequestContext) -> Response:
    """Every replica ends, and a new run takes its place."""
    task = _stop_replicas(context)
    for replica in range(task.instances):
        names = {"replica": replica, "triggered_by": "api"}
        context.world.apply(Start(context.api, task.name, names=names))
    return Response(status=204)


def stop_service(context: RequestContext) -> Response:
    """Every replica ends, until somebody restarts the service."""
    _stop_replicas(context)
    return Response(status=204)


def _stop_replicas(context: RequestContext) -> Task:
    """The service, with none of its replicas going on. O(runs of the service)."""
    task = get_task(context)
    if not task.is_service:
        raise BadRequest(NOT_A_SERVICE)
    for run in context.collection("runs").children(task.name, context.now):
        if run["status"] != "ended":
            end_run(context, run)
    return task
