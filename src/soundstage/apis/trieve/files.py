"""Files: upload, read and delete them. A job splits an uploaded file into chunks."""

import base64
import binascii
import re
from collections.abc import Sequence

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trieve import groups, jobs
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.apis.trieve.chunks import build_chunk, parse_time_stamp, upsert_chunk
from soundstage.apis.trieve.errors import RejectedRequest
from soundstage.apis.trieve.store import Dataset
from soundstage.types import JsonObject
from soundstage.world.ids import uuid

DEFAULT_SPLITS_PER_CHUNK = 20
"""Sentences per chunk, unless a request sets ``target_splits_per_chunk``."""

DEFAULT_LINK_TTL_SECONDS = 300

DELIMITERS = (".", "!", "?", "\n")


def upload_file(context: RequestContext) -> Response:
    """Store a file immediately, and start the job that splits it into chunks."""
    dataset, body = resolve_dataset(context), context.body
    if body.get("pdf2md_options") and body.get("split_avg"):
        raise RejectedRequest("split_avg is not supported with pdf2md")
    content = _decode_base64(body["base64_file"])
    file = build_file(dataset, body, len(content))
    dataset.put("files", file)
    names = {
        "file_id": file["id"],
        "file_name": file["file_name"],
        "pdf2md_options": body.get("pdf2md_options"),
    }
    if body.get("create_chunks") is False:
        jobs.start(dataset, "file_only", **names)
    else:
        _schedule_chunks(dataset, file, content, names)
    return Response({"file_metadata": file})


def _schedule_chunks(dataset: Dataset, file: JsonObject, content: bytes, names: JsonObject) -> None:
    """Start the job that creates a file's chunks, and the group that holds them."""
    context = dataset.context
    # The job's events have the ids of the chunks, so these are generated before it.
    texts = {context.new_id(uuid): text for text in _build_texts(context, content)}
    run = jobs.start(dataset, "file_upload", chunk_ids=list(texts), size=len(texts), **names)
    file_event_id = jobs.find_event_id(run, "file_uploaded", file_id=file["id"])
    if file_event_id is None:
        return
    group_id = _schedule_group(dataset, file, file_event_id)
    for index, chunk_id, event_id in jobs.iter_uploaded_chunks(run):
        # A scenario may report ids of its own.
        if chunk_id in texts:
            payload = _build_chunk_payload(context.body, texts[chunk_id], index)
            chunk = {**build_chunk(dataset, payload), "id": chunk_id}
            upsert_chunk(dataset, chunk, event_id)
            groups.add_bookmark(dataset, group_id, chunk_id)


def _decode_base64(text: str) -> bytes:
    """Decode base64 of either alphabet, with or without padding.

    Raises ``RejectedRequest``.
    """
    # RFC 4648, 4 and 5: the alphabets differ in two characters.
    url_safe = text.rstrip("=").replace("+", "-").replace("/", "_")
    padded = url_safe + "=" * (-len(url_safe) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise RejectedRequest("Could not decode base64 file") from error


def build_file(dataset: Dataset, fields: JsonObject, size: int) -> JsonObject:
    """Return the file that a request describes. Raises ``RejectedRequest``."""
    record = dataset.new_record()
    return {
        "id": record["id"],
        "file_name": fields["file_name"],
        **record,
        "size": size,
        "tag_set": fields.get("tag_set"),
        "metadata": fields.get("metadata"),
        "link": fields.get("link"),
        "time_stamp": parse_time_stamp(fields),
    }


def _build_texts(context: RequestContext, content: bytes) -> list[str]:
    """Return the texts of a file's chunks; generate them if it is a binary file."""
    body = context.body
    try:
        splits = _split(content.decode(), body.get("split_delimiters") or DELIMITERS)
    except UnicodeDecodeError:
        splits = [context.random.text("paragraph") for _ in range(DEFAULT_SPLITS_PER_CHUNK)]
    # split_avg balances the chunks of the real server; here all splits are one chunk.
    size = len(splits) if body.get("split_avg") else 0
    size = size or int(body.get("target_splits_per_chunk") or DEFAULT_SPLITS_PER_CHUNK)
    return [" ".join(splits[start : start + size]) for start in range(0, len(splits), size)]


def _split(text: str, delimiters: Sequence[str]) -> list[str]:
    """Split a text after each delimiter, and strip the parts."""
    ends = "|".join(re.escape(delimiter) for delimiter in delimiters if delimiter)
    parts = re.findall(rf"(?s).+?(?:{ends}|\Z)", text) if ends else [text]
    return [part.strip() for part in parts if part.strip()]


def _build_chunk_payload(upload: JsonObject, text: str, index: int) -> JsonObject:
    """Return the payload of a file's chunk, in the form that ``build_chunk`` reads."""
    inherited = ("link", "metadata", "tag_set", "time_stamp")
    group = upload.get("group_tracking_id")
    return {
        **{name: upload.get(name) for name in inherited},
        "chunk_html": text,
        "tracking_id": f"{group}|{index}" if group else None,
    }


def _schedule_group(dataset: Dataset, file: JsonObject, event_id: str) -> str:
    """Create or update the group of a file's chunks at an event; return its id.

    O(groups of the dataset) if it has a tracking id.
    """
    body = dataset.context.body
    tracking_id = body.get("group_tracking_id")
    if tracking_id:
        existing = dataset.index_by_tracking_id("groups")
        if old := existing.get(tracking_id):
            group = {**old, "file_id": file["id"]}
            dataset.schedule_change("groups", old["id"], event_id, group)
            return str(old["id"])
    payload = {
        "name": f"Group for file {file['file_name']}",
        "description": body.get("description"),
        "tracking_id": tracking_id,
        "metadata": body.get("metadata"),
        "tag_set": body.get("tag_set"),
        "file_id": file["id"],
    }
    group = groups.build_group(dataset, payload)
    dataset.put("groups", group, event_id)
    return str(group["id"])


def _find_file(dataset: Dataset) -> JsonObject:
    return dataset.find("files", dataset.context.parameters["file_id"])


def get_file(context: RequestContext) -> Response:
    """Return a file with a link, which leads nowhere, as contents are not stored."""
    file = _find_file(resolve_dataset(context))
    seconds = context.parameters.get("ttl")
    seconds = DEFAULT_LINK_TTL_SECONDS if seconds is None else seconds
    root = context.base_url + context.root_path
    link = f"{root}/files/{file['id']}?X-Amz-Expires={seconds}"
    fields = {name: value for name, value in file.items() if name != "dataset_id"}
    return Response({**fields, "s3_url": link})


def delete_file(context: RequestContext) -> Response:
    """Delete a file and its groups immediately, with chunks if ``delete_chunks``.

    O(groups of the dataset).
    """
    dataset = resolve_dataset(context)
    file = _find_file(dataset)
    dataset.delete("files", file["id"])
    with_chunks = context.parameters["delete_chunks"]
    # A copy of the list, as the deletion of a group changes the collection.
    for group in list(dataset.iter_visible("groups")):
        if group.get("file_id") == file["id"]:
            groups.delete_group(dataset, group, with_chunks=with_chunks)
    return Response(None, 204)
