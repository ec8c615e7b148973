"""Files: uploaded, cut into chunks, read and deleted."""

import base64
import binascii
import re
from collections.abc import Sequence

from soundstage.apis.api import Answer, Call
from soundstage.apis.trieve import groups, jobs, store
from soundstage.apis.trieve.access import dataset_of
from soundstage.apis.trieve.chunks import chunk_of, land, time_stamp_of
from soundstage.apis.trieve.refusal import BadRequest
from soundstage.apis.trieve.vocabulary import plain_time
from soundstage.types import Document
from soundstage.world.ids import uuid

SPLITS = 20
"""How many sentences make a chunk, unless a request says so."""

LINK_SECONDS = 300

DELIMITERS = (".", "!", "?", "\n")


def upload_file(call: Call) -> Answer:
    """Keep a file at once, and let a worker cut it into the chunks of a group."""
    dataset, given = dataset_of(call), call.body
    if given.get("pdf2md_options") and given.get("split_avg"):
        raise BadRequest("split_avg is not supported with pdf2md")
    content = _decoded(given["base64_file"])
    file = file_of(call, dataset, given, len(content))
    store.put(call, "files", file)
    names = {
        "file_id": file["id"],
        "file_name": file["file_name"],
        "pdf2md_options": given.get("pdf2md_options"),
    }
    if given.get("create_chunks") is False:
        jobs.start(call, dataset, "file_only", **names)
    else:
        _cut(call, dataset, file, content, names)
    return Answer({"file_metadata": file})


def _cut(
    call: Call, dataset: Document, file: Document, content: bytes, names: Document
) -> None:
    """Let a worker make chunks of a file, and a group to keep them in."""
    texts = {call.fresh(uuid): text for text in _pieces(call, content)}
    run = jobs.start(
        call, dataset, "file_upload", chunk_ids=list(texts), size=len(texts), **names
    )
    event = jobs.teller(run, "file_uploaded", file_id=file["id"])
    if event is None:
        return
    group_id = _group(call, dataset, file, event)
    for each in jobs.told(run, "chunks_uploaded"):
        for index, chunk_id in enumerate(each.data["chunk_ids"]):
            if chunk_id in texts:
                payload = _payload(call.body, texts[chunk_id], index)
                chunk = {**chunk_of(call, dataset, payload), "id": chunk_id}
                land(call, chunk, each.event)
                groups.bookmark(call, group_id, chunk_id, dataset)


def _decoded(text: str) -> bytes:
    """The bytes of base64, of either alphabet, padded or not. Raises ``BadRequest``."""
    clean = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        padded = clean + "=" * (-len(clean) % 4)
        return base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadRequest("Could not decode base64 file") from error


def file_of(call: Call, dataset: Document, given: Document, size: int) -> Document:
    """The file that a request asks for. Raises ``BadRequest``."""
    moment = plain_time(call.now)
    return {
        "id": call.fresh(uuid),
        "file_name": given["file_name"],
        "created_at": moment,
        "updated_at": moment,
        "dataset_id": dataset["id"],
        "size": size,
        "tag_set": given.get("tag_set"),
        "metadata": given.get("metadata"),
        "link": given.get("link"),
        "time_stamp": time_stamp_of(given),
    }


def _pieces(call: Call, content: bytes) -> list[str]:
    """The texts of a file's chunks; drawn, where the file is no text."""
    given = call.body
    try:
        splits = _split(content.decode(), given.get("split_delimiters") or DELIMITERS)
    except UnicodeDecodeError:
        splits = [call.chance.text("paragraph") for _ in range(SPLITS)]
    size = len(splits) if given.get("split_avg") else 0
    size = size or int(given.get("target_splits_per_chunk") or SPLITS)
    return [" ".join(splits[at : at + size]) for at in range(0, len(splits), size)]


def _split(text: str, delimiters: Sequence[str]) -> list[str]:
    """The parts of a text, each with the delimiter that ends it."""
    ends = "|".join(re.escape(delimiter) for delimiter in delimiters if delimiter)
    parts = re.findall(rf"(?s).+?(?:{ends}|\Z)", text) if ends else [text]
    return [part.strip() for part in parts if part.strip()]


def _payload(given: Document, text: str, index: int) -> Document:
    """The chunk that a piece of a file becomes, as a request for it would be."""
    handed_down = ("link", "metadata", "tag_set", "time_stamp")
    group = given.get("group_tracking_id")
    return {
        **{name: given.get(name) for name in handed_down},
        "chunk_html": text,
        "tracking_id": f"{group}|{index}" if group else None,
    }


def _group(call: Call, dataset: Document, file: Document, event: str) -> str:
    """The group of a file's chunks, which is there from an event on.

    O(groups of the dataset) where it has a tracking id.
    """
    given = call.body
    tracking_id = given.get("group_tracking_id")
    known = store.tracking_ids(call, "groups", dataset) if tracking_id else {}
    if tracking_id and tracking_id in known:
        old = known[tracking_id]
        store.change(call, "groups", old["id"], event, {**old, "file_id": file["id"]})
        return str(old["id"])
    asked = {
        "name": f"Group for file {file['file_name']}",
        "description": given.get("description"),
        "tracking_id": tracking_id,
        "metadata": given.get("metadata"),
        "tag_set": given.get("tag_set"),
        "file_id": file["id"],
    }
    group = groups.group_of(call, dataset, asked)
    store.put(call, "groups", group, event)
    return str(group["id"])


def get_file(call: Call) -> Answer:
    """A file, with a link; where it leads there is nothing, contents are not kept."""
    file = store.find(call, "files", call.parameters["file_id"], dataset_of(call))
    seconds = call.parameters.get("ttl")
    seconds = LINK_SECONDS if seconds is None else seconds
    link = f"{call.base_url}{call.root}/files/{file['id']}?X-Amz-Expires={seconds}"
    shown = {name: value for name, value in file.items() if name != "dataset_id"}
    return Answer({**shown, "s3_url": link})


def delete_file(call: Call) -> Answer:
    """Delete a file and its group, at once; with its chunks if that is asked for.

    O(groups of the dataset).
    """
    dataset = dataset_of(call)
    file = store.find(call, "files", call.parameters["file_id"], dataset)
    store.delete(call, "files", file["id"])
    with_chunks = call.parameters["delete_chunks"]
    for group in list(store.there(call, "groups", dataset)):
        if group.get("file_id") == file["id"]:
            groups.dissolve(call, dataset, group, with_chunks=with_chunks)
    return Answer(None, 204)
