"""Tables, CSV or JSON lines: announced, uploaded, and read row by row."""

import csv
import io
from collections.abc import Iterator
from math import isfinite

import orjson

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trieve import groups, jobs, store
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.apis.trieve.chunks import build_chunk, upsert_chunk
from soundstage.apis.trieve.errors import RejectedRequest, UrlExpired
from soundstage.apis.trieve.files import build_file
from soundstage.apis.trieve.nesting import is_too_deep
from soundstage.types import Document, Json
from soundstage.world.commands import Interrupt, Start

ROWS_PER_CHECKPOINT = 1000
"""Rows from one checkpoint to the next."""

_LIST_FIELDS = frozenset({"tag_set", "image_urls", "group_tracking_ids"})
_NUMBER_FIELDS = frozenset({"num_value", "weight", "lat", "lon"})


class InvalidTable(Exception):
    """A row is not what its table's kind says; the text says which, and why."""


def create_upload_url(context: RequestContext) -> Response:
    """A file that is not there yet, and the URL that it is to be put to.

    The job waits for it, and fails when nothing has come for 8600 seconds.
    """
    dataset, given = resolve_dataset(context), context.body
    file = build_file(context, dataset, given, 0)
    names = {"dataset_id": dataset["id"], "file_id": file["id"]}
    run = context.world.apply(
        Start(context.api, "csv_jsonl", names=names, beginning="upload_awaited")
    )
    upload = {
        "id": file["id"],
        "dataset_id": dataset["id"],
        "job": run.id,
        "file": file,
        "request": given,
    }
    store.put(context, "uploads", upload)
    url = f"{context.base_url}{context.root_path}/api/file/csv_or_jsonl/{file['id']}"
    return Response({"file_metadata": file, "presigned_put_url": url})


def upload_table(context: RequestContext) -> Response:
    """Let the job that waits for a table read it. O(rows).

    A table that is put again changes nothing: the first one is being read.
    """
    upload = context.get("uploads", context.parameters["file_id"].lower())
    dataset = context.get("datasets", upload["dataset_id"])
    if "uploaded" in upload:
        return Response(None)
    if context.get("jobs", upload["job"])["status"] != "queued":
        raise UrlExpired("Request has expired")
    _import_table(context, dataset, upload)
    return Response(None)


def _import_table(context: RequestContext, dataset: Document, upload: Document) -> None:
    sent = context.body or ""
    content = sent.removeprefix("\ufeff")
    chunks: list[Document] = []
    names: Document
    try:
        payloads = list(_build_payloads(content, upload["request"]))
        chunks = [build_chunk(context, dataset, payload) for payload in payloads]
    except (InvalidTable, RejectedRequest) as error:
        ending, names = "unreadable", {"error": str(error)}
    else:
        batches, rest = divmod(len(chunks), ROWS_PER_CHECKPOINT)
        ending, names = "uploaded", {"batches": batches, "rest": rest}
    run = context.world.apply(Interrupt(context.api, upload["job"], ending, names))
    store.put(context, "files", {**upload["file"], "size": len(sent.encode())})
    store.put(context, "uploads", {**upload, "uploaded": True})
    if run and chunks:
        _schedule_chunks(
            context,
            dataset,
            list(jobs.iter_events(run, *_PROGRESS_EVENTS)),
            chunks,
            payloads,
        )


_PROGRESS_EVENTS = ("csv_jsonl_processing_checkpoint", "csv_jsonl_processing_completed")


def _schedule_chunks(
    context: RequestContext,
    dataset: Document,
    events: list[jobs.JobEvent],
    chunks: list[Document],
    payloads: list[Document],
) -> None:
    """Let each row's chunk be there from the first event on that counts it."""
    taken = store.index_by_tracking_id(context, "chunks", dataset)
    ahead = iter(events)
    counting = next(ahead, None)
    for number, (row, payload) in enumerate(zip(chunks, payloads, strict=True), 1):
        while counting and counting.data["chunks_created"] < number:
            counting = next(ahead, None)
        if counting is None:
            return
        old = taken.get(row["tracking_id"])
        if old and not payload["upsert_by_tracking_id"]:
            continue
        kept = {name: old[name] for name in ("id", "created_at")} if old else {}
        chunk = {**row, **kept}
        if chunk["tracking_id"]:
            taken[chunk["tracking_id"]] = chunk
        upsert_chunk(context.refreshed(), chunk, counting.event_id)
        groups.add_to_groups(context, dataset, chunk["id"], payload)


def _build_payloads(content: str, request: Document) -> Iterator[Document]:
    """The chunk of each row, as a request for it would be. Raises ``Unreadable``."""
    upsert = request.get("upsert_by_tracking_id") is not False
    group = request.get("group_tracking_id")
    for row in _parse_rows(content, request["file_name"]):
        payload: Document = {
            "chunk_html": orjson.dumps(row).decode(),
            "link": request.get("link"),
            "time_stamp": request.get("time_stamp"),
            "metadata": {**_as_object(request.get("metadata")), **row},
            "tag_set": list(request.get("tag_set") or ()),
            "group_tracking_ids": [group] if group else [],
            "upsert_by_tracking_id": upsert,
        }
        for mapping in request.get("mappings") or ():
            value = row.get(mapping["csv_jsonl_field"])
            if value not in {None, ""}:
                _apply_mapping(payload, mapping["chunk_req_payload_field"], value)
        yield payload


def _as_object(value: Json) -> Document:
    return value if isinstance(value, dict) else {}


def _apply_mapping(payload: Document, field: str, value: Json) -> None:
    """Put a row's value where a mapping says. Raises ``Unreadable``."""
    if field in _LIST_FIELDS:
        items = value if isinstance(value, list) else str(value).split(",")
        payload.setdefault(field, []).extend(str(item).strip() for item in items)
    elif field in _NUMBER_FIELDS:
        number = _parse_number(value)
        if number is None:
            raise InvalidTable(f"{value!r} is no number for {field}")
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
    return number if isfinite(number) else None


def _parse_rows(content: str, file_name: str) -> Iterator[Document]:
    if file_name.lower().endswith((".jsonl", ".ndjson", ".json")):
        yield from _parse_json_lines(content)
    else:
        yield from _parse_csv(content)


def _parse_json_lines(content: str) -> Iterator[Document]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise InvalidTable(f"Line {number} is not JSON") from error
        if not isinstance(row, dict) or is_too_deep(row):
            raise InvalidTable(f"Line {number} is no JSON object, or too deep a one")
        yield row


def _parse_csv(content: str) -> Iterator[Document]:
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(content)), 1):
            if None in row:
                raise InvalidTable(f"Row {number} has too many columns")
            if None in row.values():
                raise InvalidTable(f"Row {number} has too few columns")
            yield dict(row)
    except csv.Error as error:
        raise InvalidTable(f"The file is no CSV: {error}") from error
