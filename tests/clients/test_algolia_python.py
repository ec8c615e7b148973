"""Algolia's official Python client, unmodified: tasks and runs from end to end."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version

import httpx
import pytest
from algoliasearch.http.exceptions import RequestException
from algoliasearch.http.hosts import Host, HostsCollection
from algoliasearch.ingestion.client import IngestionClient, IngestionClientSync
from algoliasearch.ingestion.config import IngestionConfig
from algoliasearch.ingestion.models.action_type import ActionType
from algoliasearch.ingestion.models.auth_basic import AuthBasic
from algoliasearch.ingestion.models.auth_input import AuthInput
from algoliasearch.ingestion.models.authentication_create import AuthenticationCreate
from algoliasearch.ingestion.models.authentication_type import AuthenticationType
from algoliasearch.ingestion.models.task_create import TaskCreate

from support.server import running_server
from support.works_with import called, record_story

API = "algolia-ingestion"
EXAMPLE = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"  # what the documentation asks for
RECORDS = [{"objectID": str(n), "title": f"Title {n}"} for n in range(25)]

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def server():
    with running_server("--seed", "7") as server:
        yield server


class Stage:
    """A world of a story's own, and its clock."""

    def __init__(self, server, name, speed):
        wanted = {"name": name, "own_port": True, "speed": speed, "seed": 7}
        wanted["now"] = "2026-01-01T00:00:00Z"
        made = httpx.post(f"{server.url}/_soundstage/worlds", json=wanted)
        self.url = made.raise_for_status().json()["url"]

    def control(self, path, **body):
        response = httpx.post(f"{self.url}/_soundstage{path}", json=body)
        return response.raise_for_status().json()

    def advance(self, by):
        self.control("/clock/advance", by=by)

    def plan(self, scenario, **body):
        self.control(f"/scenarios/{API}/{scenario}/plan", **body)

    def config(self, key="ALGOLIA_API_KEY"):
        config = IngestionConfig("ALGOLIA_APPLICATION_ID", key, "us")
        port = int(self.url.rpartition(":")[2])
        config.hosts = HostsCollection([Host("127.0.0.1", scheme="http", port=port)])
        return config

    def client(self, key="ALGOLIA_API_KEY"):
        return IngestionClientSync.create_with_config(self.config(key))


@pytest.fixture(scope="module")
def still(server):
    """A world whose clock the stories turn."""
    return Stage(server, "py-still", 0)


@pytest.fixture(scope="module")
def quick(server):
    """A world that goes twenty times as fast as the wall."""
    return Stage(server, "py-quick", 20)


def every(ask, name, **query):
    """All items of a list, page by page."""
    found, page, pages = [], 1, 1
    while page <= pages:
        answer = ask(page=page, **query)
        found += getattr(answer, name)
        pages, page = answer.pagination.nb_pages, page + 1
    assert len(found) == answer.pagination.nb_items
    return found


@pytest.fixture(scope="module")
def task(still):
    """A task, made with all that it needs."""
    client = still.client()
    authentication = client.create_authentication(
        AuthenticationCreate(
            type=AuthenticationType.BASIC,
            name="Files",
            input=AuthInput(AuthBasic(username="me", password="secret")),  # noqa: S106
        )
    )
    source = client.create_source(
        {
            "type": "csv",
            "name": "Books",
            "input": {"url": "https://files.example/books.csv"},
            "authenticationID": authentication.authentication_id,
        }
    )
    transformation = client.create_transformation({"name": "As it is", "code": "r => r"})
    destination = client.create_destination(
        {
            "type": "search",
            "name": "Books",
            "input": {"indexName": "books"},
            "transformationIDs": [transformation.transformation_id],
        }
    )
    made = client.create_task(
        TaskCreate(
            sourceID=source.source_id,
            destinationID=destination.destination_id,
            action=ActionType.REPLACE,
            failureThreshold=10,
        )
    )
    return client.get_task(made.task_id)


def test_a_run_is_started_polled_to_its_end_and_listed(still, task):
    client = still.client()
    still.plan("clean_reindex")
    started = client.run_task(task.task_id)
    statuses = []
    while "finished" not in statuses:
        still.control("/clock/advance", to="next")
        statuses.append(client.get_run(started.run_id).status)
    run = client.get_run(started.run_id)
    events = every(lambda **q: client.list_events(started.run_id, items_per_page=5, **q), "events")
    listed = client.list_runs(task_id=task.task_id, status=["finished"], sort="status")
    assert (
        list(dict.fromkeys(statuses))
        == ["created", "started", "finished"][statuses[0] == "started" :]
    )
    assert (run.outcome, run.reason_code) == ("success", "ok")
    assert run.progress.expected_nb_of_events == run.progress.received_nb_of_events
    assert len(events) == run.progress.received_nb_of_events * 3 + 2
    assert not any(event.model_extra for event in events)
    assert [found.run_id for found in listed.runs] == [started.run_id]
    assert client.get_event(run.run_id, events[0].event_id) == events[0]


def test_a_run_is_cancelled_and_the_task_is_run_again(still, task):
    client = still.client()
    first = client.run_task(task.task_id, {"runMetadata": {"by": "test"}})
    still.advance("2s")
    still.control(f"/runs/{API}/{first.run_id}/end", ending="cancelled")
    again = client.run_task(task.task_id)
    still.advance("1h")
    assert client.get_run(first.run_id).reason_code == "cancelled"
    assert client.get_run(again.run_id).status == "finished"
    newest = client.list_runs(task_id=task.task_id, items_per_page=2)
    assert [run.run_id for run in newest.runs] == [again.run_id, first.run_id]


def test_a_push_is_watched_until_it_is_over(still, task):
    client = still.client()
    payload = {"action": "addObject", "records": RECORDS}
    still.plan("push_refused", times=1)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(client.push_task, task.task_id, payload, watch=True)
        while not waiting.done():
            still.advance("1s")
    answer = waiting.result()
    assert client.get_run(answer.run_id).outcome == "failure"
    assert answer.events[-1].event_id == answer.event_id
    assert answer.events[-1].status == "failed"
    assert answer.data is None


def test_chunks_are_pushed_and_waited_for(quick):
    client = quick.client()
    pushed = client.chunked_push("ALGOLIA_INDEX_NAME", RECORDS, wait_for_tasks=True, batch_size=10)
    sizes = [client.get_event(p.run_id, p.event_id).batch_size for p in pushed]
    stand_in = client.chunked_push("tmp", RECORDS, reference_index_name="articles")
    assert sizes == [10, 10, 5]
    assert {client.get_run(p.run_id).type for p in [*pushed, *stand_in]} == {"push"}


def test_the_async_client_does_the_same(quick):
    async def story():
        async with IngestionClient.create_with_config(quick.config()) as client:
            pushed = await client.chunked_push("articles", RECORDS[:5], wait_for_tasks=True)
            started = await client.run_task(EXAMPLE)
            run = await client.get_run(started.run_id)
            while run.status == "created":
                await asyncio.sleep(0.05)
                run = await client.get_run(started.run_id)
            runs = await client.list_runs(
                status=["started", "finished"], type=["push", "reindex"], task_id=EXAMPLE
            )
            return pushed, run, runs

    pushed, run, runs = asyncio.run(story())
    assert pushed[0].event_id
    assert run.run_id in [found.run_id for found in runs.runs]


def test_lists_are_filtered_sorted_and_paged(still, task):
    client = still.client()
    tasks = every(client.list_tasks, "tasks", items_per_page=5)
    enabled = every(client.list_tasks, "tasks", enabled=True, sort="action", order="asc")
    found = client.list_tasks(
        action=["replace", "save"],
        source_id=[task.source_id, "none"],
        source_type=["csv", "json"],
        trigger_type=["onDemand"],
    )
    actions = [each.action for each in enabled]
    assert task.task_id in [each.task_id for each in tasks]
    assert [each.task_id for each in found.tasks] == [task.task_id]
    assert 0 < len(enabled) < len(tasks)
    assert actions == sorted(actions)
    for ask, name in (
        (client.list_authentications, "authentications"),
        (client.list_sources, "sources"),
        (client.list_destinations, "destinations"),
        (client.list_transformations, "transformations"),
    ):
        everything = every(ask, name, items_per_page=3, sort="name", order="asc")
        names = [each.name for each in everything]
        assert names == sorted(names)
        assert not any(each.model_extra for each in everything)
    assert client.list_sources(authentication_id=["none"]).pagination.nb_items > 0
    shops = client.list_authentications(platform=["shopify", "bigcommerce"])
    assert {each.platform for each in shops.authentications} == {*("shopify", "bigcommerce")}


def test_a_task_is_disabled_enabled_changed_and_deleted(still, task):
    client = still.client()
    client.disable_task(task.task_id)
    with pytest.raises(RequestException, match="is disabled") as refused:
        client.run_task(task.task_id)
    client.enable_task(task.task_id)
    client.update_task(task.task_id, {"cron": "0 * * * *"})
    hourly = client.get_task(task.task_id)
    replaced = {"destinationID": task.destination_id, "action": "save"}
    client.replace_task(task.task_id, replaced)
    saved = client.get_task(task.task_id)
    assert refused.value.status_code == 400
    assert hourly.next_run
    assert (saved.action, saved.cron, saved.enabled) == ("save", None, True)
    with pytest.raises(RequestException, match="still used by tasks"):
        client.delete_source(task.source_id)
    client.delete_task(task.task_id)
    with pytest.raises(RequestException) as gone:
        client.get_task(task.task_id)
    assert gone.value.status_code == 404
    destination = client.get_destination(task.destination_id)
    source = client.get_source(task.source_id)
    client.delete_destination(destination.destination_id)
    client.delete_source(source.source_id)
    client.delete_transformation(destination.transformation_ids[0])
    client.delete_authentication(source.authentication_id)


def test_connectors_are_read_and_changed(still):
    client = still.client()
    client.update_authentication(EXAMPLE, {"input": {"apiKey": "new"}})
    client.update_source(EXAMPLE, {"name": "Pushes"})
    client.update_destination(EXAMPLE, {"input": {"attributesToExclude": ["draft"]}})
    client.update_transformation(EXAMPLE, {"name": "New", "code": "r => r"})
    destination = client.get_destination(EXAMPLE)
    assert client.get_authentication(EXAMPLE).name == "Example application"
    assert client.get_source(EXAMPLE).name == "Pushes"
    assert destination.input.index_name == "ALGOLIA_INDEX_NAME"
    assert destination.input.attributes_to_exclude == ["draft"]
    assert client.get_transformation(EXAMPLE).code == "r => r"


def test_the_tasks_of_a_source_are_run(still):
    shop = "3f0d9b52-6c1e-4a7b-8f43-2b9e5d7c1a06"
    started = still.client().run_source(shop, {"indexToInclude": ["products"]})
    assert list(started.task_with_run_id) == ["9d2c7a64-0a3e-4bb0-9a1c-1d5a0f3f8a10"]


@pytest.mark.parametrize(
    ("key", "ask", "status", "message"),
    [
        ("wrong", lambda c: c.list_runs(), 403, "Invalid Application-Id or API-Key"),
        ("", lambda c: c.run_task(EXAMPLE), 403, "Invalid Application-Id or API-Key"),
        (None, lambda c: c.run_task("lorem"), 404, "tasks has no 'lorem'"),
        (None, lambda c: c.get_event(EXAMPLE, "a/b"), 404, "events has no 'a/b'"),
        (None, lambda c: c.list_runs(sort="type"), 400, "query.sort"),
        (None, lambda c: c.list_tasks(items_per_page=0), 400, "query.itemsPerPage"),
        (
            None,
            lambda c: c.push("products", {"action": "clear", "records": []}),
            400,
            "5 tasks target",
        ),
        (
            None,
            lambda c: c.create_task({"sourceID": EXAMPLE, "action": "save"}),
            400,
            '"destinationID" is a required property',
        ),
    ],
)
def test_a_refusal_says_why(still, key, ask, status, message):
    client = still.client()
    if key is not None:
        client.set_client_api_key(key)
    with pytest.raises(RequestException) as refused:
        ask(client)
    assert refused.value.status_code == status
    assert message in str(refused.value)


def test_readme_says_what_these_stories_called(still, quick):
    """The last test here: it looks at what all the others did."""
    operations = {*called(still.url, API), *called(quick.url, API)}
    name = "algoliasearch, sync and async (PyPI)"
    record_story(name, version("algoliasearch"), API, sorted(operations))
