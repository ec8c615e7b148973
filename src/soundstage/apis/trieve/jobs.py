"""Jobs of the workers: how one is started, and what its events will tell."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from soundstage.apis.api import RequestContext
from soundstage.types import Document, Json
from soundstage.world.commands import Start
from soundstage.world.runs import Run


@dataclass(frozen=True, slots=True)
class JobEvent:
    """What an event will tell: its id, and its ``event_data`` as a value."""

    event_id: str
    data: Document


def start(context: RequestContext, dataset: Document, task: str, **names: Json) -> Run:
    """A job of this kind, drawn to its end: as the user planned it, else well."""
    names = {"dataset_id": dataset["id"], **names}
    return context.world.apply(Start(context.api, task, names=names))


def iter_events(run: Run, *event_types: str) -> Iterator[JobEvent]:
    """What the events of these types will tell, in their order."""
    for record in run.records:
        document = record.documents[0] or {}
        if document.get("event_type") in event_types:
            yield JobEvent(record.id, orjson.loads(document["event_data"]) or {})


def find_event_id(run: Run, event_type: str, **data: Json) -> str | None:
    """The event that will tell of this, if any will: else the job fails at it."""
    for each in iter_events(run, event_type):
        if all(each.data.get(key) == value for key, value in data.items()):
            return each.event_id
    return None


def count_queued(context: RequestContext, dataset: Document) -> int:
    """How many jobs wait for a worker. O(jobs of the dataset)."""
    context = context.refreshed()
    jobs = context.collection("jobs").children(dataset["id"], context.now)
    return sum(job["status"] == "queued" for job in jobs)
