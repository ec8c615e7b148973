"""Groups of chunks, and which chunk is in which."""

from collections.abc import Iterable
from typing import TypeAlias

from soundstage.apis.api import Answer, Call, NotFound
from soundstage.apis.trieve import jobs, store
from soundstage.apis.trieve.access import dataset_of
from soundstage.apis.trieve.refusal import BadRequest, TooMany
from soundstage.apis.trieve.vocabulary import plain_time
from soundstage.types import Document
from soundstage.world.ids import uuid

MOST_GROUPS = 1000

Places: TypeAlias = dict[str, list[str]]
"""The groups of a chunk: ``group_ids`` and ``group_tracking_ids``."""


def create_chunk_group(call: Call) -> Answer:
    """New groups; a single one is answered as itself, even if sent as a list."""
    dataset = dataset_of(call)
    payloads = call.body if isinstance(call.body, list) else [call.body]
    if len(payloads) > MOST_GROUPS:
        raise TooMany(f"Cannot create more than {MOST_GROUPS} chunk groups at a time")
    made = _made(call, dataset, payloads)
    for group in made:
        store.put(call, "groups", group)
    shown = [_as_chunk_group(group) for group in made]
    return Answer(shown[0] if len(shown) == 1 else shown)


def _made(call: Call, dataset: Document, payloads: list[Document]) -> list[Document]:
    """The groups as they will be. Raises ``BadRequest`` for a taken tracking id.

    O(groups of the dataset) where there are tracking ids.
    """
    taken = {}
    if any(payload.get("tracking_id") for payload in payloads):
        taken = store.tracking_ids(call, "groups", dataset)
    made, seen = [], set()
    for payload in payloads:
        group = group_of(call, dataset, payload)
        tracking_id = group["tracking_id"]
        if tracking_id is not None and tracking_id in seen:
            raise BadRequest("Cannot create multiple groups with the same tracking_id")
        if old := taken.get(tracking_id):
            if not payload.get("upsert_by_tracking_id"):
                raise BadRequest(
                    "Key (dataset_id, tracking_id)="
                    f"({dataset['id']}, {tracking_id}) already exists."
                )
            kept = ("id", "created_at", "file_id")
            group = {**group, **{name: old.get(name) for name in kept}}
        seen.add(tracking_id)
        made.append(group)
    return made


def group_of(call: Call, dataset: Document, payload: Document) -> Document:
    """The group that a request asks for."""
    moment = plain_time(call.now)
    return {
        "id": call.fresh(uuid),
        "created_at": moment,
        "updated_at": moment,
        "dataset_id": dataset["id"],
        "name": payload.get("name") or "",
        "description": payload.get("description") or "",
        "tracking_id": payload.get("tracking_id") or None,
        "metadata": payload.get("metadata"),
        "tag_set": payload.get("tag_set"),
        "file_id": payload.get("file_id"),
    }


def _as_chunk_group(group: Document) -> Document:
    return {name: value for name, value in group.items() if name != "file_id"}


def get_chunk_group(call: Call) -> Answer:
    """A group, with the file that it came of."""
    return Answer(_group(call, dataset_of(call)))


def _group(call: Call, dataset: Document) -> Document:
    return store.find(call, "groups", call.parameters["group_id"], dataset)


def update_chunk_group(call: Call) -> Answer:
    """Change a group, at once; its chunks get its tags when a worker says so.

    O(groups of the dataset) where there are tracking ids.
    """
    dataset, given = dataset_of(call), call.body
    group_id, tracking_id = given.get("group_id"), given.get("tracking_id")
    if group_id is not None:
        old = store.find(call, "groups", group_id, dataset)
    else:
        old = store.tracked(call, "groups", tracking_id, dataset)
    if tracking_id:
        holder = store.tracking_ids(call, "groups", dataset).get(tracking_id, old)
        if holder["id"] != old["id"]:
            raise BadRequest(
                f"Key (dataset_id, tracking_id)=({dataset['id']}, {tracking_id}) "
                "already exists."
            )
    names = ("name", "description", "metadata", "tag_set", "tracking_id")
    changed = {name: given[name] for name in names if given.get(name) is not None}
    group = {**old, **changed, "updated_at": plain_time(call.now)}
    store.put(call, "groups", group)
    if given.get("update_chunks"):
        _hand_on_tags(call, dataset, group)
    return Answer(None, 204)


def _hand_on_tags(call: Call, dataset: Document, group: Document) -> None:
    """Append a group's tags to those of its chunks. O(chunks of the group)."""
    run = jobs.start(call, dataset, "group_update", group_id=group["id"])
    event = jobs.teller(run, "group_chunks_updated", group_id=group["id"])
    if event is None:
        return
    for chunk in _chunks(call, dataset, group["id"]):
        had = chunk.get("tag_set") or []
        more = [tag for tag in group.get("tag_set") or [] if tag not in had]
        new = {**chunk, "tag_set": [*had, *more], "updated_at": plain_time(call.now)}
        store.change(call, "chunks", chunk["id"], event, new)


def delete_chunk_group(call: Call) -> Answer:
    """Delete a group, at once; with its chunks if that is asked for."""
    dataset = dataset_of(call)
    group = _group(call, dataset)
    dissolve(call, dataset, group, with_chunks=call.parameters["delete_chunks"])
    return Answer(None, 204)


def dissolve(
    call: Call, dataset: Document, group: Document, *, with_chunks: bool
) -> None:
    """Delete a group and what is in it, or only that it is. O(chunks of the group)."""
    for chunk in _chunks(call, dataset, group["id"]) if with_chunks else ():
        store.delete(call, "chunks", chunk["id"])
    for bookmark in call.collection("bookmarks").children(group["id"], call.now):
        store.delete(call, "bookmarks", bookmark["id"])
    store.delete(call, "groups", group["id"])


def add_chunk_to_group(call: Call) -> Answer:
    """Put a chunk into a group; nothing happens to one that is in it."""
    dataset, given = dataset_of(call), call.body
    group = _group(call, dataset)
    if given.get("chunk_id") is not None:
        chunk = store.find(call, "chunks", given["chunk_id"], dataset)
    else:
        chunk = store.tracked(call, "chunks", given["chunk_tracking_id"], dataset)
    bookmark(call, group["id"], chunk["id"], dataset)
    return Answer(None, 204)


def remove_chunk_from_group(call: Call) -> Answer:
    """Take a chunk out of a group; it is named by the body, or by the query."""
    dataset = dataset_of(call)
    group = _group(call, dataset)
    chunk_id = (call.body or {}).get("chunk_id") or call.parameters.get("chunk_id")
    if not chunk_id:
        raise BadRequest("No chunk id provided")
    bookmark_id = f"{group['id']}/{chunk_id.lower()}"
    if call.collection("bookmarks").get(bookmark_id, call.now) is None:
        raise NotFound("chunks", chunk_id)
    store.delete(call, "bookmarks", bookmark_id)
    return Answer(None, 204)


def check(call: Call, dataset: Document, payloads: Iterable[Document]) -> None:
    """Raise ``NotFound`` for a group that a chunk is to be in and that is not there.

    Only those with a tracking id are made as they are needed.
    """
    for group_id in {i for p in payloads for i in p.get("group_ids") or ()}:
        store.find(call, "groups", group_id, dataset)


def put_into(call: Call, dataset: Document, chunk_id: str, payload: Document) -> None:
    """Put a chunk into the groups that a request names, new ones if need be.

    O(groups of the dataset) where they are named by tracking id.
    """
    call = call.as_of_now()  # a group may have been made for the chunk before
    for group_id in payload.get("group_ids") or ():
        bookmark(call, group_id.lower(), chunk_id, dataset)
    if names := payload.get("group_tracking_ids"):
        known = store.tracking_ids(call, "groups", dataset)
        for tracking_id in filter(None, names):
            group = known.get(tracking_id)
            if group is None:
                group = group_of(call, dataset, {"tracking_id": tracking_id})
                store.put(call, "groups", group)
                known[tracking_id] = group
            bookmark(call, group["id"], chunk_id, dataset)


def bookmark(call: Call, group_id: str, chunk_id: str, dataset: Document) -> None:
    """Let a chunk be in a group; it may already be."""
    document = {
        "id": f"{group_id}/{chunk_id}",
        "group_id": group_id,
        "chunk_id": chunk_id,
        "dataset_id": dataset["id"],
    }
    store.put(call, "bookmarks", document)


def _chunks(call: Call, dataset: Document, group_id: str) -> list[Document]:
    """The chunks of a group that are there now. O(those)."""
    found = []
    for bookmark in call.collection("bookmarks").children(group_id, call.now):
        try:
            found.append(store.find(call, "chunks", bookmark["chunk_id"], dataset))
        except NotFound:
            continue
    return found


def places_of(call: Call, dataset: Document) -> dict[str, Places]:
    """The groups of each chunk of a dataset. O(groups and their chunks)."""
    places: dict[str, Places] = {}
    for group in store.there(call, "groups", dataset):
        for bookmark in call.collection("bookmarks").children(group["id"], call.now):
            place = places.setdefault(bookmark["chunk_id"], {})
            place.setdefault("group_ids", []).append(group["id"])
            if group.get("tracking_id"):
                names = place.setdefault("group_tracking_ids", [])
                names.append(group["tracking_id"])
    return places
