"""Chunks: queued, read in, changed and deleted."""

from soundstage.apis.api import Answer, Call
from soundstage.apis.trieve import groups, jobs, store
from soundstage.apis.trieve.access import dataset_of
from soundstage.apis.trieve.filter import matches
from soundstage.apis.trieve.refusal import BadRequest, TooMany
from soundstage.apis.trieve.vocabulary import plain_time, plain_time_of
from soundstage.types import Document, Json
from soundstage.world.ids import uuid

MOST_CHUNKS = 120

ECHOED = (
    "chunk_html",
    "image_urls",
    "link",
    "location",
    "metadata",
    "num_value",
    "tag_set",
)
"""What a chunk keeps of a request as it was sent."""


def create_chunk(call: Call) -> Answer:
    """Queue chunks; those whose tracking id is taken are ignored, or upserted.

    O(chunks of the dataset) where there are tracking ids.
    """
    dataset = dataset_of(call)
    payloads = call.body if isinstance(call.body, list) else [call.body]
    if len(payloads) > MOST_CHUNKS:
        raise TooMany(
            "Too many chunks provided in bulk. "
            f"The limit is {MOST_CHUNKS} chunks per bulk upload"
        )
    groups.check(call, dataset, payloads)
    chunks = [chunk_of(call, dataset, payload) for payload in payloads]
    ingest(call, dataset, chunks, payloads)
    metadata = chunks if isinstance(call.body, list) else chunks[0]
    queue = jobs.queued(call, dataset)
    return Answer({"chunk_metadata": metadata, "pos_in_queue": queue})


def ingest(
    call: Call, dataset: Document, chunks: list[Document], payloads: list[Document]
) -> None:
    """Let a worker read chunks in; an upsert gets the id of what it replaces."""
    taken = {}
    if any(chunk["tracking_id"] for chunk in chunks):
        taken = store.tracking_ids(call, "chunks", dataset)
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
        call, dataset, "chunk_upload", chunk_ids=list(kept), size=len(kept)
    )
    for each in jobs.told(run, "chunks_uploaded"):
        for chunk_id in each.data["chunk_ids"]:
            if chunk_id in kept:
                chunk, payload = kept[chunk_id]
                land(call, chunk, each.event)
                groups.put_into(call, dataset, chunk_id, payload)


def land(call: Call, chunk: Document, event: str) -> None:
    """Let a chunk be there, or be another, from an event on."""
    if call.collection("chunks").get(chunk["id"], call.now):
        store.change(call, "chunks", chunk["id"], event, chunk)
    else:
        store.put(call, "chunks", chunk, event)


def chunk_of(call: Call, dataset: Document, payload: Document) -> Document:
    """The chunk that a request asks for. Raises ``BadRequest``."""
    moment = plain_time(call.now)
    return {
        "id": call.fresh(uuid),
        "created_at": moment,
        "updated_at": moment,
        "dataset_id": dataset["id"],
        "weight": payload.get("weight") or 0.0,
        "time_stamp": time_stamp_of(payload),
        "tracking_id": payload.get("tracking_id") or None,
        **{name: payload.get(name) for name in ECHOED},
    }


def time_stamp_of(payload: Document) -> str | None:
    """The moment that a request gives. Raises ``BadRequest``."""
    text = payload.get("time_stamp")
    try:
        return plain_time_of(text) if text is not None else None
    except ValueError as error:
        raise BadRequest("Invalid timestamp format") from error


def get_chunk(call: Call) -> Answer:
    """A chunk by its id, once a worker has read it in."""
    chunk_id = call.parameters["chunk_id"]
    return _versioned(call, store.find(call, "chunks", chunk_id, dataset_of(call)))


def get_chunk_by_tracking_id(call: Call) -> Answer:
    """A chunk by its tracking id, once a worker has read it in."""
    return _versioned(call, _tracked(call, call.parameters["tracking_id"]))


def _versioned(call: Call, chunk: Document) -> Answer:
    tags = chunk.get("tag_set")
    if call.parameters.get("X-API-Version") == "V1" and tags is not None:
        chunk = {**chunk, "tag_set": ",".join(tag or "" for tag in tags)}
    return Answer(chunk)


def delete_chunk(call: Call) -> Answer:
    """Delete a chunk, at once."""
    chunk_id = call.parameters["chunk_id"]
    return _deleted(call, store.find(call, "chunks", chunk_id, dataset_of(call)))


def delete_chunk_by_tracking_id(call: Call) -> Answer:
    """Delete the chunk of a tracking id, at once."""
    return _deleted(call, _tracked(call, call.parameters["tracking_id"]))


def _deleted(call: Call, chunk: Document) -> Answer:
    store.delete(call, "chunks", chunk["id"])
    return Answer(None, 204)


def bulk_delete_chunk(call: Call) -> Answer:
    """Let a worker delete what a filter finds now. O(chunks of the dataset)."""
    dataset = dataset_of(call)
    places = groups.places_of(call, dataset)
    found = [
        chunk["id"]
        for chunk in store.there(call, "chunks", dataset)
        if matches(chunk, places.get(chunk["id"], {}), call.body["filter"])
    ]
    run = jobs.start(call, dataset, "bulk_delete", deleted=len(found))
    if event := jobs.teller(run, "bulk_chunks_deleted"):
        for chunk_id in found:
            store.change(call, "chunks", chunk_id, event, None)
    return Answer(None, 204)


def update_chunk(call: Call) -> Answer:
    """Change a chunk by its id, or by its tracking id if no id is given."""
    dataset, given = dataset_of(call), call.body
    chunk_id, tracking_id = given.get("chunk_id"), given.get("tracking_id")
    if chunk_id is not None:
        chunk = store.find(call, "chunks", chunk_id, dataset)
    else:
        chunk = store.tracked(call, "chunks", tracking_id, dataset)
    return _updated(call, dataset, chunk)


def update_chunk_by_tracking_id(call: Call) -> Answer:
    """Change the chunk of a tracking id."""
    return _updated(call, dataset_of(call), _tracked(call, call.body["tracking_id"]))


def _updated(call: Call, dataset: Document, old: Document) -> Answer:
    given = call.body
    groups.check(call, dataset, [given])
    changed = {name: given[name] for name in ECHOED if given.get(name) is not None}
    if given.get("weight") is not None:
        changed["weight"] = given["weight"]
    if given.get("time_stamp") is not None:
        changed["time_stamp"] = time_stamp_of(given)
    if given.get("tracking_id") is not None:
        changed["tracking_id"] = _free_tracking_id(call, dataset, old)
    new = {**old, **changed, "updated_at": plain_time(call.now)}
    run = jobs.start(call, dataset, "chunk_update", chunk_id=old["id"])
    if event := jobs.teller(run, "chunk_updated", chunk_id=old["id"]):
        store.change(call, "chunks", old["id"], event, new)
        groups.put_into(call, dataset, old["id"], given)
    return Answer(None, 204)


def _free_tracking_id(call: Call, dataset: Document, chunk: Document) -> Json:
    """The tracking id that a chunk is to have. O(chunks); raises ``BadRequest``."""
    tracking_id = call.body["tracking_id"] or None
    holder = tracking_id and store.tracking_ids(call, "chunks", dataset).get(
        tracking_id
    )
    if holder and holder["id"] != chunk["id"]:
        raise BadRequest(
            f"Key (tracking_id, dataset_id)=({tracking_id}, {dataset['id']}) "
            "already exists."
        )
    return tracking_id


def _tracked(call: Call, tracking_id: str) -> Document:
    return store.tracked(call, "chunks", tracking_id, dataset_of(call))
