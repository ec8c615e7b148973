"""Trieve's types of record, and its two formats of a time."""

from datetime import UTC, datetime, timedelta

from soundstage.world.clock import DAY, EPOCH
from soundstage.world.ids import uuid
from soundstage.world.record import ApiModel, RecordType

SCHEMAS = "#/components/schemas"


def format_event_time(timestamp: int) -> str:
    """Format a timestamp (ms) as in events: whole seconds, the hour without a zero.

    >>> format_event_time(1_767_261_764_531)
    '2026-01-01 10:02:44.0 +00:00:00'
    """
    time = EPOCH + timedelta(milliseconds=timestamp)
    return f"{time.date()} {time.hour}:{time:%M:%S}.0 +00:00:00"


def format_time(timestamp: int) -> str:
    """Format a timestamp (ms) in UTC without an offset, as chrono's NaiveDateTime.

    >>> format_time(1_767_261_764_531)
    '2026-01-01T10:02:44.531'
    """
    time = EPOCH + timedelta(milliseconds=timestamp)
    return time.replace(tzinfo=None).isoformat(timespec="milliseconds")


def normalize_time(text: str) -> str:
    """Convert a client's time to the stored format. Raises ``ValueError``.

    >>> normalize_time("2026-01-01T12:30:00+02:00")
    '2026-01-01T10:30:00'
    """
    try:
        time = datetime.fromisoformat(text.strip())
        if time.tzinfo:
            time = time.astimezone(UTC).replace(tzinfo=None)
    except OverflowError as error:
        # The offset leads before the year 1 or after the year 9999.
        raise ValueError(text) from error
    return time.isoformat()


MODEL = ApiModel.define(
    RecordType("dataset", "datasets", "id", uuid, "organization_id", f"{SCHEMAS}/Dataset"),
    RecordType("run", "jobs", "id", uuid, "dataset_id"),
    RecordType("event", "events", "id", uuid, "dataset_id", f"{SCHEMAS}/WorkerEvent"),
    RecordType("chunk", "chunks", "id", uuid, "dataset_id", f"{SCHEMAS}/ChunkMetadata"),
    RecordType("group", "groups", "id", uuid, "dataset_id", f"{SCHEMAS}/ChunkGroupAndFileId"),
    # Puts a chunk into a group. Its id consists of the ids of both.
    RecordType("bookmark", "bookmarks", "id", uuid, "group_id"),
    RecordType("file", "files", "id", uuid, "dataset_id", f"{SCHEMAS}/File"),
    # A presigned URL for a table; the file exists once the table is uploaded.
    RecordType("upload", "uploads", "id", uuid, "dataset_id"),
    RecordType("crawl", "crawls", "id", uuid, "dataset_id", f"{SCHEMAS}/CrawlRequest"),
    at=lambda timestamp, _: format_event_time(timestamp),
    plain_at=lambda timestamp, _: format_time(timestamp),
    day_after=lambda timestamp, _: format_time(timestamp + DAY),
)
