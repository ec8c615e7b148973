"""Runs: started and ended at will."""

from collections.abc import Iterator
from contextlib import contextmanager

from soundstage.apis.api import Answer, Call, Handler
from soundstage.server.problems import Problem
from soundstage.server.worlds import Worlds
from soundstage.types import Document
from soundstage.world.clock import rfc3339
from soundstage.world.errors import FixtureError, TooFar, Unknown
from soundstage.world.log import Interrupt, Start
from soundstage.world.timeline import Run


def handlers(_hosts: Worlds) -> dict[str, Handler]:
    """What is done to the runs of the world that is addressed."""
    return {
        "startRun": start_run,
        "listWorldRuns": list_runs,
        "getWorldRun": lambda call: Answer(_run(call, _named(call))),
        "endRun": end_run,
    }


@contextmanager
def worded() -> Iterator[None]:
    """Let a world's errors be problems: 404 for what is not there, 409 for the rest."""
    try:
        yield
    except Unknown as error:
        raise Problem(404, str(error)) from error
    except FixtureError as error:
        raise Problem(409, error.message) from error
    except TooFar as error:
        raise Problem(409, str(error)) from error


def start_run(call: Call) -> Answer:
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
    with worded():
        run = call.world.apply(command)
    return Answer(_as_json(call, wanted["api"], run), 201)


def list_runs(call: Call) -> Answer:
    """The runs that have begun, the newest first. O(n log n)."""
    with worded():
        state = call.world.state(call.parameters["api"])
    begun = [run for run in state.runs if state.started(run) <= call.now]
    begun.sort(key=state.started)
    newest = [state.runs[run] for run in begun[::-1][: call.parameters["limit"]]]
    return Answer({"runs": [_run(call, run) for run in newest], "total": len(begun)})


def end_run(call: Call) -> Answer:
    """Replace the rest of a run by an ending."""
    api, run_id = call.parameters["api"], call.parameters["id"]
    _named(call)
    with worded():
        wanted = call.body
        command = Interrupt(api, run_id, wanted["ending"], wanted.get("with", {}))
        call.world.apply(command)
    return Answer(_run(call, _named(call)))


def _named(call: Call) -> Run:
    with worded():
        state = call.world.state(call.parameters["api"])
    run = state.runs.get(call.parameters["id"])
    if run is None or run.at > call.now:
        raise Problem(404, f"there is no run {call.parameters['id']!r}")
    return run


def _run(call: Call, run: Run) -> Document:
    return _as_json(call, call.parameters["api"], run)


def _as_json(call: Call, api: str, run: Run) -> Document:
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
