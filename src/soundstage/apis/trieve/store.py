"""Records of a dataset, which change at the time of the event that reports the change.

The events of a worker's job are generated up to its end when the job starts. So every
change that the job will make is stored in the record at once, with the id of the event
that will report it. The change takes effect when that event occurs. The interruption of
a job removes its later events, so the changes of these never take effect.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from soundstage.apis.api import NotFound, RequestContext
from soundstage.apis.trieve.model import format_time
from soundstage.types import Json, JsonObject
from soundstage.world.commands import Delete, Patch, Put
from soundstage.world.ids import uuid

SINCE_KEY = "_since"
"""In a record: id of the event that makes it visible. Without one it is visible."""

CHANGES_KEY = "_changes"
"""In a record: a list of ``{event, document}``. A document of None is a deletion."""


@dataclass(slots=True)  # not frozen: one is made for nearly every request
class Dataset:
    """A dataset as one request reads and changes it."""

    context: RequestContext
    document: JsonObject

    @property
    def id(self) -> str:
        """The dataset's id."""
        dataset_id: str = self.document["id"]
        return dataset_id

    def new_record(self) -> JsonObject:
        """Return the fields that every new record has: its id, dataset and times."""
        now = format_time(self.context.now)
        record_id = self.context.new_id(uuid)
        return {"id": record_id, "created_at": now, "updated_at": now, "dataset_id": self.id}

    def refreshed(self) -> "Dataset":
        """Return the dataset at the present instant, after commands of the request."""
        return Dataset(self.context.refreshed(), self.document)

    def records(self, collection: str) -> Iterable[JsonObject]:
        """Return the stored records, the oldest first."""
        records = self.context.collection(collection)
        return records.children(self.id, self.context.now)

    def find(
        self, collection: str, record_id: str | None = None, tracking_id: str | None = None
    ) -> JsonObject:
        """Return the visible record with an id, or else with a tracking id.

        O(1) by id, O(records of the dataset) by tracking id. Raises ``NotFound``.
        """
        if record_id is not None:
            records = self.context.collection(collection)
            record = records.get(record_id.lower(), self.context.now)
            document = record and self._get_visible(record)
            if document and document["dataset_id"] == self.id:
                return document
            raise NotFound(collection, record_id)
        for document in self.iter_visible(collection):
            if document.get("tracking_id") == tracking_id:
                return document
        raise NotFound(collection, str(tracking_id))

    def iter_visible(self, collection: str) -> Iterator[JsonObject]:
        """Yield the visible records, the oldest first. O(records of the dataset)."""
        for record in self.records(collection):
            if document := self._get_visible(record):
                yield document

    def index_by_tracking_id(self, collection: str) -> dict[str, JsonObject]:
        """Map tracking ids to the records that have them once all jobs have ended.

        O(records of the dataset).
        """
        # A tracking id is taken as soon as its record is queued, before it is visible.
        events = self.context.collection("events")
        documents = (
            _apply_changes(record, lambda event_id: events.get_record(event_id) is not None)
            for record in self.records(collection)
        )
        return {
            document["tracking_id"]: document
            for document in documents
            if document and document.get("tracking_id")
        }

    def put(self, collection: str, document: JsonObject, event_id: str | None = None) -> None:
        """Store a record; changes that are still due are kept.

        With ``event_id``, a new record becomes visible at that event.
        """
        context, record_id = self.context, document["id"]
        old = context.collection(collection).get(record_id, context.now) or {}
        # A change that has taken effect would hide the new document.
        due = [c for c in old.get(CHANGES_KEY, ()) if not self._has_occurred(c["event"])]
        record = {
            **document,
            **({SINCE_KEY: event_id} if event_id else {}),
            **({CHANGES_KEY: due} if due else {}),
        }
        context.world.apply(Put(context.api, collection, record_id, record))

    def schedule_change(
        self, collection: str, record_id: str, event_id: str, document: JsonObject | None
    ) -> None:
        """Replace a record at an event, or delete it if the document is None."""
        record = self.context.get(collection, record_id)
        change = {"event": event_id, "document": document}
        patch = {CHANGES_KEY: [*record.get(CHANGES_KEY, ()), change]}
        self.context.world.apply(Patch(self.context.api, collection, record_id, patch))

    def delete(self, collection: str, record_id: str) -> None:
        """Delete a record from now on."""
        self.context.world.apply(Delete(self.context.api, collection, record_id))

    def _get_visible(self, record: JsonObject) -> JsonObject | None:
        return _apply_changes(record, self._has_occurred)

    def _has_occurred(self, event_id: str) -> bool:
        events = self.context.collection("events")
        return events.get(event_id, self.context.now) is not None


def _apply_changes(record: JsonObject, has_occurred: Callable[[str], bool]) -> JsonObject | None:
    """Return the document of the last change in effect; None if it is not visible."""
    for change in reversed(record.get(CHANGES_KEY, ())):
        if has_occurred(change["event"]):
            changed: JsonObject | None = change["document"]
            return changed
    since: Json = record.get(SINCE_KEY)
    if since and not has_occurred(since):
        return None
    hidden = {SINCE_KEY, CHANGES_KEY}
    return {key: value for key, value in record.items() if key not in hidden}
