"""Chunks: queued, read in, changed and deleted."""

from soundstage.apis.api import RequestContext, Response
from soundstage.apis.trieve import groups, jobs, store
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.apis.trieve.errors import RejectedRequest, TooManyItems
from soundstage.apis.trieve.filters import matches
from soundstage.apis.trieve.model import format_time, normalize_time
from soundstage.types import Document, Json
from soundstage.world.ids import uuid

MAX_CHUNKS = 120

COPIED_FIELDS = (
    "chunk_html",
    "image_urls",
    "link",
    "location",
    "metadata",
    "num_value",
    "tag_set",
)
"""What a chunk keeps of a request as it was sent."""


def create_chunk(context: RequestContext) -> Response:
    """Queue chunks; those whose tracking id is taken are ignored, or upserted.

    O(chunks of the dataset) where there are tracking ids.
    """
    dataset = resolve_dataset(context)
    payloads = context.body if isinstance(context.body, list) else [context.body]
    if len(payloads) > MAX_CHUNKS:
        raise TooManyItems(
            "Too many chunks provided in bulk. "
            f"The limit is {MAX_CHUNKS} chunks per bulk upload"
        )
    groups.check_groups_exist(context, dataset, payloads)
    chunks = [build_chunk(context, dataset, payload) for payload in payloads]
    ingest(context, dataset, chunks, payloads)
    metadata = chunks if isinstance(context.body, list) else chunks[0]
    queue = jobs.count_queued(context, dataset)
    return Response({"chunk_metadata": metadata, "pos_in_queue": queue})


def ingest(
    context: RequestContext,
    dataset: Document,
    chunks: list[Document],
    payloads: list[Document],
) -> None:
    """Let a worker read chunks in; an upsert gets the id of what it replaces."""
    taken = {}
    if any(chunk["tracking_id"] for chunk in chunks):
        taken = store.index_by_tracking_id(context, "chunks", dataset)
    kept: dict[str, tuple[Document, Document]] = {}
    for chunk, payload in zip(chunks, payloads, strict=True):
        old = taken.get(chunk["tracking_id"])
        if old and not payload.get("upsert_by_tracking_id"):
            continue
        if old:
            chunk["id"], chunk["created_at"] = old["id"], old["created_at"]
        if chunk["tracking_id"]:
            taken[chunk["tracking_id"]] = chunk
        kept[chunk["id"]] = (chunk, payload)
    run = jobs.start(
        context, dataset, "chunk_upload", chunk_ids=list(kept), size=len(kept)
    )
    for each in jobs.iter_events(run, "chunks_uploaded"):
        for chunk_id in each.data["chunk_ids"]:
            if chunk_id in kept:
                chunk, payload = kept[chunk_id]
                upsert_chunk(context, chunk, each.event_id)
                groups.add_to_groups(context, dataset, chunk_id, payload)


def upsert_chunk(context: RequestContext, chunk: Document, event: str) -> None:
    """Let a chunk be there, or be another, from an event on."""
    if context.collection("chunks").get(chunk["id"], context.now):
        store.schedule_change(context, "chunks", chunk["id"], event, chunk)
    else:
        store.put(context, "chunks", chunk, event)


def build_chunk(
    context: RequestContext, dataset: Document, payload: Document
) -> Document:
    """The chunk that a request asks for. Raises ``BadRequest``."""
    moment = format_time(context.now)
    return {
        "id": context.new_id(uuid),
        "created_at": moment,
        "updated_at": moment,
        "dataset_id": dataset["id"],
        "weight": payload.get("weight") or 0.0,
        "time_stamp": parse_time_stamp(payload),
        "tracking_id": payload.get("tracking_id") or None,
        **{name: payload.get(name) for name in COPIED_FIELDS},
    }


def parse_time_stamp(payload: Document) -> str | None:
    """The moment that a request gives. Raises ``BadRequest``."""
    text = payload.get("time_stamp")
    try:
        return normalize_time(text) if text is not None else None
    except ValueError as error:
        raise RejectedRequest("Invalid timestamp format") from error


def get_chunk(context: RequestContext) -> Response:
    """A chunk by its id, once a worker has read it in."""
    chunk_id = context.parameters["chunk_id"]
    return _render_chunk(
        context, store.find_by_id(context, "chunks", chunk_id, resolve_dataset(context))
    )


def get_chunk_by_tracking_id(context: RequestContext) -> Response:
    """A chunk by its tracking id, once a worker has read it in."""
    return _render_chunk(
        context, _find_by_tracking_id(context, context.parameters["tracking_id"])
    )


def _render_chunk(context: RequestContext, chunk: Document) -> Response:
    tags = chunk.get("tag_set")
    if context.parameters.get("X-API-Version") == "V1" and tags is not None:
        chunk = {**chunk, "tag_set": ",".join(tag or "" for tag in tags)}
    return Response(chunk)


def delete_chunk(context: RequestContext) -> Response:
    """Delete a chunk, at once."""
    chunk_id = context.parameters["chunk_id"]
    return _delete_chunk(
        context, store.find_by_id(context, "chunks", chunk_id, resolve_dataset(context))
    )


def delete_chunk_by_tracking_id(context: RequestContext) -> Response:
    """Delete the chunk of a tracking id, at once."""
    return _delete_chunk(
        context, _find_by_tracking_id(context, context.parameters["tracking_id"])
    )


def _delete_chunk(context: RequestContext, chunk: Document) -> Response:
    store.delete(context, "chunks", chunk["id"])
    return Response(None, 204)


def bulk_delete_chunk(context: RequestContext) -> Response:
    """Let a worker delete what a filter finds now. O(chunks of the dataset)."""
    dataset = resolve_dataset(context)
    places = groups.list_memberships(context, dataset)
    found = [
        chunk["id"]
        for chunk in store.list_visible(context, "chunks", dataset)
        if matches(chunk, places.get(chunk["id"], {}), context.body["filter"])
    ]
    run = jobs.start(context, dataset, "bulk_delete", deleted=len(found))
    if event := jobs.find_event_id(run, "bulk_chunks_deleted"):
        for chunk_id in found:
            store.schedule_change(context, "chunks", chunk_id, event, None)
    return Response(None, 204)


def update_chunk(context: RequestContext) -> Response:
    """Change a chunk by its id, or by its tracking id if no id is given."""
    dataset, given = resolve_dataset(context), context.body
    chunk_id, tracking_id = given.get("chunk_id"), given.get("tracking_id")
    if chunk_id is not None:
        chunk = store.find_by_id(context, "chunks", chunk_id, dataset)
    else:
        chunk = store.find_by_tracking_id(context, "chunks", tracking_id, dataset)
    return _update_chunk(context, dataset, chunk)


def update_chunk_by_tracking_id(context: RequestContext) -> Response:
    """Change the chunk of a tracking id."""
    return _update_chunk(
        context,
        resolve_dataset(context),
        _find_by_tracking_id(context, context.body["tracking_id"]),
    )


def _update_chunk(
    context: RequestContext, dataset: Document, old: Document
) -> Response:
    given = context.body
    groups.check_groups_exist(context, dataset, [given])
    changed = {
        name: given[name] for name in COPIED_FIELDS if given.get(name) is not None
    }
    if given.get("weight") is not None:
        changed["weight"] = given["weight"]
    if given.get("time_stamp") is not None:
        changed["time_stamp"] = parse_time_stamp(given)
    if given.get("tracking_id") is not None:
        changed["tracking_id"] = _parse_new_tracking_id(context, dataset, old)
    new = {**old, **changed, "updated_at": format_time(context.now)}
    run = jobs.start(context, dataset, "chunk_update", chunk_id=old["id"])
    if event := jobs.find_event_id(run, "chunk_updated", chunk_id=old["id"]):
        store.schedule_change(context, "chunks", old["id"], event, new)
        groups.add_to_groups(context, dataset, old["id"], given)
    return Response(None, 204)


def _parse_new_tracking_id(
    context: RequestContext, dataset: Document, chunk: Document
) -> Json:
    """The tracking id that a chunk is to have. O(chunks); raises ``BadRequest``."""
    tracking_id = context.body["tracking_id"] or None
    holder = tracking_id and store.index_by_tracking_id(context, "chunks", dataset).get(
        tracking_id
    )
    if holder and holder["id"] != chunk["id"]:
        raise RejectedRequest(
            f"Key (tracking_id, dataset_id)=({tracking_id}, {dataset['id']}) "
            "already exists."
        )
    return tracking_id


def _find_by_tracking_id(context: RequestContext, tracking_id: str) -> Document:
    return store.find_by_tracking_id(
        context, "chunks", tracking_id, resolve_dataset(context)
    )
