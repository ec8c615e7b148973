"""Recorded runs become scenarios, whichever API they are of."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retold import entry, told, written
from soundstage import Soundstage
from soundstage.apis.service import load_service, names
from soundstage.apis.service import api as module_of
from soundstage.apis.trigger_dev.shown import PRESENT
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


# To older clients Trigger.dev calls some states by other names.
NEW = {"x-trigger-api-version": PRESENT}


HIDDEN = {("trigger-dev", "REATTEMPTING"): "EXECUTING"}


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


def watched(stage, api, run, tmp_path, wait):
    """Let a run go on to its end; the archive of a client that asks now and then."""
    with stage.httpx_client(api) as client:
        for turn in range(300):
            for path in ASK[api]:
                path = path.format(id=run.id, task=run.record.get("task_name"))
                assert client.get(path, headers=NEW).is_success
            if run.over:
                break
            wait(turn)
    path = tmp_path / "seen.har"
    entries = stage._hosted.journal.entries(api=api)
    path.write_text(json.dumps(har_of(entries)))
    return path


def records_of(stage, run):
    """All versions of a run's records that are answered, as they came to be."""
    world = stage._hosted.world
    vocabulary = world.fixtures[run.api].script.vocabulary
    known = [world.collection(run.api, k.collection) for k in vocabulary.kinds.values()]
    return [
        record
        for drawn in run._timeline.records
        for there in known
        if there.kind.schema and (record := there.record(drawn.id))
    ]


def changes(record, shown=dict):
    """When a record came to be shown otherwise, and how."""
    last = None
    for at, document in zip(record.times, record.documents, strict=True):
        if shown(document) != last:
            last = shown(document)
            yield at, last


def states_of(stage, run, fields):
    """The states that a run comes to, each with the time since its beginning."""
    own = records_of(stage, run)[0]

    def state(document):
        said = [document.get(name) for name in fields]
        return [HIDDEN.get((run.api, one), one) for one in said]

    return [(at - own.began, said) for at, said in changes(own, state)]


def others_of(stage, run):
    """What else there is of a run, and when it changes."""
    own, *others = records_of(stage, run)
    return sorted(
        (record.kind.name, at - own.began, len(document))
        for record in others
        for at, document in changes(record)
    )


@pytest.mark.parametrize(("api", "scenario"), list(scenarios()), ids=str)
def test_a_run_that_was_watched_closely_unfolds_again(api, scenario, tmp_path):
    with Soundstage(apis=[api], seed=3, violations="allow") as stage:
        service = stage._server.worlds.services[api]
        run = stage.start(api, scenario)
        fields = [one.field for one in service.fixture.script.lifecycles["run"]]
        path = watched(stage, api, run, tmp_path, lambda _: stage.clock.to_next())
        retold = told(path, service, run=run.id)
        stage.define_scenario(api, "again", {"steps": retold.steps})
        again = stage.start(api, "again", task=retold.task)
        assert states_of(stage, again, fields) == states_of(stage, run, fields)
        assert others_of(stage, again) == others_of(stage, run)


@pytest.mark.parametrize(("api", "scenario"), list(scenarios()), ids=str)
def test_a_run_that_was_watched_now_and_then_ends_as_it_did(api, scenario, tmp_path):
    with Soundstage(apis=[api], seed=3, violations="allow") as stage:
        service = stage._server.worlds.services[api]
        run = stage.start(api, scenario)
        fields = [one.field for one in service.fixture.script.lifecycles["run"]]

        def wait(turn):
            stage.clock.advance(seconds=7 if turn < 40 else 300)

        path = watched(stage, api, run, tmp_path, wait)
        retold = told(path, service, run=run.id)
        stage.define_scenario(api, "again", {"steps": retold.steps})
        again = stage.start(api, "again", task=retold.task)
        first, *_, last = states_of(stage, again, fields)
        real = states_of(stage, run, fields)
        assert (first, last) == (real[0], real[-1])
        # What says itself when it began has begun then.
        count = len(records_of(stage, run)) - 1
        assert sum(retold.records.values()) == count
