"""Runs: started and ended at will."""

from collections.abc import Iterator
from contextlib import contextmanager

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.server.hosts import Worlds
from soundstage.server.problems import Problem
from soundstage.types import Document
from soundstage.world.clock import rfc3339
from soundstage.world.commands import Interrupt, Start
from soundstage.world.errors import FixtureError, TooFar, Unknown
from soundstage.world.runs import Run


def handlers(_hosts: Worlds) -> dict[str, Handler]:
    """What is done to the runs of the world that is addressed."""
    return {
        "startRun": start_run,
        "listWorldRuns": list_runs,
        "getWorldRun": lambda call: Response(
            _serialize_named_run(call, _get_run(call))
        ),
        "endRun": end_run,
    }


@contextmanager
def translate_errors() -> Iterator[None]:
    """Let a world's errors be problems: 404 for what is not there, 409 for the rest."""
    try:
        yield
    except Unknown as error:
        raise Problem(404, str(error)) from error
    except FixtureError as error:
        raise Problem(409, error.message) from error
    except TooFar as error:
        raise Problem(409, str(error)) from error


def start_run(call: RequestContext) -> Response:
    """Start a run now; its whole future is written."""
    wanted = call.body
    command = Start(
        wanted["api"],
        wanted.get("task"),
        wanted.get("scenario"),
        wanted.get("with", {}),
        wanted.get("fields", {}),
        wanted.get("beginning"),
    )
    with translate_errors():
        run = call.world.apply(command)
    return Response(_serialize_run(call, wanted["api"], run), 201)


def list_runs(call: RequestContext) -> Response:
    """The runs that have begun, the newest first. O(n log n)."""
    with translate_errors():
        state = call.world.state(call.parameters["api"])
    begun = [run for run in state.runs if state.started(run) <= call.now]
    begun.sort(key=state.started)
    newest = [state.runs[run] for run in begun[::-1][: call.parameters["limit"]]]
    return Response(
        {
            "runs": [_serialize_named_run(call, run) for run in newest],
            "total": len(begun),
        }
    )


def end_run(call: RequestContext) -> Response:
    """Replace the rest of a run by an ending."""
    api, run_id = call.parameters["api"], call.parameters["id"]
    _get_run(call)
    with translate_errors():
        wanted = call.body
        command = Interrupt(api, run_id, wanted["ending"], wanted.get("with", {}))
        call.world.apply(command)
    return Response(_serialize_named_run(call, _get_run(call)))


def _get_run(call: RequestContext) -> Run:
    with translate_errors():
        state = call.world.state(call.parameters["api"])
    run = state.runs.get(call.parameters["id"])
    if run is None or run.at > call.now:
        raise Problem(404, f"there is no run {call.parameters['id']!r}")
    return run


def _serialize_named_run(call: RequestContext, run: Run) -> Document:
    return _serialize_run(call, call.parameters["api"], run)


def _serialize_run(call: RequestContext, api: str, run: Run) -> Document:
    """The run as it is now: ``call.now`` may be a moment before it began."""
    state = call.world.state(api)
    kind = run.records[0].kind
    now = max(call.now, run.at)
    record = state.collection(kind.collection).get(run.id, now) or {}
    return {
        "id": run.id,
        "api": api,
        "task": run.task,
        "scenario": run.scenario,
        "at": rfc3339(run.at),
        "over": state.script.is_final(record),
        "record": record,
    }
