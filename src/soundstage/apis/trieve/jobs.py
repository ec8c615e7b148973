"""Jobs of Trieve's workers: start one, and read the events that it will emit."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from soundstage.apis.trieve.store import Dataset
from soundstage.types import Json, JsonObject
from soundstage.world.commands import Start
from soundstage.world.runs import Run


@dataclass(frozen=True, slots=True)
class JobEvent:
    """An event that a job will emit, with its parsed ``event_data``."""

    event_id: str
    data: JsonObject


def start(dataset: Dataset, task: str, **names: Json) -> Run:
    """Start a job; its run is generated up to the end.

    ``names`` are values for the fixture's scenario: the one that is planned for the
    task, otherwise one that succeeds.
    """
    context, names = dataset.context, {"dataset_id": dataset.id, **names}
    return context.world.apply(Start(context.api, task, names=names))


def iter_events(run: Run, *event_types: str) -> Iterator[JobEvent]:
    """Yield the events of these types that a job will emit, in order."""
    for record in run.records:
        document = record.versions[0] or {}
        if document.get("event_type") in event_types:
            # event_data is JSON text, and may be null.
            yield JobEvent(record.id, orjson.loads(document["event_data"]) or {})


def iter_uploaded_chunks(run: Run) -> Iterator[tuple[int, str, str]]:
    """Yield each chunk that a job uploads: index within its event, id, id of the event.

    An event reports one batch of chunks, such as those of one page of a crawl.
    """
    for event in iter_events(run, "chunks_uploaded"):
        for index, chunk_id in enumerate(event.data["chunk_ids"]):
            yield index, chunk_id, event.event_id


def find_event_id(run: Run, event_type: str, **data: Json) -> str | None:
    """Return the id of the event with this type and data; None if the job fails first.

    A scenario of a failing job has another event in its place.
    """
    for event in iter_events(run, event_type):
        if all(event.data.get(key) == value for key, value in data.items()):
            return event.event_id
    return None


def count_queued(dataset: Dataset) -> int:
    """Count the jobs that wait for a worker. O(jobs of the dataset)."""
    # The request may just have started one.
    jobs = dataset.refreshed().records("jobs")
    return sum(job["status"] == "queued" for job in jobs)
