"""Jobs of the workers: how one is started, and what its events will tell."""

from collections.abc import Iterator
from dataclasses import dataclass

import orjson

from soundstage.apis.api import Call
from soundstage.types import Document, Json
from soundstage.world.log import Start
from soundstage.world.timeline import Run


@dataclass(frozen=True, slots=True)
class Told:
    """What an event will tell: its id, and its ``event_data`` as a value."""

    event: str
    data: Document


def start(call: Call, dataset: Document, task: str, **names: Json) -> Run:
    """A job of this kind, drawn to its end: as the user planned it, else well."""
    names = {"dataset_id": dataset["id"], **names}
    return call.world.apply(Start(call.api, task, names=names))


def told(run: Run, *event_types: str) -> Iterator[Told]:
    """What the events of these types will tell, in their order."""
    for record in run.records:
        document = record.documents[0] or {}
        if document.get("event_type") in event_types:
            yield Told(record.id, orjson.loads(document["event_data"]) or {})


def teller(run: Run, event_type: str, **data: Json) -> str | None:
    """The event that will tell of this, if any will: else the job fails at it."""
    for each in told(run, event_type):
        if all(each.data.get(key) == value for key, value in data.items()):
            return each.event
    return None


def queued(call: Call, dataset: Document) -> int:
    """How many jobs wait for a worker. O(jobs of the dataset)."""
    call = call.as_of_now()
    jobs = call.collection("jobs").children(dataset["id"], call.now)
    return sum(job["status"] == "queued" for job in jobs)
