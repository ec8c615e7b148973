"""Trieve's kinds of record, and its two ways to write a moment."""

from datetime import UTC, datetime, timedelta

from soundstage.world.clock import DAY, EPOCH
from soundstage.world.ids import uuid
from soundstage.world.record import Kind, Vocabulary

SCHEMAS = "#/components/schemas"


def format_event_time(timestamp: int) -> str:
    """``2025-09-12 8:02:44.0 +00:00:00``: whole seconds, the hour without a zero."""
    moment = EPOCH + timedelta(milliseconds=timestamp)
    return f"{moment.date()} {moment.hour}:{moment:%M:%S}.0 +00:00:00"


def format_time(timestamp: int) -> str:
    """``2025-09-12T08:02:44.531``: in UTC, which chrono's NaiveDateTime leaves out."""
    moment = EPOCH + timedelta(milliseconds=timestamp)
    return moment.replace(tzinfo=None).isoformat(timespec="milliseconds")


def normalize_time(text: str) -> str:
    """A moment that a client wrote, as the server writes it. Raises ``ValueError``."""
    try:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except OverflowError as error:
        raise ValueError(text) from error
    return moment.isoformat()


MODEL = Vocabulary.of(
    Kind("dataset", "datasets", "id", uuid, "organization_id", f"{SCHEMAS}/Dataset"),
    Kind("run", "jobs", "id", uuid, "dataset_id"),
    Kind("event", "events", "id", uuid, "dataset_id", f"{SCHEMAS}/WorkerEvent"),
    Kind("chunk", "chunks", "id", uuid, "dataset_id", f"{SCHEMAS}/ChunkMetadata"),
    Kind("group", "groups", "id", uuid, "dataset_id", f"{SCHEMAS}/ChunkGroupAndFileId"),
    # What puts a chunk into a group; its id is of both.
    Kind("bookmark", "bookmarks", "id", uuid, "group_id"),
    Kind("file", "files", "id", uuid, "dataset_id", f"{SCHEMAS}/File"),
    # A table that was announced, and whose file is there once it is uploaded.
    Kind("upload", "uploads", "id", uuid, "dataset_id"),
    Kind("crawl", "crawls", "id", uuid, "dataset_id", f"{SCHEMAS}/CrawlRequest"),
    at=lambda at, _: format_event_time(at),
    plain_at=lambda at, _: format_time(at),
    day_after=lambda at, _: format_time(at + DAY),
)
