"""Tables (CSV or JSON lines): a presigned URL, an upload, and a job per table."""

import csv
import io
from collections.abc import Iterator
from math import isfinite

import orjson

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trieve import groups, jobs
from soundstage.apis.trieve.access import is_too_deep, resolve_dataset
from soundstage.apis.trieve.chunks import build_chunk, upsert_chunk
from soundstage.apis.trieve.errors import RejectedRequest, UrlExpired
from soundstage.apis.trieve.files import build_file
from soundstage.apis.trieve.store import Dataset
from soundstage.types import Json, JsonObject
from soundstage.world.commands import Interrupt, Start

ROWS_PER_CHECKPOINT = 1000

_LIST_FIELDS = frozenset({"tag_set", "image_urls", "group_tracking_ids"})
_NUMBER_FIELDS = frozenset({"num_value", "weight", "lat", "lon"})

_PROGRESS_EVENTS = ("csv_jsonl_processing_checkpoint", "csv_jsonl_processing_completed")


class InvalidTable(Exception):
    """A table or one of its rows cannot be parsed."""


def create_upload_url(context: RequestContext) -> Response:
    """Return the description of a file, and the presigned URL for its upload.

    The job waits for the upload, and fails after 8600 seconds without one.
    """
    dataset, body = resolve_dataset(context), context.body
    file = build_file(dataset, body, 0)
    names = {"dataset_id": dataset.id, "file_id": file["id"]}
    run = context.world.apply(
        Start(context.api, "csv_jsonl", names=names, beginning="upload_awaited")
    )
    upload = {
        "id": file["id"],
        "dataset_id": dataset.id,
        "job": run.id,
        "file": file,
        "request": body,
    }
    dataset.put("uploads", upload)
    root = context.base_url + context.root_path
    url = f"{root}/api/file/csv_or_jsonl/{file['id']}"
    return Response({"file_metadata": file, "presigned_put_url": url})


def upload_table(context: RequestContext) -> Response:
    """Accept the upload of a table, which continues its job. O(rows).

    A second upload has no effect.
    """
    upload = context.get("uploads", context.parameters["file_id"].lower())
    dataset = Dataset(context, context.get("datasets", upload["dataset_id"]))
    if "uploaded" in upload:
        return Response(None)
    if context.get("jobs", upload["job"])["status"] != "queued":
        raise UrlExpired("Request has expired")
    _import_table(dataset, upload)
    return Response(None)


def _import_table(dataset: Dataset, upload: JsonObject) -> None:
    context = dataset.context
    content = context.body or ""
    chunks: list[JsonObject] = []
    names: JsonObject
    try:
        # Spreadsheets write a byte order mark at the start of CSV files.
        rows = _parse_rows(content.removeprefix("\ufeff"), upload["file"]["file_name"])
        payloads = [_build_payload(row, upload["request"]) for row in rows]
        chunks = [build_chunk(dataset, payload) for payload in payloads]
    except (InvalidTable, RejectedRequest) as error:
        ending, names = "unreadable", {"error": str(error)}
    else:
        batches, rest = divmod(len(chunks), ROWS_PER_CHECKPOINT)
        ending, names = "uploaded", {"batches": batches, "rest": rest}
    # Both endings of the fixture continue the run that waits for the upload.
    run = context.world.apply(Interrupt(context.api, upload["job"], ending, names))
    dataset.put("files", {**upload["file"], "size": len(content.encode())})
    dataset.put("uploads", {**upload, "uploaded": True})
    if run and chunks:
        events = jobs.iter_events(run, *_PROGRESS_EVENTS)
        _schedule_chunks(dataset, events, chunks, payloads)


def _schedule_chunks(
    dataset: Dataset,
    events: Iterator[jobs.JobEvent],
    chunks: list[JsonObject],
    payloads: list[JsonObject],
) -> None:
    """Store the chunk of each row, visible from the first event that counts it."""
    existing = dataset.index_by_tracking_id("chunks")
    event = next(events, None)
    for number, (row, payload) in enumerate(zip(chunks, payloads, strict=True), 1):
        while event and event.data["chunks_created"] < number:
            event = next(events, None)
        if event is None:
            return
        old = existing.get(row["tracking_id"])
        if old and not payload["upsert_by_tracking_id"]:
            continue
        chunk = dict(row)
        if old:
            chunk |= {"id": old["id"], "created_at": old["created_at"]}
        if chunk["tracking_id"]:
            existing[chunk["tracking_id"]] = chunk
        # An earlier row may have stored a chunk with the same id just now.
        upsert_chunk(dataset.refreshed(), chunk, event.event_id)
        groups.add_to_groups(dataset, chunk["id"], payload)


def _build_payload(row: JsonObject, request: JsonObject) -> JsonObject:
    """Return the payload of a row, in the form that ``build_chunk`` reads.

    Raises ``InvalidTable``.
    """
    group = request.get("group_tracking_id")
    payload: JsonObject = {
        "chunk_html": orjson.dumps(row).decode(),
        "link": request.get("link"),
        "time_stamp": request.get("time_stamp"),
        "metadata": {**_as_object(request.get("metadata")), **row},
        "tag_set": list(request.get("tag_set") or ()),
        "group_tracking_ids": [group] if group else [],
        # Unlike for single chunks, null means true here.
        "upsert_by_tracking_id": request.get("upsert_by_tracking_id") is not False,
    }
    for mapping in request.get("mappings") or ():
        value = row.get(mapping["csv_jsonl_field"])
        if value not in {None, ""}:
            _apply_mapping(payload, mapping["chunk_req_payload_field"], value)
    return payload


def _as_object(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}


def _apply_mapping(payload: JsonObject, field: str, value: Json) -> None:
    """Set a field of a payload to a row's value. Raises ``InvalidTable``."""
    if field in _LIST_FIELDS:
        items = value if isinstance(value, list) else str(value).split(",")
        payload.setdefault(field, []).extend(str(item).strip() for item in items)
    elif field in _NUMBER_FIELDS:
        number = _parse_number(value)
        if number is None:
            raise InvalidTable(f"{value!r} is not a number for {field}")
        if field in {"lat", "lon"}:
            payload.setdefault("location", {"lat": 0.0, "lon": 0.0})[field] = number
        else:
            payload[field] = number
    else:
        payload[field] = str(value)


def _parse_number(value: Json) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    # JSON has neither infinity nor NaN.
    return number if isfinite(number) else None


def _parse_rows(content: str, file_name: str) -> Iterator[JsonObject]:
    if file_name.lower().endswith((".jsonl", ".ndjson", ".json")):
        return _parse_json_lines(content)
    return _parse_csv(content)


def _parse_json_lines(content: str) -> Iterator[JsonObject]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InvalidTable(f"Line {number} is not JSON") from error
        if not isinstance(row, dict) or is_too_deep(row):
            raise InvalidTable(f"Line {number} is not a JSON object, or is too deep")
        yield row


def _parse_csv(content: str) -> Iterator[JsonObject]:
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(content)), 1):
            # DictReader collects surplus values under None, and fills up with None.
            if None in row:
                raise InvalidTable(f"Row {number} has too many columns")
            if None in row.values():
                raise InvalidTable(f"Row {number} has too few columns")
            yield dict(row)
    except csv.Error as error:
        raise InvalidTable(f"The file is not CSV: {error}") from error
