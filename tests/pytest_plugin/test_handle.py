"""``Soundstage``, used without pytest's help."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import httpx
import pytest

import soundstage as package
from soundstage import NotReached, Soundstage, UnexpectedViolation
from soundstage.server.background import ServerPool
from soundstage.server.problems import Problem
from soundstage.world.errors import FixtureError, UnknownName

API = "algolia-ingestion"
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def stage():
    with Soundstage() as stage:
        yield stage


@pytest.fixture
def client(stage):
    with stage.httpx_client(API) as client:
        yield client


def test_every_public_name_is_there_and_in_order():
    assert list(package.__all__) == sorted(package.__all__)
    assert {*package.__all__} <= {*dir(package)}
    for name in package.__all__:
        assert getattr(package, name).__doc__
    with pytest.raises(AttributeError, match="no attribute 'Stage'"):
        _ = package.Stage


def test_a_world_is_frozen_at_the_same_instant_every_time(stage):
    assert stage.clock.now == START
    assert stage.clock.speed == 0
    assert stage.clock.now == START


def test_a_world_is_at_the_root_of_a_port(stage):
    url = urlsplit(stage.url(API))
    assert (url.scheme, url.hostname, url.path) == ("http", "127.0.0.1", "")
    assert stage.url(API) == stage.url("trieve") == stage.url()
    with pytest.raises(UnknownName, match="there is no API 'algolia'; there are: algolia-"):
        stage.url("algolia")


def test_the_port_is_closed_with_the_world():
    with Soundstage() as stage:
        port = urlsplit(stage.url()).port
    with pytest.raises(ConnectionRefusedError), socket.socket() as there:
        there.connect(("127.0.0.1", port))


@pytest.mark.parametrize(
    ("api", "secrets", "headers"),
    [
        (
            API,
            {"appId": "ALGOLIA_APPLICATION_ID", "apiKey": "ALGOLIA_API_KEY"},
            {
                "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
                "x-algolia-api-key": "ALGOLIA_API_KEY",
            },
        ),
        ("trigger-dev", {"secretKey": "tr_dev_1234"}, {"Authorization": "Bearer tr_dev_1234"}),
        (
            "trieve",
            {"ApiKey": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3"},
            {"Authorization": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3"},
        ),
    ],
)
def test_credentials_are_those_of_the_fixture(stage, api, secrets, headers):
    assert stage.credentials(api) == secrets
    assert stage.headers(api) == headers


def test_one_api_has_the_root_to_itself():
    with Soundstage(apis=API, violations="allow") as stage:
        with stage.httpx_client(API) as client:
            refusal = client.get("/nowhere")
        assert refusal.json() == {"message": "path: no operation has /nowhere"}
        assert [found.rule for found in stage.violations] == ["route"]


def test_a_path_that_no_api_has_is_a_violation_too(stage):
    with stage.httpx_client(API) as client, stage.expect_violation(rule="route"):
        client.get("/nowhere")


def test_worlds_do_not_see_each_other(stage):
    with Soundstage() as other:
        run = stage.start(API, "clean_reindex")
        stage.clock.advance(hours=1)
        assert run.over
        assert other.clock.now == START
        assert other.record(API, "runs", run.id) is None
        with other.httpx_client(API) as client:
            assert client.get(f"/1/runs/{run.id}").status_code == 404
        assert stage.journal == []
        # It is the first run of that world too, so it is the same one.
        assert other.start(API, "clean_reindex").id == run.id


def test_the_seed_decides():
    def run(seed):
        with Soundstage(seed=seed) as stage:
            return stage.run_until(stage.start(API))

    assert run(1) == run(1)
    assert run(1) != run(2)


@pytest.mark.parametrize("now", ["2030-06-01T12:00:00+02:00", datetime(2030, 6, 1, 10, tzinfo=UTC)])
def test_a_world_starts_at_the_requested_time(now):
    with Soundstage(now=now) as stage:
        assert stage.clock.now == datetime(2030, 6, 1, 10, tzinfo=UTC)
        newest = stage.records(API, "runs")[-1]["createdAt"]
        assert newest.startswith("2030-06-01")


def test_an_instant_without_an_offset_is_refused():
    with pytest.raises(ValueError, match="RFC 3339"):
        Soundstage(now=datetime(2030, 6, 1))  # noqa: DTZ001 - that is the point


def test_what_is_read_is_a_copy(stage):
    run = stage.start(API, "clean_reindex")
    run.record["status"] = "finished"
    stage.record(API, "runs", run.id)["status"] = "finished"
    stage.records(API, "runs")[-1].clear()
    assert run.record["status"] == "created"
    assert stage.records(API, "runs")[-1]["runID"] == run.id


def test_what_is_not_there_is_named(stage):
    with pytest.raises(UnknownName, match="there is no scenario 'odd'; there are: clean"):
        stage.start(API, "odd")
    with pytest.raises(UnknownName, match="there is no ending 'odd'; there are: cancelled"):
        stage.start(API, "clean_reindex").end("odd")
    with pytest.raises(Problem, match="unknown fault 'odd'; known: status"):
        stage.fault("odd")
    with pytest.raises(Problem, match="unknown operation 'odd'; known: "):
        stage.assert_never_called("odd")
    with pytest.raises(FixtureError):
        stage.start(API, "clean_reindex", fields={"type": "odd"})


def test_time_goes_by_until_a_run_is_over_and_no_longer(stage):
    run = stage.start(API, "too_many_errors")
    record = stage.run_until(run)
    assert record["outcome"] == "failure"
    ended = stage.clock.now.isoformat(timespec="milliseconds")
    assert record["finishedAt"] == ended.replace("+00:00", "Z")
    assert stage.run_until(run) == record


def test_a_wait_that_is_too_long_reports_the_last_value(stage):
    run = stage.start(API, "long_running")
    with pytest.raises(NotReached, match=r"not within 0:10:00 .*'status': 'started'"):
        stage.run_until(run, limit=timedelta(minutes=10))
    assert stage.clock.now <= START + timedelta(minutes=10)
    with pytest.raises(NotReached, match="last seen: None"):
        stage.run_until(lambda: stage.record(API, "runs", "any"))


def test_a_world_without_further_changes_raises():
    with Soundstage(apis="trieve") as stage:  # it starts nothing by itself
        stage.clock.advance(days=60)
        with pytest.raises(LookupError, match="nothing changes by itself any more"):
            stage.clock.to_next()
        with pytest.raises(NotReached, match="nothing changes any more"):
            stage.run_until(lambda: False)


def test_a_violation_is_raised_once_with_all_the_others(stage, client):
    client.get("/1/runs/any/events?itemsPerPage=0&page=x&odd=1")
    with pytest.raises(UnexpectedViolation) as raised:
        stage.check()
    assert [found.rule for found in raised.value.found] == ["unknown", "minimum", "type"]
    assert "listEvents (GET /1/runs/any/events?itemsPerPage=0" in str(raised.value)
    assert "query.itemsPerPage: 0 is less than the minimum of 1" in str(raised.value)
    stage.check()


def test_the_end_of_the_block_raises_what_was_broken_in_it():
    with pytest.raises(UnexpectedViolation), Soundstage() as stage:
        httpx.get(f"{stage.url()}/1/runs/any")


def test_what_went_wrong_in_the_block_comes_first():
    with pytest.raises(KeyError, match="lost"), Soundstage() as stage:
        raise KeyError("lost", httpx.get(f"{stage.url()}/1/runs/any"))


def test_only_what_was_expected_is_forgiven(stage, client):
    with stage.expect_violation("listEvents", rule="minimum"):
        client.get("/1/runs/any/events?itemsPerPage=0&page=0")
    nothing = pytest.raises(AssertionError, match=r"a violation; what .*: nothing")
    with nothing, stage.expect_violation():
        client.get(_some_run(stage))
    another = pytest.raises(AssertionError, match=r"'type' in 'getRun'; .*\n  listEve")
    with another, stage.expect_violation("getRun", rule="type"):
        client.get("/1/runs/any/events?order=up")
    with pytest.raises(UnexpectedViolation, match="broken once") as raised:
        stage.check()
    assert raised.value.found[0].location == "query.order"


def test_calls_are_asserted(stage, client):
    run = stage.start(API, "clean_reindex")
    client.get(f"/1/runs/{run.id}")
    client.get(f"/1/runs/{run.id}/events?page=1")
    stage.assert_called("getRun", times=1, api=API, parameters={"runID": run.id})
    stage.assert_in_order("getRun", {"operation": "listEvents", "with": {}})
    stage.assert_never_called("getRun", parameters={"runID": "another"})
    with pytest.raises(AssertionError, match=r"getRun .*called 2 times"):
        stage.assert_called("getRun", times=2)
    with pytest.raises(AssertionError, match=r"getRun .*never called"):
        stage.assert_never_called("getRun")
    with pytest.raises(AssertionError, match="in this order"):
        stage.assert_in_order("listEvents", "getRun")


FAULTS = [("reset", httpx.ReadError), ("truncate", httpx.ReadError), ("timeout", httpx.ReadTimeout)]


@pytest.mark.parametrize(("kind", "error"), FAULTS)
def test_a_fault_of_the_connection_is_httpxs_own_error(stage, client, kind, error):
    with stage.fault(kind, operation="getRun") as fault:
        with pytest.raises(error):
            client.get("/1/runs/any" if kind == "timeout" else _some_run(stage))
        assert fault.hits == 1
    assert client.get(_some_run(stage)).is_success
    fault.remove()
    assert [entry.fault for entry in stage.journal] == [kind, None]


def _some_run(stage):
    return f"/1/runs/{stage.records(API, 'runs')[-1]['runID']}"


def test_a_cut_connection_is_in_the_journal_when_the_client_knows(stage):
    path = _some_run(stage)
    with httpx.Client(base_url=stage.url(), headers=stage.headers(API)) as client:
        stage.fault("reset")
        for count in range(1, 20):
            with pytest.raises(httpx.TransportError):
                client.get(path)
            assert len(stage.journal) == count


def test_the_asynchronous_client_gets_responses_too(stage):
    async def both():
        async with stage.async_httpx_client(API) as client:
            good = await client.get(_some_run(stage))
            stage.fault("reset")
            with pytest.raises(httpx.ReadError):
                await client.get(_some_run(stage))
            return good.json()["runID"]

    assert asyncio.run(both()) in _some_run(stage)


def test_a_client_may_come_without_credentials(stage):
    client = stage.httpx_client(API, authenticated=False)
    with client, stage.expect_violation("getRun", rule="security"):
        assert client.get(_some_run(stage)).status_code == 403


def test_handles_may_be_used_from_many_threads():
    def story(minutes):
        with Soundstage(apis=API) as stage, stage.httpx_client(API) as client:
            run = stage.start(API, "clean_reindex")
            for _ in range(minutes):
                stage.clock.advance(minutes=1)
                assert client.get(f"/1/runs/{run.id}").is_success
            assert len(stage.journal) == minutes
            return stage.clock.now

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(story, range(40))) == [
            START + timedelta(minutes=minutes) for minutes in range(40)
        ]


def test_a_fixture_of_the_users_takes_the_place_of_the_vendored_one(tmp_path):
    fixture = tmp_path / "mine.yaml"
    fixture.write_text(
        "api: runwisp\nlifecycle: {run.status: {begins: [pending], moves: {pending: [ended]}}}\n"
    )
    with Soundstage(apis="runwisp", fixtures=[fixture]) as stage:
        assert stage.records("runwisp", "runs") == []


def test_servers_can_be_stopped_and_started_again():
    servers = ServerPool()
    for _ in range(2):
        with Soundstage(apis=API, servers=servers) as stage:
            url = stage.url()
            assert httpx.get(f"{url}/_soundstage/health").is_success
        servers.stop()
        with pytest.raises(httpx.ConnectError):
            httpx.get(url)
    servers.stop()
