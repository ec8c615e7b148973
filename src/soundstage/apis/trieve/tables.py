"""Tables, CSV or JSON lines: announced, uploaded, and read row by row."""

import csv
import io
from collections.abc import Iterator
from math import isfinite

import orjson

from soundstage.apis.api import Answer, Call
from soundstage.apis.trieve import groups, jobs, store
from soundstage.apis.trieve.access import dataset_of
from soundstage.apis.trieve.chunks import chunk_of, land
from soundstage.apis.trieve.files import file_of
from soundstage.apis.trieve.nesting import too_deep
from soundstage.apis.trieve.refusal import BadRequest, Expired
from soundstage.types import Document, Json
from soundstage.world.log import Interrupt, Start

BATCH = 1000
"""Rows from one checkpoint to the next."""

_LISTS = frozenset({"tag_set", "image_urls", "group_tracking_ids"})
_NUMBERS = frozenset({"num_value", "weight", "lat", "lon"})


class Unreadable(Exception):
    """A row is not what its table's kind says; the text says which, and why."""


def announce_table(call: Call) -> Answer:
    """A file that is not there yet, and the URL that it is to be put to.

    The job waits for it, and fails when nothing has come for 8600 seconds.
    """
    dataset, given = dataset_of(call), call.body
    file = file_of(call, dataset, given, 0)
    names = {"dataset_id": dataset["id"], "file_id": file["id"]}
    run = call.world.apply(
        Start(call.api, "csv_jsonl", names=names, beginning="upload_awaited")
    )
    upload = {
        "id": file["id"],
        "dataset_id": dataset["id"],
        "job": run.id,
        "file": file,
        "request": given,
    }
    store.put(call, "uploads", upload)
    url = f"{call.base_url}{call.root}/api/file/csv_or_jsonl/{file['id']}"
    return Answer({"file_metadata": file, "presigned_put_url": url})


def put_table(call: Call) -> Answer:
    """Let the job that waits for a table read it. O(rows).

    A table that is put again changes nothing: the first one is being read.
    """
    upload = call.get("uploads", call.parameters["file_id"].lower())
    dataset = call.get("datasets", upload["dataset_id"])
    if "uploaded" in upload:
        return Answer(None)
    if call.get("jobs", upload["job"])["status"] != "queued":
        raise Expired("Request has expired")
    _read(call, dataset, upload)
    return Answer(None)


def _read(call: Call, dataset: Document, upload: Document) -> None:
    sent = call.body or ""
    content = sent.removeprefix("\ufeff")
    chunks: list[Document] = []
    names: Document
    try:
        payloads = list(_payloads(content, upload["request"]))
        chunks = [chunk_of(call, dataset, payload) for payload in payloads]
    except (Unreadable, BadRequest) as error:
        ending, names = "unreadable", {"error": str(error)}
    else:
        batches, rest = divmod(len(chunks), BATCH)
        ending, names = "uploaded", {"batches": batches, "rest": rest}
    run = call.world.apply(Interrupt(call.api, upload["job"], ending, names))
    store.put(call, "files", {**upload["file"], "size": len(sent.encode())})
    store.put(call, "uploads", {**upload, "uploaded": True})
    if run and chunks:
        _land(call, dataset, list(jobs.told(run, *_COUNTING)), chunks, payloads)


_COUNTING = ("csv_jsonl_processing_checkpoint", "csv_jsonl_processing_completed")


def _land(
    call: Call,
    dataset: Document,
    events: list[jobs.Told],
    chunks: list[Document],
    payloads: list[Document],
) -> None:
    """Let each row's chunk be there from the first event on that counts it."""
    taken = store.tracking_ids(call, "chunks", dataset)
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
        land(call.as_of_now(), chunk, counting.event)
        groups.put_into(call, dataset, chunk["id"], payload)


def _payloads(content: str, request: Document) -> Iterator[Document]:
    """The chunk of each row, as a request for it would be. Raises ``Unreadable``."""
    upsert = request.get("upsert_by_tracking_id") is not False
    group = request.get("group_tracking_id")
    for row in _rows(content, request["file_name"]):
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
                _map(payload, mapping["chunk_req_payload_field"], value)
        yield payload


def _as_object(value: Json) -> Document:
    return value if isinstance(value, dict) else {}


def _map(payload: Document, field: str, value: Json) -> None:
    """Put a row's value where a mapping says. Raises ``Unreadable``."""
    if field in _LISTS:
        items = value if isinstance(value, list) else str(value).split(",")
        payload.setdefault(field, []).extend(str(item).strip() for item in items)
    elif field in _NUMBERS:
        number = _number(value)
        if number is None:
            raise Unreadable(f"{value!r} is no number for {field}")
        if field in {"lat", "lon"}:
            payload.setdefault("location", {"lat": 0.0, "lon": 0.0})[field] = number
        else:
            payload[field] = number
    else:
        payload[field] = str(value)


def _number(value: Json) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None


def _rows(content: str, file_name: str) -> Iterator[Document]:
    if file_name.lower().endswith((".jsonl", ".ndjson", ".json")):
        yield from _lines(content)
    else:
        yield from _records(content)


def _lines(content: str) -> Iterator[Document]:
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise Unreadable(f"Line {number} is not JSON") from error
        if not isinstance(row, dict) or too_deep(row):
            raise Unreadable(f"Line {number} is no JSON object, or too deep a one")
        yield row


def _records(content: str) -> Iterator[Document]:
    try:
        for number, row in enumerate(csv.DictReader(io.StringIO(content)), 1):
            if None in row:
                raise Unreadable(f"Row {number} has too many columns")
            if None in row.values():
                raise Unreadable(f"Row {number} has too few columns")
            yield dict(row)
    except csv.Error as error:
        raise Unreadable(f"The file is no CSV: {error}") from error
