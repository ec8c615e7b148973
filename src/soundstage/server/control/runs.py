"""Control of runs: start, list and end them."""

from collections.abc import Iterator
from contextlib import contextmanager

from soundstage.apis.api import Handler, RequestContext, Response
from soundstage.server.hosts import Worlds
from soundstage.server.problems import Problem
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339
from soundstage.world.commands import Interrupt, Start
from soundstage.world.errors import ClockJumpTooLarge, FixtureError, UnknownName
from soundstage.world.runs import Run


def build_handlers(_worlds: Worlds) -> dict[str, Handler]:
    """Return the handlers of runs."""
    return {
        "startRun": start_run,
        "listWorldRuns": list_runs,
        "getWorldRun": get_run,
        "endRun": end_run,
    }


@contextmanager
def translate_errors() -> Iterator[None]:
    """Raise world errors as ``Problem``: 404 for an unknown name, 409 otherwise."""
    try:
        yield
    except UnknownName as error:
        raise Problem(404, str(error)) from error
    except FixtureError as error:
        raise Problem(409, error.message) from error
    except ClockJumpTooLarge as error:
        raise Problem(409, str(error)) from error


def start_run(context: RequestContext) -> Response:
    """Start a run now; its whole future is generated at once."""
    body = context.body
    command = Start(
        body["api"],
        body.get("task"),
        body.get("scenario"),
        body.get("with", {}),
        body.get("fields", {}),
        body.get("beginning"),
    )
    with translate_errors():
        run = context.world.apply(command)
    return Response(_serialize_run(context, body["api"], run), 201)


def list_runs(context: RequestContext) -> Response:
    """List the runs that have started, the newest first. O(n log n)."""
    api, limit = context.parameters["api"], context.parameters["limit"]
    with translate_errors():
        state = context.world.state(api)
    started = [run_id for run_id in state.runs if state.started_at(run_id) <= context.now]
    started.sort(key=state.started_at)
    newest = [state.runs[run_id] for run_id in started[::-1][:limit]]
    runs = [_serialize_run(context, api, run) for run in newest]
    return Response({"runs": runs, "total": len(started)})


def get_run(context: RequestContext) -> Response:
    """Return a run as of now."""
    run = _find_run(context)
    return Response(_serialize_run(context, context.parameters["api"], run))


def end_run(context: RequestContext) -> Response:
    """Interrupt a run: an ending of the fixture replaces its future."""
    api, run_id = context.parameters["api"], context.parameters["id"]
    _find_run(context)
    with translate_errors():
        body = context.body
        context.world.apply(Interrupt(api, run_id, body["ending"], body.get("with", {})))
    return get_run(context)


def _find_run(context: RequestContext) -> Run:
    """Return the run of the path. Raises ``Problem``."""
    with translate_errors():
        state = context.world.state(context.parameters["api"])
    run = state.runs.get(context.parameters["id"])
    if run is None or run.started_at > context.now:
        raise Problem(404, f"there is no run {context.parameters['id']!r}")
    return run


def _serialize_run(context: RequestContext, api: str, run: Run) -> JsonObject:
    state = context.world.state(api)
    collection = state.collection(run.records[0].record_type.collection)
    # ``context.now`` may be earlier than the start of a run that this request started.
    record = collection.get(run.id, max(context.now, run.started_at)) or {}
    return {
        "id": run.id,
        "api": api,
        "task": run.task,
        "scenario": run.scenario,
        "at": format_rfc3339(run.started_at),
        "over": state.definitions.is_final(record),
        "record": record,
    }
