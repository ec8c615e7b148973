"""Chunks: create, read, update and delete them."""

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trieve import groups, jobs
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.apis.trieve.errors import RejectedRequest, TooManyItems
from soundstage.apis.trieve.filters import matches
from soundstage.apis.trieve.model import format_time, normalize_time
from soundstage.apis.trieve.store import Dataset
from soundstage.types import Json, JsonObject

MAX_CHUNKS = 120
"""Chunks that one request may create."""

COPIED_FIELDS = ("chunk_html", "image_urls", "link", "location", "metadata", "num_value", "tag_set")
"""Fields that a chunk takes over from a request unchanged."""


def create_chunk(context: RequestContext) -> Response:
    """Queue chunks for upload; one whose tracking id is taken is skipped or upserted.

    O(chunks of the dataset) if a chunk has a tracking id.
    """
    dataset = resolve_dataset(context)
    payloads = context.body if isinstance(context.body, list) else [context.body]
    if len(payloads) > MAX_CHUNKS:
        raise TooManyItems(
            f"Too many chunks provided in bulk. The limit is {MAX_CHUNKS} chunks per bulk upload"
        )
    # Everything is checked before the first command, so a rejected request has no
    # effect.
    groups.check_groups_exist(dataset, payloads)
    chunks = [build_chunk(dataset, payload) for payload in payloads]
    _upload(dataset, chunks, payloads)
    metadata = chunks if isinstance(context.body, list) else chunks[0]
    position = jobs.count_queued(dataset)
    return Response({"chunk_metadata": metadata, "pos_in_queue": position})


def _upload(dataset: Dataset, chunks: list[JsonObject], payloads: list[JsonObject]) -> None:
    """Start the job that uploads chunks; an upsert takes the id of the old chunk."""
    existing = {}
    if any(chunk["tracking_id"] for chunk in chunks):
        existing = dataset.index_by_tracking_id("chunks")
    accepted: dict[str, tuple[JsonObject, JsonObject]] = {}
    for chunk, payload in zip(chunks, payloads, strict=True):
        old = existing.get(chunk["tracking_id"])
        if old and not payload.get("upsert_by_tracking_id"):
            continue
        if old:
            chunk["id"], chunk["created_at"] = old["id"], old["created_at"]
        if chunk["tracking_id"]:
            existing[chunk["tracking_id"]] = chunk
        accepted[chunk["id"]] = (chunk, payload)
    run = jobs.start(dataset, "chunk_upload", chunk_ids=list(accepted), size=len(accepted))
    for _, chunk_id, event_id in jobs.iter_uploaded_chunks(run):
        # A scenario may report ids of its own.
        if chunk_id in accepted:
            chunk, payload = accepted[chunk_id]
            upsert_chunk(dataset, chunk, event_id)
            groups.add_to_groups(dataset, chunk_id, payload)


def upsert_chunk(dataset: Dataset, chunk: JsonObject, event_id: str) -> None:
    """Create or replace a chunk at an event."""
    context = dataset.context
    if context.collection("chunks").get(chunk["id"], context.now):
        dataset.schedule_change("chunks", chunk["id"], event_id, chunk)
    else:
        dataset.put("chunks", chunk, event_id)


def build_chunk(dataset: Dataset, payload: JsonObject) -> JsonObject:
    """Return the chunk that a payload describes. Raises ``RejectedRequest``."""
    return {
        **dataset.new_record(),
        "weight": payload.get("weight") or 0.0,
        "time_stamp": parse_time_stamp(payload),
        "tracking_id": payload.get("tracking_id") or None,
        **{name: payload.get(name) for name in COPIED_FIELDS},
    }


def parse_time_stamp(payload: JsonObject) -> str | None:
    """Return a payload's ``time_stamp``, normalized. Raises ``RejectedRequest``."""
    text = payload.get("time_stamp")
    try:
        return normalize_time(text) if text is not None else None
    except ValueError as error:
        raise RejectedRequest("Invalid timestamp format") from error


def get_chunk(context: RequestContext) -> Response:
    """Return a chunk by its id or its tracking id, once it is uploaded."""
    chunk = _find_chunk(context, resolve_dataset(context))
    tags = chunk.get("tag_set")
    # Version 1 of the API has all tags in one text.
    if context.parameters.get("X-API-Version") == "V1" and tags is not None:
        chunk = {**chunk, "tag_set": ",".join(tag or "" for tag in tags)}
    return Response(chunk)


def delete_chunk(context: RequestContext) -> Response:
    """Delete a chunk, by its id or its tracking id, immediately."""
    dataset = resolve_dataset(context)
    dataset.delete("chunks", _find_chunk(context, dataset)["id"])
    return Response(None, 204)


def _find_chunk(context: RequestContext, dataset: Dataset) -> JsonObject:
    """Return the chunk of the path, which has an id or a tracking id."""
    path = context.parameters
    return dataset.find("chunks", path.get("chunk_id"), path.get("tracking_id"))


def bulk_delete_chunk(context: RequestContext) -> Response:
    """Start the job that deletes the chunks that match a filter now.

    O(chunks of the dataset).
    """
    dataset = resolve_dataset(context)
    memberships = groups.list_memberships(dataset)
    chunk_ids = [
        chunk["id"]
        for chunk in dataset.iter_visible("chunks")
        if matches(chunk, memberships.get(chunk["id"], {}), context.body["filter"])
    ]
    run = jobs.start(dataset, "bulk_delete", deleted=len(chunk_ids))
    if event_id := jobs.find_event_id(run, "bulk_chunks_deleted"):
        for chunk_id in chunk_ids:
            dataset.schedule_change("chunks", chunk_id, event_id, None)
    return Response(None, 204)


def update_chunk(context: RequestContext) -> Response:
    """Start the job that updates a chunk, found by its id or else its tracking id."""
    dataset, body = resolve_dataset(context), context.body
    old = dataset.find("chunks", body.get("chunk_id"), body.get("tracking_id"))
    return _update_chunk(dataset, old)


def update_chunk_by_tracking_id(context: RequestContext) -> Response:
    """Start the job that updates the chunk with a tracking id."""
    dataset, body = resolve_dataset(context), context.body
    old = dataset.find("chunks", tracking_id=body["tracking_id"])
    return _update_chunk(dataset, old)


def _update_chunk(dataset: Dataset, old: JsonObject) -> Response:
    context = dataset.context
    # A field that is null is left as it is, like one that is missing.
    body = {name: value for name, value in context.body.items() if value is not None}
    groups.check_groups_exist(dataset, [body])
    changes = {name: body[name] for name in (*COPIED_FIELDS, "weight") if name in body}
    if "time_stamp" in body:
        changes["time_stamp"] = parse_time_stamp(body)
    if "tracking_id" in body:
        changes["tracking_id"] = _parse_new_tracking_id(dataset, old)
    new = {**old, **changes, "updated_at": format_time(context.now)}
    run = jobs.start(dataset, "chunk_update", chunk_id=old["id"])
    if event_id := jobs.find_event_id(run, "chunk_updated", chunk_id=old["id"]):
        dataset.schedule_change("chunks", old["id"], event_id, new)
        groups.add_to_groups(dataset, old["id"], body)
    return Response(None, 204)


def _parse_new_tracking_id(dataset: Dataset, chunk: JsonObject) -> Json:
    """Return the tracking id that a chunk is to have; "" removes it. O(chunks).

    Raises ``RejectedRequest`` if another chunk has it.
    """
    tracking_id = dataset.context.body["tracking_id"] or None
    if tracking_id:
        existing = dataset.index_by_tracking_id("chunks")
        if existing.get(tracking_id, chunk)["id"] != chunk["id"]:
            raise RejectedRequest(
                f"Key (tracking_id, dataset_id)=({tracking_id}, {dataset.id}) already exists."
            )
    return tracking_id
