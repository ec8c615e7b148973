"""Trieve's own Python client, unmodified: the whole story of a dataset.

What its models cannot take is left out, or noted where the story meets it: a list of
chunks, coordinates without a fraction, a chunk without tags (it fits both versions of
the model), and the empty answer of ``bulk_delete_chunk``. It knows no crawls.
"""

import base64
import json
from importlib.metadata import version

import httpx
import pytest

from support.server import running_server
from support.works_with import called, record_story

trieve = pytest.importorskip("trieve_py_client")

ORGANIZATION = "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3"
OTHERS_DATASET = "c8e2a6b4-d05f-4173-9a3c-f1b7e4d29068"
NOBODYS = "00000000-0000-4000-8000-000000000000"
KEY = "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3"
READONLY = "tr-c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3c3"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:Pydantic serializer:UserWarning"),
]


@pytest.fixture(scope="module")
def server():
    with running_server("--speed", "0", "--seed", "7", "--now", "2026-01-01T00:00:00Z") as s:
        yield s


@pytest.fixture(scope="module")
def client(server):
    configuration = trieve.Configuration(host=server.url)
    configuration.api_key["ApiKey"] = KEY
    with trieve.ApiClient(configuration) as client:
        yield client


class Story:
    """The client, the clock, and the dataset that the story is of."""

    def __init__(self, url, client):
        self.url = url
        self.datasets = trieve.DatasetApi(client)
        self.chunks = trieve.ChunkApi(client)
        self.groups = trieve.ChunkGroupApi(client)
        self.files = trieve.FileApi(client)
        asked = trieve.CreateDatasetReqPayload(dataset_name="Story", tracking_id="story")
        self.id = self.datasets.create_dataset(ORGANIZATION, asked).id

    def advance(self, by):
        url = f"{self.url}/_soundstage/clock/advance"
        httpx.post(url, json={"by": by}).raise_for_status()

    def poll(self, ask, done=bool):
        """Ask again and again, as an application does, while the clock goes on."""
        for _ in range(200):
            if done(answer := ask()):
                return answer
            self.advance("2s")
        raise TimeoutError("it never came")

    def event(self, event_type):
        """The data of the newest event of this type."""
        wanted = trieve.GetEventsData(event_types=[trieve.EventTypeRequest(event_type)])
        events = self.poll(lambda: self.datasets.get_events(self.id, wanted).events)
        return json.loads(events[0].event_data)

    def create_chunk(self, **fields):
        payload = trieve.ChunkReqPayload(tag_set=["story"], **fields)
        enum = trieve.CreateChunkReqPayloadEnum(payload)
        # The client's own code for this call gives the answer as it came.
        queued = self.chunks.create_chunk(self.id, enum)
        return queued["chunk_metadata"]["id"]

    def chunk(self, chunk_id):
        return self.chunks.get_chunk_by_id(self.id, chunk_id).actual_instance


@pytest.fixture(scope="module")
def story(server, client):
    return Story(server.url, client)


def gone(ask):
    """Whether what is asked for is not there."""
    try:
        ask()
    except trieve.exceptions.NotFoundException:
        return True
    return False


def test_a_dataset_is_found_by_its_id_and_by_its_tracking_id(story, client):
    trieve.HealthApi(client).health_check()
    found = story.datasets.get_dataset(story.id, story.id)
    assert found == story.datasets.get_dataset_by_tracking_id(ORGANIZATION, "story")
    listed = story.datasets.get_datasets_from_organization(
        ORGANIZATION, ORGANIZATION, limit=1, offset=0
    )
    assert [each.dataset.id for each in listed] == [story.id]


def test_a_chunk_is_there_when_its_event_says_so(story):
    at = trieve.GeoTypes
    chunk_id = story.create_chunk(
        chunk_html="<p>first</p>",
        tracking_id="first",
        location=trieve.GeoInfo(lat=at(1.5), lon=at(2.5)),
        group_tracking_ids=["chapter"],
    )
    assert gone(lambda: story.chunk(chunk_id))
    assert story.event("chunks_uploaded")["chunk_ids"] == [chunk_id]
    chunk = story.chunk(chunk_id)
    assert (chunk.chunk_html, chunk.tag_set) == ("<p>first</p>", ["story"])
    assert chunk.location.lat.actual_instance == 1.5
    old = story.chunks.get_chunk_by_tracking_id(
        story.id, "first", x_api_version=trieve.APIVersion.V1
    )
    assert old.actual_instance.tag_set == "story"


def test_a_chunk_is_changed_and_a_change_fails_as_planned(story):
    chunk_id = story.create_chunk(chunk_html="second", tracking_id="second")
    story.poll(lambda: not gone(lambda: story.chunk(chunk_id)))
    change = trieve.UpdateChunkReqPayload(chunk_id=chunk_id, weight=2)
    story.chunks.update_chunk(story.id, change)
    assert story.event("chunk_updated") == {"chunk_id": chunk_id}
    assert story.chunk(chunk_id).weight == 2
    plan = f"{story.url}/_soundstage/scenarios/trieve/chunk_update_failed/plan"
    httpx.post(plan, json={"task": "chunk_update"}).raise_for_status()
    change = trieve.UpdateChunkByTrackingIdData(tracking_id="second", weight=3)
    story.chunks.update_chunk_by_tracking_id(story.id, change)
    assert story.event("chunk_update_failed")["chunk_id"] == chunk_id
    assert story.chunk(chunk_id).weight == 2


def test_a_group_hands_its_tags_on(story):
    payload = trieve.CreateSingleChunkGroupReqPayload(name="Chapter", tag_set=["new"])
    enum = trieve.CreateChunkGroupReqPayloadEnum(payload)
    group = story.groups.create_chunk_group(story.id, enum).actual_instance
    chunk_id = story.create_chunk(tracking_id="third")
    story.poll(lambda: not gone(lambda: story.chunk(chunk_id)))
    member = trieve.AddChunkToGroupReqPayload(chunk_id=chunk_id)
    story.groups.add_chunk_to_group(story.id, group.id, member)
    change = trieve.UpdateChunkGroupReqPayload(group_id=group.id, update_chunks=True)
    story.groups.update_chunk_group(story.id, change)
    assert story.event("group_chunks_updated") == {"group_id": group.id}
    assert story.chunk(chunk_id).tag_set == ["story", "new"]
    story.groups.remove_chunk_from_group(story.id, group.id, chunk_id=chunk_id)
    assert story.groups.get_chunk_group(story.id, group.id).name == "Chapter"
    story.groups.delete_chunk_group(story.id, group.id, delete_chunks=True)
    assert gone(lambda: story.groups.get_chunk_group(story.id, group.id))
    assert not gone(lambda: story.chunk(chunk_id))


def test_a_file_is_cut_into_chunks(story):
    payload = trieve.UploadFileReqPayload(
        base64_file=base64.urlsafe_b64encode(b"Once. Upon. A time.").decode(),
        file_name="tale.txt",
        tag_set=["tale"],
        group_tracking_id="tale",
    )
    file = story.files.upload_file_handler(story.id, payload).file_metadata
    assert story.event("file_uploaded")["file_id"] == file.id

    def cut():
        return story.chunks.get_chunk_by_tracking_id(story.id, "tale|0")

    story.poll(lambda: not gone(cut))
    assert cut().actual_instance.chunk_html == "Once. Upon. A time."
    assert story.files.get_file_handler(story.id, file.id).size == 19
    story.files.delete_file_handler(story.id, file.id, delete_chunks=True)
    assert gone(lambda: story.files.get_file_handler(story.id, file.id))
    assert gone(cut)


def test_a_table_is_put_and_read(story):
    payload = trieve.CreatePresignedUrlForCsvJsonlReqPayload(file_name="rows.jsonl")
    announced = story.files.create_presigned_url_for_csv_jsonl(story.id, payload)
    story.advance("2h")
    rows = '{"a": 1}\n{"a": 2}\n'
    httpx.put(announced.presigned_put_url, content=rows).raise_for_status()
    done = story.event("csv_jsonl_processing_completed")
    assert done == {"file_id": announced.file_metadata.id, "chunks_created": 2}


def test_events_are_listed_by_page(story):
    everything = story.datasets.get_events(story.id, trieve.GetEventsData(page_size=99))
    pages = [
        story.datasets.get_events(story.id, trieve.GetEventsData(page=page, page_size=3))
        for page in range(1, -(-len(everything.events) // 3) + 1)
    ]
    assert [e.id for p in pages for e in p.events] == [e.id for e in everything.events]
    assert {p.page_count for p in pages} == {len(pages)}


def test_chunks_are_deleted_one_some_and_all(story):
    story.chunks.delete_chunk_by_tracking_id(story.id, "first")
    value = trieve.MatchCondition("story")
    condition = trieve.FieldCondition(field="tag_set", match_any=[value])
    found = trieve.ChunkFilter(must=[trieve.ConditionType(condition)])
    with pytest.raises(json.JSONDecodeError):  # of the answer, which is empty
        story.chunks.bulk_delete_chunk(story.id, trieve.BulkDeleteChunkPayload(filter=found))
    assert story.event("bulk_chunks_deleted") == {"message": "Deleted 2 chunks"}
    chunk_id = story.create_chunk(tracking_id="last")
    story.poll(lambda: not gone(lambda: story.chunk(chunk_id)))
    story.datasets.clear_dataset(story.id, story.id)
    story.poll(lambda: gone(lambda: story.chunk(chunk_id)))
    chunk_id = story.create_chunk(tracking_id="after")
    story.poll(lambda: not gone(lambda: story.chunk(chunk_id)))
    story.chunks.delete_chunk(story.id, chunk_id)
    assert gone(lambda: story.chunk(chunk_id))


@pytest.mark.parametrize(
    ("key", "dataset", "payload", "error"),
    [
        ("tr-wrong", ORGANIZATION, {}, "UnauthorizedException"),
        (READONLY, ORGANIZATION, {"chunk_id": NOBODYS}, "ForbiddenException"),
        (KEY, OTHERS_DATASET, {"chunk_id": NOBODYS}, "ForbiddenException"),
        (KEY, NOBODYS, {"chunk_id": NOBODYS}, "NotFoundException"),
        (KEY, ORGANIZATION, {}, "BadRequestException"),
        (KEY, ORGANIZATION, {"chunk_id": NOBODYS}, "NotFoundException"),
    ],
)
def test_the_client_is_told_why_it_is_refused(server, key, dataset, payload, error):
    configuration = trieve.Configuration(host=server.url)
    configuration.api_key["ApiKey"] = key
    with trieve.ApiClient(configuration) as client:
        chunks = trieve.ChunkApi(client)
        with pytest.raises(getattr(trieve.exceptions, error)) as refused:
            chunks.update_chunk(dataset, trieve.UpdateChunkReqPayload(**payload))
    assert json.loads(refused.value.body)["message"]


def test_the_dataset_is_deleted_and_is_no_more(story):
    story.datasets.delete_dataset(story.id, story.id)
    assert gone(lambda: story.datasets.get_dataset(story.id, story.id))
    story.datasets.delete_dataset_by_tracking_id(ORGANIZATION, "drafts")
    seen = called(story.url, "trieve")
    record_story("trieve-py-client (PyPI)", version("trieve-py-client"), "trieve", seen)
