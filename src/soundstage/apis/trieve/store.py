"""What is in a dataset: changes hold from the moment their event tells of them.

A worker's job is written down to its end when it starts, so a change that it will bring
about is kept with its record at once, under the id of the event that will tell of it.
It counts from that event on; a job that is interrupted has no such event any more, and
its change never counts.
"""

from collections.abc import Callable, Iterator

from soundstage.apis.api import Call, NotFound
from soundstage.types import Document, Json
from soundstage.world.log import Delete, Patch, Put

SINCE = "_since"
"""In a record: the event from which on it is there; always, without one."""

CHANGES = "_changes"
"""In a record: what becomes of it, ``{event, document}``; None is its end."""


def find(call: Call, collection: str, record_id: str, dataset: Document) -> Document:
    """What is there now under this id, in this dataset. O(1). Raises ``NotFound``."""
    record = call.collection(collection).get(record_id.lower(), call.now)
    found = record and _now(call, record)
    if not found or found["dataset_id"] != dataset["id"]:
        raise NotFound(collection, record_id)
    return found


def tracked(
    call: Call, collection: str, tracking_id: str, dataset: Document
) -> Document:
    """What is there now under this tracking id. O(records of the dataset).

    Raises ``NotFound``.
    """
    for document in there(call, collection, dataset):
        if document.get("tracking_id") == tracking_id:
            return document
    raise NotFound(collection, tracking_id)


def there(call: Call, collection: str, dataset: Document) -> Iterator[Document]:
    """All that is there now, the oldest first. O(records of the dataset)."""
    for record in call.collection(collection).children(dataset["id"], call.now):
        if document := _now(call, record):
            yield document


def tracking_ids(call: Call, collection: str, dataset: Document) -> dict[str, Document]:
    """All that is there, or will be, by tracking id. O(records of the dataset)."""
    records = call.collection(collection).children(dataset["id"], call.now)
    last = (_in_the_end(call, record) for record in records)
    return {
        document["tracking_id"]: document
        for document in last
        if document and document.get("tracking_id")
    }


def put(
    call: Call, collection: str, document: Document, since: str | None = None
) -> None:
    """Let a record be this; new ones from an event on. What is to come still comes."""
    old = call.collection(collection).get(document["id"], call.now) or {}
    kept = [c for c in old.get(CHANGES, ()) if not _happened(call, c["event"])]
    more: Document = {SINCE: since} if since else {}
    if kept:
        more[CHANGES] = kept
    record = {**document, **more}
    call.world.apply(Put(call.api, collection, document["id"], record))


def change(
    call: Call, collection: str, record_id: str, event: str, document: Document | None
) -> None:
    """Let a record be this from an event on; None ends it."""
    record = call.get(collection, record_id)
    changes = [*record.get(CHANGES, ()), {"event": event, "document": document}]
    patch = {CHANGES: changes}
    call.world.apply(Patch(call.api, collection, record_id, patch))


def delete(call: Call, collection: str, record_id: str) -> None:
    """Let a record be no more, from now on."""
    call.world.apply(Delete(call.api, collection, record_id))


def _now(call: Call, record: Document) -> Document | None:
    return _folded(record, lambda event: _happened(call, event))


def _in_the_end(call: Call, record: Document) -> Document | None:
    """What a record will be once all jobs are done."""
    events = call.collection("events")
    return _folded(record, lambda event: events.record(event) is not None)


def _happened(call: Call, event: str) -> bool:
    return call.collection("events").get(event, call.now) is not None


def _folded(record: Document, happened: Callable[[str], bool]) -> Document | None:
    for change in reversed(record.get(CHANGES, ())):
        if happened(change["event"]):
            changed: Document | None = change["document"]
            return changed
    since: Json = record.get(SINCE)
    if since and not happened(since):
        return None
    return {key: value for key, value in record.items() if key not in {SINCE, CHANGES}}
