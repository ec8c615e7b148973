"""The vendors' official Python clients, unmodified, over a real socket."""

import asyncio
import json

import pytest
from algoliasearch.http.exceptions import RequestException
from algoliasearch.http.hosts import Host, HostsCollection
from algoliasearch.ingestion.client import IngestionClient, IngestionClientSync
from algoliasearch.ingestion.config import IngestionConfig

from support.server import RunningServer, running_server

RUN = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
DATASET = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"
TRIEVE_KEY = "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3"

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def server():
    with running_server("--speed", "0", "--seed", "7", "--now", "2026-01-01T00:00:00Z") as s:
        yield s


def algolia_config(server: RunningServer, key: str = "ALGOLIA_API_KEY") -> IngestionConfig:
    config = IngestionConfig("ALGOLIA_APPLICATION_ID", key, "us")
    host = Host("127.0.0.1", scheme="http", port=server.port)
    config.hosts = HostsCollection([host])
    return config


def test_algolia_sync_reads_a_run_and_pages_through_its_events(server):
    client = IngestionClientSync.create_with_config(algolia_config(server))
    run = client.get_run(RUN)
    seen, page, pages = [], 1, 1
    while page <= pages:
        answer = client.list_events(RUN, items_per_page=7, page=page)
        seen += [event.event_id for event in answer.events]
        pages, page = answer.pagination.nb_pages, page + 1
    assert run.run_id == RUN
    assert run.status == "finished"
    assert not run.model_extra
    assert len(seen) == len(set(seen)) == answer.pagination.nb_items >= 25


def test_algolia_sync_filters_sorts_and_looks_into_a_window(server):
    client = IngestionClientSync.create_with_config(algolia_config(server))
    answer = client.list_events(
        RUN,
        status=["failed", "retried"],
        type=["record"],
        sort="publishedAt",
        order="asc",
        start_date="2025-12-31T23:00:00+02:00",
    )
    times = [event.published_at for event in answer.events]
    assert {event.status for event in answer.events} == {"failed", "retried"}
    assert {event.type for event in answer.events} == {"record"}
    assert times == sorted(times)
    assert answer.window.start_date == "2025-12-31T21:00:00.000Z"


@pytest.mark.parametrize(
    ("key", "run_id", "status", "message"),
    [
        ("wrong", RUN, 403, "Invalid Application-Id or API-Key"),
        ("ALGOLIA_API_KEY", "a/b c?é", 404, "runs has no 'a/b c?é'"),
    ],
)
def test_algolia_sync_is_told_why_it_is_refused(server, key, run_id, status, message):
    client = IngestionClientSync.create_with_config(algolia_config(server, key))
    with pytest.raises(RequestException) as refused:
        client.get_run(run_id)
    assert refused.value.status_code == status
    assert message in str(refused.value)


def test_algolia_sync_is_told_what_is_out_of_range(server):
    client = IngestionClientSync.create_with_config(algolia_config(server))
    with pytest.raises(RequestException, match="greater than the maximum of 100"):
        client.list_events(RUN, items_per_page=101)


def test_algolia_async_reads_the_same(server):
    async def read():
        async with IngestionClient.create_with_config(algolia_config(server)) as client:
            run = await client.get_run(RUN)
            events = await client.list_events(
                RUN,
                status=["created", "succeeded"],
                start_date="2025-12-31T22:00:00Z",
                items_per_page=100,
            )
            return run, events

    run, events = asyncio.run(read())
    assert run.outcome == "success"
    assert {event.status for event in events.events} == {"created", "succeeded"}


@pytest.fixture
def trieve(server):
    trieve_py_client = pytest.importorskip("trieve_py_client")
    configuration = trieve_py_client.Configuration(host=server.url)
    configuration.api_key["ApiKey"] = TRIEVE_KEY
    with trieve_py_client.ApiClient(configuration) as client:
        yield client


def test_trieve_reads_pages_of_events(trieve):
    from trieve_py_client import DatasetApi, GetEventsData

    api = DatasetApi(trieve)
    first = api.get_events(DATASET, GetEventsData(page=1, page_size=20))
    second = api.get_events(DATASET, GetEventsData(page=2, page_size=20))
    ids = [event.id for event in [*first.events, *second.events]]
    assert len(set(ids)) == 40
    assert first.page_count == second.page_count >= 2
    assert len(first.event_types) >= 8


def test_trieve_asks_for_types(trieve):
    from trieve_py_client import DatasetApi, EventTypeRequest, GetEventsData

    wanted = [EventTypeRequest.CRAWL_STARTED, EventTypeRequest.CRAWL_COMPLETED]
    answer = DatasetApi(trieve).get_events(DATASET, GetEventsData(event_types=wanted))
    assert {e.event_type for e in answer.events} <= {"crawl_started", "crawl_completed"}
    assert answer.events


@pytest.mark.parametrize(
    ("dataset", "page", "error"),
    [
        ("00000000-0000-4000-8000-000000000000", 1, "NotFoundException"),
        (DATASET, 0, "BadRequestException"),
    ],
)
def test_trieve_is_told_why_it_is_refused(trieve, dataset, page, error):
    from trieve_py_client import DatasetApi, GetEventsData, exceptions

    with pytest.raises(getattr(exceptions, error)) as refused:
        DatasetApi(trieve).get_events(dataset, GetEventsData(page=page))
    assert json.loads(refused.value.body)["message"]


def test_trieve_is_told_that_its_key_is_wrong(trieve):
    from trieve_py_client import DatasetApi, GetEventsData, exceptions

    trieve.configuration.api_key["ApiKey"] = "tr-wrong"
    with pytest.raises(exceptions.UnauthorizedException):
        DatasetApi(trieve).get_events(DATASET, GetEventsData())
