"""What is in a dataset: changes hold from the moment their event tells of them.

A worker's job is written down to its end when it starts, so a change that it will bring
about is kept with its record at once, under the id of the event that will tell of it.
It counts from that event on; a job that is interrupted has no such event any more, and
its change never counts.
"""

from collections.abc import Callable, Iterator

from soundstage.apis.api import NotFound, RequestContext
from soundstage.types import Document, Json
from soundstage.world.commands import Delete, Patch, Put

SINCE_KEY = "_since"
"""In a record: the event from which on it is there; always, without one."""

CHANGES_KEY = "_changes"
"""In a record: what becomes of it, ``{event, document}``; None is its end."""


def find_by_id(
    context: RequestContext, collection: str, record_id: str, dataset: Document
) -> Document:
    """What is there now under this id, in this dataset. O(1). Raises ``NotFound``."""
    record = context.collection(collection).get(record_id.lower(), context.now)
    found = record and _get_visible(context, record)
    if not found or found["dataset_id"] != dataset["id"]:
        raise NotFound(collection, record_id)
    return found


def find_by_tracking_id(
    context: RequestContext, collection: str, tracking_id: str, dataset: Document
) -> Document:
    """What is there now under this tracking id. O(records of the dataset).

    Raises ``NotFound``.
    """
    for document in list_visible(context, collection, dataset):
        if document.get("tracking_id") == tracking_id:
            return document
    raise NotFound(collection, tracking_id)


def list_visible(
    context: RequestContext, collection: str, dataset: Document
) -> Iterator[Document]:
    """All that is there now, the oldest first. O(records of the dataset)."""
    for record in context.collection(collection).children(dataset["id"], context.now):
        if document := _get_visible(context, record):
            yield document


def index_by_tracking_id(
    context: RequestContext, collection: str, dataset: Document
) -> dict[str, Document]:
    """All that is there, or will be, by tracking id. O(records of the dataset)."""
    records = context.collection(collection).children(dataset["id"], context.now)
    last = (_get_final(context, record) for record in records)
    return {
        document["tracking_id"]: document
        for document in last
        if document and document.get("tracking_id")
    }


def put(
    context: RequestContext,
    collection: str,
    document: Document,
    event_id: str | None = None,
) -> None:
    """Let a record be this; new ones from an event on. What is to come still comes."""
    old = context.collection(collection).get(document["id"], context.now) or {}
    kept = [
        c for c in old.get(CHANGES_KEY, ()) if not _has_occurred(context, c["event"])
    ]
    more: Document = {SINCE_KEY: event_id} if event_id else {}
    if kept:
        more[CHANGES_KEY] = kept
    record = {**document, **more}
    context.world.apply(Put(context.api, collection, document["id"], record))


def schedule_change(
    context: RequestContext,
    collection: str,
    record_id: str,
    event_id: str,
    document: Document | None,
) -> None:
    """Let a record be this from an event on; None ends it."""
    record = context.get(collection, record_id)
    changes = [*record.get(CHANGES_KEY, ()), {"event": event_id, "document": document}]
    patch = {CHANGES_KEY: changes}
    context.world.apply(Patch(context.api, collection, record_id, patch))


def delete(context: RequestContext, collection: str, record_id: str) -> None:
    """Let a record be no more, from now on."""
    context.world.apply(Delete(context.api, collection, record_id))


def _get_visible(context: RequestContext, record: Document) -> Document | None:
    return _apply_changes(record, lambda event: _has_occurred(context, event))


def _get_final(context: RequestContext, record: Document) -> Document | None:
    """What a record will be once all jobs are done."""
    events = context.collection("events")
    return _apply_changes(record, lambda event: events.record(event) is not None)


def _has_occurred(context: RequestContext, event_id: str) -> bool:
    return context.collection("events").get(event_id, context.now) is not None


def _apply_changes(
    record: Document, has_occurred: Callable[[str], bool]
) -> Document | None:
    for change in reversed(record.get(CHANGES_KEY, ())):
        if has_occurred(change["event"]):
            changed: Document | None = change["document"]
            return changed
    since: Json = record.get(SINCE_KEY)
    if since and not has_occurred(since):
        return None
    return {
        key: value
        for key, value in record.items()
        if key not in {SINCE_KEY, CHANGES_KEY}
    }
