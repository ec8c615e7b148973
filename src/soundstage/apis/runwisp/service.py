"""Services: all of their replicas stopped, or started anew."""

from soundstage.apis.api import Answer, Call, Impossible
from soundstage.apis.runwisp.problem import NO_SERVICE
from soundstage.apis.runwisp.run import stop, task_of
from soundstage.apis.runwisp.task import Task
from soundstage.world.log import Start


def restart_service(call: Call) -> Answer:
    """Every replica ends, and a new run takes its place."""
    task = _stopped(call)
    for replica in range(task.instances):
        names = {"replica": replica, "triggered_by": "api"}
        call.world.apply(Start(call.api, task.name, names=names))
    return Answer(status=204)


def stop_service(call: Call) -> Answer:
    """Every replica ends, until somebody restarts the service."""
    _stopped(call)
    return Answer(status=204)


def _stopped(call: Call) -> Task:
    """The service, with none of its replicas going on. O(runs of the service)."""
    task = task_of(call)
    if not task.is_service:
        raise Impossible(NO_SERVICE)
    for run in call.collection("runs").children(task.name, call.now):
        if run["status"] != "ended":
            stop(call, run)
    return task
