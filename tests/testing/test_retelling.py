"""Recorded runs become scenarios, whichever API they are of."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retold import entry, told, written
from soundstage import Soundstage
from soundstage.apis.service import load_service, names
from soundstage.apis.service import api as module_of
from soundstage.contract.document import loads
from soundstage.server.journal.har import har_of
from soundstage.testing.retelling.alignment import align, pace
from soundstage.testing.retelling.archive import Unusable, read_archive
from soundstage.testing.retelling.bridge import bridge
from soundstage.testing.retelling.moment import Moments
from soundstage.testing.retelling.patch import applied, difference
from soundstage.testing.retelling.writing import Written, added, inline
from soundstage.world.chance import Seeded
from soundstage.world.clock import instant_of, span_of
from soundstage.world.lifecycle import Lifecycle
from soundstage.world.spelling import spelled, spelled_span
from soundstage.world.value import Bare, compile_value

T0 = instant_of("2026-03-01T10:00:00Z")
RUN = "11111111-2222-4333-8444-555555555555"
OTHER = "99999999-2222-4333-8444-555555555555"
TASK = "9d2c7a64-0a3e-4bb0-9a1c-1d5a0f3f8a10"  # products
HOST = "https://data.us.algolia.com"


@pytest.fixture(scope="module")
def algolia():
    return load_service(module_of("algolia-ingestion"))


@pytest.fixture(scope="module")
def runwisp():
    return load_service(module_of("runwisp"))


# Every scenario of every API whose runs are answered, recorded and retold.

ASK = {
    "algolia-ingestion": [
        "/1/runs/{id}",
        "/1/runs/{id}/events?itemsPerPage=100&startDate=2025-01-01T00:00:00Z",
    ],
    "runwisp": ["/api/tasks/{task}/runs?limit=50"],
    "trigger-dev": ["/api/v3/runs/{id}", "/api/v1/runs/{id}/events"],
}


def told_apis():
    for name in names():
        vocabulary = module_of(name).vocabulary
        if name in ASK and vocabulary.kinds["run"].schema:
            yield name


def scenarios():
    for name in told_apis():
        script = load_service(module_of(name)).fixture.script
        for scenario in script.scenarios:
            yield name, scenario


def watched(stage, api, run, tmp_path):
    """Let a run go on to its end; the archive of a client that asks now and then."""
    with stage.httpx_client(api) as client:
        for turn in range(100):
            for path in ASK[api]:
                path = path.format(id=run.id, task=run.record.get("task_name"))
                assert client.get(path).is_success
            if run.over:
                break
            stage.clock.advance(seconds=7 if turn < 40 else 300)
    path = tmp_path / "seen.har"
    entries = stage._hosted.journal.entries(api=api)
    path.write_text(json.dumps(har_of(entries)))
    return path


def states_of(stage, run, fields):
    """The states that a run comes to, each with the time since its beginning."""
    own = stage._hosted.world.collection(run.api, stage_kind(run)).record(run.id)
    states = []
    for at, document in zip(own.times, own.documents, strict=True):
        state = [document.get(name) for name in fields]
        if not states or states[-1][1] != state:
            states.append((at - own.began, state))
    return states


def stage_kind(run):
    return run._timeline.records[0].kind.collection


def others_of(run):
    """What else there is of a run: kind, time of beginning, last version."""
    first = run._timeline.records[0].began
    return sorted(
        (r.kind.name, r.began - first, sorted(map(str, r.documents[-1])))
        for r in run._timeline.records[1:]
    )


@pytest.mark.parametrize(("api", "scenario"), list(scenarios()), ids=str)
def test_a_run_that_was_watched_unfolds_again(api, scenario, tmp_path):
    with Soundstage(apis=[api], seed=3, violations="allow") as stage:
        service = stage._server.worlds.services[api]
        run = stage.start(api, scenario)
        fields = [one.field for one in service.fixture.script.lifecycles["run"]]
        path = watched(stage, api, run, tmp_path)
        retold = told(path, service, run=run.id)
        stage.define_scenario(api, "again", {"steps": retold.steps})
        again = stage.start(api, "again", task=retold.task)
        assert states_of(stage, again, fields) == states_of(stage, run, fields)
        kept = [(kind, at) for kind, at, _ in others_of(run)]
        assert [(kind, at) for kind, at, _ in others_of(again)] == kept
        assert retold.notes == [] or not run.over
