"""Recorded runs become scenarios, for each API with runs in its responses."""

import json

import pytest

from soundstage import Soundstage
from soundstage.apis.registry import list_api_names, load_service
from soundstage.apis.registry import load_api as module_of
from soundstage.apis.trigger_dev.serializers import CURRENT_VERSION
from soundstage.exchange.har import build_har
from soundstage.openapi.document import load_document, parse_document
from soundstage.tools.recorder import UnusableRecording
from soundstage.tools.recorder.extraction import ObservedRecord, read_archive
from soundstage.tools.recorder.fixture_profile import FixtureProfile
from soundstage.tools.recorder.fixture_writer import format_scenario
from soundstage.tools.recorder.reconstruction import RecordHistory
from soundstage.tools.recorder.recorder import align_clocks
from soundstage.vendored_files import fixtures
from soundstage.world.clock import format_rfc3339, parse_rfc3339
from soundstage.world.fixture import compile_fixture
from support.recorder import entry, recorded_scenario, write_archive

T0 = parse_rfc3339("2026-03-01T10:00:00Z")
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


# Every scenario of every API with runs in its responses, recorded and run again.

ASK = {
    "algolia-ingestion": [
        "/1/runs/{id}",
        "/1/runs/{id}/events?itemsPerPage=100&startDate=2025-01-01T00:00:00Z",
    ],
    "runwisp": ["/api/tasks/{task}/runs?limit=50"],
    "trigger-dev": ["/api/v3/runs/{id}", "/api/v1/runs/{id}/events"],
}


# To older clients Trigger.dev calls some states by other names.
NEW = {"x-trigger-api-version": CURRENT_VERSION}


HIDDEN = {("trigger-dev", "REATTEMPTING"): "EXECUTING"}


def recorded_apis():
    for name in list_api_names():
        model = module_of(name).model
        if name in ASK and model.record_types["run"].schema:
            yield name


def scenarios():
    for name in recorded_apis():
        definitions = load_service(module_of(name)).fixture.definitions
        for scenario in definitions.scenarios:
            yield name, scenario


def watched(stage, api, run, tmp_path, wait):
    """Advance a run to its end; return the archive of a client that polls it."""
    with stage.httpx_client(api) as client:
        for turn in range(300):
            for template in ASK[api]:
                path = template.format(id=run.id, task=run.record.get("task_name"))
                assert client.get(path, headers=NEW).is_success
            if run.over:
                break
            wait(turn)
    path = tmp_path / "seen.har"
    entries = stage._world.host.journal.entries(api=api)
    path.write_text(json.dumps(build_har(entries)))
    return path


def records_of(stage, run):
    """Return the records of a run that responses show, with all versions."""
    world = stage._world.host.world
    types = world.fixtures[run.api].definitions.model.record_types.values()
    collections = [world.collection(run.api, one.collection) for one in types]
    return [
        record
        for generated in run._run.records
        for collection in collections
        if collection.record_type.schema and (record := collection.get_record(generated.id))
    ]


def changes(record, shown=dict):
    """Yield the timestamps at which a record changed, and what it shows then."""
    last = None
    for at, document in zip(record.timestamps, record.versions, strict=True):
        if shown(document) != last:
            last = shown(document)
            yield at, last


def states_of(stage, run, fields):
    """Return the states of a run, each with the time since its beginning."""
    own = records_of(stage, run)[0]

    def state(document):
        states = [document.get(name) for name in fields]
        return [HIDDEN.get((run.api, one), one) for one in states]

    return [(at - own.created_at, states) for at, states in changes(own, state)]


def others_of(stage, run):
    """Return the other records of a run, and when they change."""
    own, *others = records_of(stage, run)
    return sorted(
        (record.record_type.name, at - own.created_at, len(document))
        for record in others
        for at, document in changes(record)
    )


SOME = [
    ("algolia-ingestion", "too_many_errors"),
    ("runwisp", "skipped"),
    ("trigger-dev", "waiting"),
    ("trigger-dev", "all_attempts_failed"),
]


@pytest.mark.parametrize(("api", "scenario"), list(scenarios()), ids=str)
def test_a_run_that_was_polled_often_is_repeated_exactly(api, scenario, tmp_path):
    with Soundstage(apis=[api], seed=3, violations="allow") as stage:
        service = stage._world.server.worlds.services[api]
        run = stage.start(api, scenario)
        fields = [one.field for one in service.fixture.definitions.lifecycles["run"]]
        path = watched(stage, api, run, tmp_path, lambda _: stage.clock.to_next())
        recorded = recorded_scenario(path, service, run=run.id)
        stage.define_scenario(api, "again", {"steps": recorded.steps})
        again = stage.start(api, "again", task=recorded.task)
        assert states_of(stage, again, fields) == states_of(stage, run, fields)
        assert others_of(stage, again) == others_of(stage, run)


@pytest.mark.parametrize(("api", "scenario"), SOME, ids=str)
def test_a_run_that_was_polled_rarely_ends_as_it_did(api, scenario, tmp_path):
    with Soundstage(apis=[api], seed=3, violations="allow") as stage:
        service = stage._world.server.worlds.services[api]
        run = stage.start(api, scenario)
        fields = [one.field for one in service.fixture.definitions.lifecycles["run"]]

        def wait(turn):
            stage.clock.advance(seconds=7 if turn < 40 else 300)

        path = watched(stage, api, run, tmp_path, wait)
        recorded = recorded_scenario(path, service, run=run.id)
        stage.define_scenario(api, "again", {"steps": recorded.steps})
        again = stage.start(api, "again", task=recorded.task)
        states, real = states_of(stage, again, fields), states_of(stage, run, fields)
        assert (states[0], states[-1]) == (real[0], real[-1])
        # Records with a creation time began then.
        count = len(records_of(stage, run)) - 1
        assert sum(recorded.records.values()) == count


# What can be inferred from few observations.


def run_of(status, **fields):
    return {
        "runID": RUN,
        "appID": "ALGOLIA_APPLICATION_ID",
        "taskID": TASK,
        "type": "reindex",
        "failureThreshold": 20,
        "createdAt": "2026-03-01T09:59:00.000Z",
        "status": status,
        **fields,
    }


DONE = run_of(
    "finished",
    startedAt="2026-03-01T09:59:04Z",
    finishedAt="2026-03-01T09:59:30.500Z",
    outcome="success",
    reasonCode="ok",
    progress={"expectedNbOfEvents": 2, "receivedNbOfEvents": 2},
)


def test_one_response_at_the_end_shows_all_states_of_a_run(algolia, tmp_path):
    recorded = recorded_scenario(
        write_archive(tmp_path, entry(T0, f"{HOST}/1/runs/{RUN}", DONE)), algolia
    )
    assert recorded.states == [(0, "created"), (4_000, "started"), (30_500, "finished")]
    assert recorded.task == "products"
    assert recorded.steps == [
        {"run": {"status": "created"}},
        {"after": "4s", "run": {"status": "started", "startedAt": "$at"}},
        {
            "after": "26500ms",
            "run": {
                "status": "finished",
                "finishedAt": "$at",
                "outcome": "success",
                "reasonCode": "ok",
                "progress": {"expectedNbOfEvents": 2, "receivedNbOfEvents": 2},
            },
        },
    ]
    assert recorded.notes == []


def test_a_change_without_a_timestamp_happens_when_it_was_observed(algolia, tmp_path):
    bodies = [
        (0, run_of("created", reasonCode="early")),
        (9_000, run_of("started", startedAt="2026-03-01T10:00:03Z")),
        (20_000, run_of("started", startedAt="2026-03-01T10:00:03Z", reason="busy")),
        (30_000, run_of("started", startedAt="2026-03-01T10:00:03Z")),
    ]
    entries = [entry(T0 + at, f"{HOST}/1/runs/{RUN}", body) for at, body in bodies]
    recorded = recorded_scenario(write_archive(tmp_path, *entries), algolia)
    assert recorded.steps == [
        {"run": {"status": "created", "reasonCode": "early"}},
        {"after": "63s", "run": {"status": "started", "reasonCode": None, "startedAt": "$at"}},
        {"after": "17s", "run": {"reason": "busy"}},
        {"after": "10s", "run": {"reason": None}},
    ]
    assert recorded.notes == ["the recording ends before the run does"]


def test_states_that_were_not_observed_follow_the_lifecycle(runwisp, tmp_path):
    run = {
        "id": "01KDVDNA008JM07FVJDM0JZQ73",
        "task_name": "backup",
        "exit_code": 0,
        "triggered_by": "cron",
        "created_at": "2026-03-01T10:00:00Z",
        "retry_attempt": 0,
        "replica_index": 0,
        "status": "pending",
    }
    over = run | {"status": "ended", "end_reason": "failed", "exit_code": 3}
    entries = [
        entry(T0 + at, "http://ci:9477/api/tasks/backup/runs", {"runs": [body]})
        for at, body in [(1_000, run), (8_000, over | {"end_at": "2026-03-01T10:00:06Z"})]
    ]
    recorded = recorded_scenario(write_archive(tmp_path, *entries), runwisp)
    assert recorded.task == "backup"
    assert recorded.states == [(0, "pending"), (6_000, "ended")]


def events(*given):
    return {
        "events": [
            {
                "eventID": f"00000000-0000-4000-8000-{number:012}",
                "runID": RUN,
                "status": "succeeded",
                "type": kind,
                "batchSize": 5,
                "data": data,
                "publishedAt": at,
            }
            for number, (at, kind, data) in enumerate(given)
        ],
        "pagination": {"nbPages": 1, "page": 1, "nbItems": 2, "itemsPerPage": 10},
        "window": {"startDate": "x", "endDate": "y"},
    }


def test_events_happen_at_their_own_times_and_refer_to_the_new_run(algolia, tmp_path):
    page = events(
        ("2026-03-01T09:59:10.000Z", "fetch", {"url": f"https://x/$runs/{RUN}", "n": 1}),
        ("2026-03-01T09:59:10.000Z", "record", {"run": RUN, "at": "4..9", "no": None}),
        ("2026-03-01T09:59:05.000Z", "log", {"any": ["a"]}),
    )
    path = write_archive(
        tmp_path,
        entry(T0, f"{HOST}/1/runs/{RUN}", DONE),
        entry(T0 + 5, f"{HOST}/1/runs/{RUN}/events?page=1", page),
        entry(T0 + 9, f"{HOST}/1/runs/{RUN}/events?page=1", page),
    )
    recorded = recorded_scenario(path, algolia)
    assert recorded.records == {"event": 3}
    common = {"status": "succeeded", "batchSize": 5}
    first, second = recorded.steps[2], recorded.steps[3]
    assert first["after"] == "1s"
    assert first["event"] == {**common, "type": "log", "data": {"literal": {"any": ["a"]}}}
    assert second["after"] == "5s"
    assert [event["data"] for event in second["event"]] == [
        {"url": "https://x/$$runs/${run.runID}", "n": 1},
        {"run": "$run.runID", "at": {"literal": "4..9"}, "no": {"literal": None}},
    ]


def test_a_timestamp_of_another_time_stays_with_a_note(algolia, tmp_path):
    data = {"since": "2020-01-01T00:00:00.000Z"}
    page = events(("2026-03-01T09:59:10.000Z", "fetch", data))
    path = write_archive(
        tmp_path,
        entry(T0, f"{HOST}/1/runs/{RUN}", DONE),
        entry(T0, f"{HOST}/1/runs/{RUN}/events", page),
    )
    recorded = recorded_scenario(path, algolia)
    assert recorded.steps[2]["event"]["data"] == data
    assert recorded.notes == [
        "event.data.since keeps its recorded moment, 2020-01-01T00:00:00.000Z"
    ]


def test_an_event_from_before_its_run_begins_with_it(algolia, tmp_path):
    page = events(("2026-03-01T09:58:59.000Z", "fetch", None))
    path = write_archive(
        tmp_path,
        entry(T0, f"{HOST}/1/runs/{RUN}", DONE),
        entry(T0, f"{HOST}/1/runs/{RUN}/events", page),
    )
    recorded = recorded_scenario(path, algolia)
    assert recorded.steps[0]["event"]["type"] == "fetch"
    assert recorded.steps[0]["run"] == {"status": "created"}


def test_a_faster_recorded_clock_is_aligned(algolia, tmp_path):
    bodies = [
        (0, run_of("created", createdAt="2026-03-01T10:00:00Z")),
        (1_000, run_of("created", createdAt="2026-03-01T10:00:00Z", reason="a")),
        (2_000, run_of("created", createdAt="2026-03-01T10:00:00Z", reason="b")),
    ]
    entries = [entry(T0 + at, f"{HOST}/1/runs/{RUN}", body) for at, body in bodies]
    recorded = recorded_scenario(write_archive(tmp_path, *entries), algolia, speed=60)
    assert [step["after"] for step in recorded.steps[1:]] == ["1m", "1m"]


def test_the_run_that_changed_is_chosen(algolia, tmp_path):
    old = DONE | {"runID": OTHER}
    listed = [[run_of("created"), old], [DONE, old]]
    pagination = {"nbPages": 1, "page": 1, "nbItems": 2, "itemsPerPage": 10}
    entries = [
        entry(T0 + i, f"{HOST}/1/runs", {"runs": runs, "pagination": pagination})
        for i, runs in enumerate(listed)
    ]
    path = write_archive(tmp_path, *entries)
    assert recorded_scenario(path, algolia).run == RUN
    assert recorded_scenario(path, algolia, run=OTHER).run == OTHER
    with pytest.raises(
        UnusableRecording, match="no response contains the run 'x'; the runs are: 1111"
    ):
        recorded_scenario(path, algolia, run="x")
    with pytest.raises(UnusableRecording, match="has no task 'x'; the tasks are: "):
        recorded_scenario(path, algolia, task="x")
    with pytest.raises(UnusableRecording, match="more than one run, choose by --run"):
        recorded_scenario(write_archive(tmp_path, entries[0]), algolia)


def test_an_api_is_found_below_any_path_prefix(algolia, tmp_path):
    url = f"http://127.0.0.1:4010/~mine/algolia-ingestion/1/runs/{RUN}"
    path = write_archive(tmp_path, entry(T0, url, DONE), entry(T0, "http://x/", {}))
    assert recorded_scenario(path, algolia).run == RUN


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "is no HTTP Archive"),
        ("{}", "is no HTTP Archive: it lacks 'log'"),
        ('{"log": {"entries": [{"startedDateTime": "x"}]}}', "it lacks 'request'"),
        ('{"log": {"entries": []}}', "no response in it contains a run"),
    ],
)
def test_an_unusable_recording_is_rejected(algolia, tmp_path, text, message):
    path = tmp_path / "a.har"
    path.write_text(text)
    with pytest.raises(UnusableRecording, match=message):
        recorded_scenario(path, algolia)


def test_an_api_without_runs_in_its_responses_cannot_be_recorded(tmp_path):
    with pytest.raises(UnusableRecording, match="responses of trieve never contain a run"):
        recorded_scenario(write_archive(tmp_path), load_service(module_of("trieve")))


def test_a_base64_body_is_decoded_and_a_missing_response_skipped(tmp_path):
    packed = entry(T0, f"{HOST}/1/runs/{RUN}", "e30=")
    packed["response"]["content"]["encoding"] = "base64"
    lost = entry(T0, f"{HOST}/1/runs/{RUN}", "", status=0)
    (exchange,) = read_archive(write_archive(tmp_path, packed, lost))
    assert exchange.response_body == b"{}"


def test_spans_refer_to_one_another_and_grow(tmp_path):
    with Soundstage(apis=["trigger-dev"], seed=3) as stage:
        service = stage._world.server.worlds.services["trigger-dev"]
        run = stage.start("trigger-dev", "all_attempts_failed")
        path = watched(stage, "trigger-dev", run, tmp_path, lambda _: stage.clock.to_next())
    steps = recorded_scenario(path, service).steps
    text = format_scenario("x", {"steps": steps})
    assert "parentId: $span1.spanId" in text
    assert "duration: $elapsed_ns" in text
    assert "events:\n          append:\n            name: attempt_failed\n" in text
    assert "time: $at" in text
    assert "runId: $run.id" in text
    assert run.id not in text


def test_generated_identifiers_are_generated_again():
    definitions = compile_fixture(
        parse_document(
            "api: x\n"
            "defaults:\n"
            "  run: {trace: {id: hex32}, word: {any: [a, b, c, d, e, f]}, own: x}\n"
        ),
        module_of("trigger-dev").model,
    ).definitions
    profile = FixtureProfile(definitions, {}, {})
    kind = definitions.model.record_types["run"]
    seen = {"trace": "0" * 32, "word": "z", "own": "0" * 32}
    assert profile.generated_ids(kind, {}, seen) == {"trace"}
    assert profile.generated_ids(kind, {}, {"trace": "none"}) == set()


def test_an_unknown_task_is_replaced_by_a_listed_one(runwisp, tmp_path):
    run = {
        "id": "01KDVDNA008JM07FVJDM0JZQ73",
        "task_name": "nightly",
        "exit_code": 0,
        "triggered_by": "api",
        "created_at": "2026-03-01T10:00:00Z",
        "retry_attempt": 0,
        "replica_index": 0,
        "status": "pending",
    }
    url = "http://ci:9477/api/tasks/nightly/runs"
    recorded = recorded_scenario(write_archive(tmp_path, entry(T0, url, {"runs": [run]})), runwisp)
    assert recorded.task in runwisp.fixture.definitions.tasks.keys() - {"*"}
    assert recorded.steps[0]["run"]["task_name"] == "nightly"


def test_observed_times_give_way_to_timestamps(algolia, tmp_path):
    """The recorder's clock is half a minute ahead."""
    at = {"createdAt": "2026-03-01T10:00:00Z", "startedAt": "2026-03-01T10:00:01Z"}
    bodies = [
        (30_000, run_of("created", createdAt=at["createdAt"])),
        (32_000, run_of("started", **at)),
        (34_000, run_of("started", **at, reason="a")),
        (36_000, run_of("started", **at, reason="b")),
        (40_000, run_of("finished", **at, finishedAt="2026-03-01T10:00:09Z")),
    ]
    entries = [entry(T0 + at, f"{HOST}/1/runs/{RUN}", body) for at, body in bodies]
    recorded = recorded_scenario(write_archive(tmp_path, *entries), algolia)
    reasons = [step["run"].get("reason", "-") for step in recorded.steps]
    assert reasons == ["-", "-", "a", "b", None]
    assert recorded.states == [(0, "created"), (1_000, "started"), (9_000, "finished")]


def span(number, start, parent=None):
    return {
        "spanId": f"{number:016x}",
        "parentId": parent and f"{parent:016x}",
        "runId": "run_1",
        "message": f"number {number}",
        "startTime": f"{T0 + start}000000",
        "duration": 0,
        "isPartial": False,
        "isError": False,
        "isCancelled": False,
        "level": "TRACE",
        "kind": "UNSPECIFIED",
        "attemptNumber": None,
        "events": [],
        "style": {},
    }


TRIGGERED = {
    "id": "run_1",
    "taskIdentifier": "hello-world",
    "status": "COMPLETED",
    "version": "1",
    "createdAt": "2026-03-01T10:00:00.000Z",
    "startedAt": "2026-03-01T10:00:01.000Z",
    "finishedAt": "2026-03-01T10:00:04.000Z",
    "updatedAt": "2026-03-01T10:00:04.020Z",
    "isTest": False,
    "tags": [],
    "durationMs": 3000,
    "costInCents": 0,
    "baseCostInCents": 0,
    "payload": {"name": "Ada"},
    "attemptCount": 1,
}


@pytest.fixture(scope="module")
def trigger():
    return load_service(module_of("trigger-dev"))


def test_a_state_is_placed_at_the_timestamp_that_fixtures_set_with_it(trigger, tmp_path):
    url = "https://api.trigger.dev/api/v3/runs/run_1"
    recorded = recorded_scenario(
        write_archive(tmp_path, entry(T0 + 60_000, url, TRIGGERED)), trigger
    )
    assert recorded.states == [(0, "QUEUED"), (1_000, "EXECUTING"), (4_000, "COMPLETED")]
    last = recorded.steps[-1]
    assert last == {"after": "20ms", "run": {"updatedAt": "$at"}}


def test_a_record_is_created_before_those_that_refer_to_it(trigger, tmp_path):
    url = "https://api.trigger.dev/api/v1/runs/run_1/events"
    a, b, c, leaf = 2, 3, 4, 5
    spans = [span(b, 900, a), span(c, 900, b), span(a, 900, 1), span(leaf, 900, c)]
    spans.append(span(1, 0))
    path = write_archive(
        tmp_path,
        entry(T0 + 60_000, "https://api.trigger.dev/api/v3/runs/run_1", TRIGGERED),
        entry(T0 + 60_000, url, {"events": spans}),
    )
    steps = recorded_scenario(path, trigger).steps
    assert list(steps[0]) == ["run", "span/span1"]
    order = ["span/span4", "span/span2", "span/span3", "span"]
    assert list(steps[1]) == ["after", *order]
    parents = ["$span1.spanId", "$span4.spanId", "$span2.spanId", "$span3.spanId"]
    assert [steps[1][key]["parentId"] for key in order] == parents


def history_of(service, observed):
    node = load_document(fixtures() / f"{service.name}.yaml").document
    profile = FixtureProfile(service.fixture.definitions, node, {"run": {"id"}})
    return RecordHistory(profile, align_clocks([], T0, 1), observed)


def test_a_field_that_another_view_lacks_is_not_removed(trigger):
    kind = trigger.fixture.definitions.model.record_types["run"]

    def seen(at, view, **fields):
        document = {"id": "run_1", "createdAt": "2026-03-01T10:00:00Z", **fields}
        shown = frozenset({"id", "status", "createdAt"})
        return ObservedRecord(T0 + at, kind, document, view, shown, frozenset())

    observed = [
        seen(0, "list", status="QUEUED"),
        seen(1, "one", status="QUEUED", payload=1, output=1),
        seen(2, "list", status="QUEUED"),
        seen(3, "one", status="QUEUED", payload=1),
    ]
    run = history_of(trigger, observed)
    documents = [(v.timestamp - T0, v.document) for v in run.versions]
    assert [(at, d.get("payload"), d.get("output")) for at, d in documents] == [
        (0, 1, None),
        (1, 1, 1),
        (3, 1, None),
    ]


def test_streams_and_overtaken_responses_add_nothing(runwisp, tmp_path):
    """A stream begins before the events that it contains."""
    run = {"id": "01KDVDNA008JM07FVJDM0JZQ73", "task_name": "backup", "exit_code": 0}
    run |= {"triggered_by": "api", "retry_attempt": 0, "replica_index": 0}
    run |= {"created_at": format_rfc3339(T0 + 1_000), "status": "pending"}
    started = run | {"status": "running", "start_at": format_rfc3339(T0 + 2_000)}
    ended = started | {"status": "ended", "end_at": format_rfc3339(T0 + 9_000)}
    ended |= {"end_reason": "success"}
    events_of_run = zip(
        ("run.created", "run.started", "run.completed"), (run, started, ended), strict=True
    )
    text = "".join(
        f"event: {name}\ndata: {json.dumps({'run': one})}\n\n" for name, one in events_of_run
    )
    url = "http://x/api/runs/stream"
    stream = entry(T0, url, text, kind="text/event-stream") | {"time": 20_000}
    made = entry(T0 + 1_000, "http://x/api/tasks/backup/run", run, method="POST")
    made["response"]["status"] = 201
    listed = {"runs": [ended], "total": 1}
    seen = entry(T0 + 15_000, "http://x/api/tasks/backup/runs", listed)
    want = [(0, "pending"), (1_000, "running"), (8_000, "ended")]
    for entries in ([stream, made], [stream, made, seen], [made, seen]):
        found = recorded_scenario(write_archive(tmp_path, *entries), runwisp)
        assert found.states == want
        assert found.is_started


def test_a_log_is_recorded_by_line_and_only_for_the_run(runwisp, tmp_path):
    def log(run, text):
        lines = [{"n": 0, "ts": T0 + 2_000, "stream": "stderr", "text": text}]
        page = {"lines": lines, "first_available": 0, "total_lines": 1}
        page |= {"truncated": False, "finalized": True}
        url = f"http://x/api/tasks/backup/runs/{run}/log"
        return entry(T0 + 10_000, url, page)

    mine, other = "01KDVDNA008JM07FVJDM0JZQ73", "01KDVDNA008JM07FVJDM0JZQ74"
    run = {"$schema": "http://x/schemas/Run.json", "id": mine, "task_name": "backup"}
    run |= {"exit_code": 0, "triggered_by": "api", "retry_attempt": 0}
    run |= {"replica_index": 0, "created_at": format_rfc3339(T0), "status": "pending"}
    made = entry(T0, "http://x/api/tasks/backup/run", run, method="POST", status=201)
    path = write_archive(tmp_path, made, log(other, "not mine"), log(mine, "mine"))
    assert recorded_scenario(path, runwisp).steps == [
        {"run": {"triggered_by": "api", "status": "pending"}},
        {"after": "2s", "line": {"stream": "stderr", "text": "mine"}},
    ]
