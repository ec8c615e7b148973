"""Files: uploaded, cut into chunks, read and deleted."""

import base64
import binascii
import re
from collections.abc import Sequence

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trieve import groups, jobs, store
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.apis.trieve.chunks import build_chunk, parse_time_stamp, upsert_chunk
from soundstage.apis.trieve.errors import RejectedRequest
from soundstage.apis.trieve.model import format_time
from soundstage.types import Document
from soundstage.world.ids import uuid

DEFAULT_SPLITS_PER_CHUNK = 20
"""How many sentences make a chunk, unless a request says so."""

DEFAULT_LINK_TTL_SECONDS = 300

DELIMITERS = (".", "!", "?", "\n")


def upload_file(context: RequestContext) -> Response:
    """Keep a file at once, and let a worker cut it into the chunks of a group."""
    dataset, given = resolve_dataset(context), context.body
    if given.get("pdf2md_options") and given.get("split_avg"):
        raise RejectedRequest("split_avg is not supported with pdf2md")
    content = _decode_base64(given["base64_file"])
    file = build_file(context, dataset, given, len(content))
    store.put(context, "files", file)
    names = {
        "file_id": file["id"],
        "file_name": file["file_name"],
        "pdf2md_options": given.get("pdf2md_options"),
    }
    if given.get("create_chunks") is False:
        jobs.start(context, dataset, "file_only", **names)
    else:
        _schedule_chunks(context, dataset, file, content, names)
    return Response({"file_metadata": file})


def _schedule_chunks(
    context: RequestContext,
    dataset: Document,
    file: Document,
    content: bytes,
    names: Document,
) -> None:
    """Let a worker make chunks of a file, and a group to keep them in."""
    texts = {
        context.new_id(uuid): text for text in _build_chunk_texts(context, content)
    }
    run = jobs.start(
        context, dataset, "file_upload", chunk_ids=list(texts), size=len(texts), **names
    )
    event = jobs.find_event_id(run, "file_uploaded", file_id=file["id"])
    if event is None:
        return
    group_id = _schedule_group(context, dataset, file, event)
    for each in jobs.iter_events(run, "chunks_uploaded"):
        for index, chunk_id in enumerate(each.data["chunk_ids"]):
            if chunk_id in texts:
                payload = _build_chunk_payload(context.body, texts[chunk_id], index)
                chunk = {**build_chunk(context, dataset, payload), "id": chunk_id}
                upsert_chunk(context, chunk, each.event_id)
                groups.add_bookmark(context, group_id, chunk_id, dataset)


def _decode_base64(text: str) -> bytes:
    """The bytes of base64, of either alphabet, padded or not. Raises ``BadRequest``."""
    clean = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        padded = clean + "=" * (-len(clean) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise RejectedRequest("Could not decode base64 file") from error


def build_file(
    context: RequestContext, dataset: Document, fields: Document, size: int
) -> Document:
    """The file that a request asks for. Raises ``BadRequest``."""
    moment = format_time(context.now)
    return {
        "id": context.new_id(uuid),
        "file_name": fields["file_name"],
        "created_at": moment,
        "updated_at": moment,
        "dataset_id": dataset["id"],
        "size": size,
        "tag_set": fields.get("tag_set"),
        "metadata": fields.get("metadata"),
        "link": fields.get("link"),
        "time_stamp": parse_time_stamp(fields),
    }


def _build_chunk_texts(context: RequestContext, content: bytes) -> list[str]:
    """The texts of a file's chunks; drawn, where the file is no text."""
    given = context.body
    try:
        splits = _split_text(
            content.decode(), given.get("split_delimiters") or DELIMITERS
        )
    except UnicodeDecodeError:
        splits = [
            context.random.text("paragraph") for _ in range(DEFAULT_SPLITS_PER_CHUNK)
        ]
    size = len(splits) if given.get("split_avg") else 0
    size = size or int(given.get("target_splits_per_chunk") or DEFAULT_SPLITS_PER_CHUNK)
    return [" ".join(splits[at : at + size]) for at in range(0, len(splits), size)]


def _split_text(text: str, delimiters: Sequence[str]) -> list[str]:
    """The parts of a text, each with the delimiter that ends it."""
    ends = "|".join(re.escape(delimiter) for delimiter in delimiters if delimiter)
    parts = re.findall(rf"(?s).+?(?:{ends}|\Z)", text) if ends else [text]
    return [part.strip() for part in parts if part.strip()]


def _build_chunk_payload(upload: Document, text: str, index: int) -> Document:
    """The chunk that a piece of a file becomes, as a request for it would be."""
    handed_down = ("link", "metadata", "tag_set", "time_stamp")
    group = upload.get("group_tracking_id")
    return {
        **{name: upload.get(name) for name in handed_down},
        "chunk_html": text,
        "tracking_id": f"{group}|{index}" if group else None,
    }


def _schedule_group(
    context: RequestContext, dataset: Document, file: Document, event: str
) -> str:
    """The group of a file's chunks, which is there from an event on.

    O(groups of the dataset) where it has a tracking id.
    """
    given = context.body
    tracking_id = given.get("group_tracking_id")
    known = (
        store.index_by_tracking_id(context, "groups", dataset) if tracking_id else {}
    )
    if tracking_id and tracking_id in known:
        old = known[tracking_id]
        store.schedule_change(
            context, "groups", old["id"], event, {**old, "file_id": file["id"]}
        )
        return str(old["id"])
    asked = {
        "name": f"Group for file {file['file_name']}",
        "description": given.get("description"),
        "tracking_id": tracking_id,
        "metadata": given.get("metadata"),
        "tag_set": given.get("tag_set"),
        "file_id": file["id"],
    }
    group = groups.build_group(context, dataset, asked)
    store.put(context, "groups", group, event)
    return str(group["id"])


def get_file(context: RequestContext) -> Response:
    """A file, with a link; where it leads there is nothing, contents are not kept."""
    file = store.find_by_id(
        context, "files", context.parameters["file_id"], resolve_dataset(context)
    )
    seconds = context.parameters.get("ttl")
    seconds = DEFAULT_LINK_TTL_SECONDS if seconds is None else seconds
    base = f"{context.base_url}{context.root_path}"
    link = f"{base}/files/{file['id']}?X-Amz-Expires={seconds}"
    shown = {name: value for name, value in file.items() if name != "dataset_id"}
    return Response({**shown, "s3_url": link})


def delete_file(context: RequestContext) -> Response:
    """Delete a file and its group, at once; with its chunks if that is asked for.

    O(groups of the dataset).
    """
    dataset = resolve_dataset(context)
    file = store.find_by_id(context, "files", context.parameters["file_id"], dataset)
    store.delete(context, "files", file["id"])
    with_chunks = context.parameters["delete_chunks"]
    for group in list(store.list_visible(context, "groups", dataset)):
        if group.get("file_id") == file["id"]:
            groups.delete_group(context, dataset, group, with_chunks=with_chunks)
    return Response(None, 204)
