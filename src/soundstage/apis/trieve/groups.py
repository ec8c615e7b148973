"""Groups of chunks, and the bookmarks that put chunks into groups."""

from collections.abc import Iterable
from typing import TypeAlias

from soundstage.apis.api import NotFound, RequestContext, Response
from soundstage.apis.trieve import jobs
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.apis.trieve.errors import RejectedRequest, TooManyItems
from soundstage.apis.trieve.model import format_time
from soundstage.apis.trieve.store import Dataset
from soundstage.types import JsonObject

MAX_GROUPS = 1000
"""Groups that one request may create."""

Memberships: TypeAlias = dict[str, list[str]]
"""The groups of a chunk: ``group_ids`` and ``group_tracking_ids``."""


def create_chunk_group(context: RequestContext) -> Response:
    """Create or upsert groups.

    A list of one group has the response of a single group, as at the real server.
    """
    dataset = resolve_dataset(context)
    payloads = context.body if isinstance(context.body, list) else [context.body]
    if len(payloads) > MAX_GROUPS:
        raise TooManyItems(f"Cannot create more than {MAX_GROUPS} chunk groups at a time")
    groups = _build_groups(dataset, payloads)
    for group in groups:
        dataset.put("groups", group)
    bodies = [_render_group(group) for group in groups]
    return Response(bodies[0] if len(bodies) == 1 else bodies)


def _build_groups(dataset: Dataset, payloads: list[JsonObject]) -> list[JsonObject]:
    """Return the groups that payloads describe.

    O(groups of the dataset) if there are tracking ids. Raises ``RejectedRequest`` for a
    tracking id that is taken.
    """
    existing = {}
    if any(payload.get("tracking_id") for payload in payloads):
        existing = dataset.index_by_tracking_id("groups")
    groups: list[JsonObject] = []
    used = set()
    for payload in payloads:
        group = build_group(dataset, payload)
        tracking_id = group["tracking_id"]
        if tracking_id is not None and tracking_id in used:
            raise RejectedRequest("Cannot create multiple groups with the same tracking_id")
        if old := existing.get(tracking_id):
            if not payload.get("upsert_by_tracking_id"):
                raise _build_conflict(dataset, tracking_id)
            # An upsert replaces all fields but these.
            group |= {name: old.get(name) for name in ("id", "created_at", "file_id")}
        used.add(tracking_id)
        groups.append(group)
    return groups


def _build_conflict(dataset: Dataset, tracking_id: str) -> RejectedRequest:
    return RejectedRequest(
        f"Key (dataset_id, tracking_id)=({dataset.id}, {tracking_id}) already exists."
    )


def build_group(dataset: Dataset, payload: JsonObject) -> JsonObject:
    """Return the group that a payload describes."""
    return {
        **dataset.new_record(),
        "name": payload.get("name") or "",
        "description": payload.get("description") or "",
        "tracking_id": payload.get("tracking_id") or None,
        "metadata": payload.get("metadata"),
        "tag_set": payload.get("tag_set"),
        "file_id": payload.get("file_id"),
    }


def _render_group(group: JsonObject) -> JsonObject:
    # ChunkGroup lacks the file_id, which only ChunkGroupAndFileId has.
    return {name: value for name, value in group.items() if name != "file_id"}


def get_chunk_group(context: RequestContext) -> Response:
    """Return a group, with the id of the file that it was created for."""
    return Response(_find_group(resolve_dataset(context)))


def _find_group(dataset: Dataset) -> JsonObject:
    return dataset.find("groups", dataset.context.parameters["group_id"])


def update_chunk_group(context: RequestContext) -> Response:
    """Update a group immediately; a job may then add its tags to its chunks.

    O(groups of the dataset) if there is a tracking id.
    """
    dataset, body = resolve_dataset(context), context.body
    tracking_id = body.get("tracking_id")
    old = dataset.find("groups", body.get("group_id"), tracking_id)
    if tracking_id:
        existing = dataset.index_by_tracking_id("groups")
        if existing.get(tracking_id, old)["id"] != old["id"]:
            raise _build_conflict(dataset, tracking_id)
    names = ("name", "description", "metadata", "tag_set", "tracking_id")
    changes = {name: body[name] for name in names if body.get(name) is not None}
    group = {**old, **changes, "updated_at": format_time(context.now)}
    dataset.put("groups", group)
    if body.get("update_chunks"):
        _propagate_tags(dataset, group)
    return Response(None, 204)


def _propagate_tags(dataset: Dataset, group: JsonObject) -> None:
    """Start the job that adds a group's tags to its chunks. O(chunks of the group)."""
    run = jobs.start(dataset, "group_update", group_id=group["id"])
    event_id = jobs.find_event_id(run, "group_chunks_updated", group_id=group["id"])
    if event_id is None:
        return
    for chunk in _list_chunks(dataset, group["id"]):
        old = chunk.get("tag_set") or []
        new = [tag for tag in group.get("tag_set") or () if tag not in old]
        changes = {"tag_set": [*old, *new], "updated_at": format_time(dataset.context.now)}
        dataset.schedule_change("chunks", chunk["id"], event_id, {**chunk, **changes})


def delete_chunk_group(context: RequestContext) -> Response:
    """Delete a group immediately, and its chunks if ``delete_chunks`` is true."""
    dataset = resolve_dataset(context)
    group = _find_group(dataset)
    delete_group(dataset, group, with_chunks=context.parameters["delete_chunks"])
    return Response(None, 204)


def delete_group(dataset: Dataset, group: JsonObject, *, with_chunks: bool) -> None:
    """Delete a group and its bookmarks, and its chunks too. O(chunks of the group)."""
    for chunk in _list_chunks(dataset, group["id"]) if with_chunks else ():
        dataset.delete("chunks", chunk["id"])
    for bookmark in _iter_bookmarks(dataset, group["id"]):
        dataset.delete("bookmarks", bookmark["id"])
    dataset.delete("groups", group["id"])


def add_chunk_to_group(context: RequestContext) -> Response:
    """Add a chunk to a group; nothing changes if it is in the group already."""
    dataset, body = resolve_dataset(context), context.body
    group = _find_group(dataset)
    chunk = dataset.find("chunks", body.get("chunk_id"), body.get("chunk_tracking_id"))
    add_bookmark(dataset, group["id"], chunk["id"])
    return Response(None, 204)


def remove_chunk_from_group(context: RequestContext) -> Response:
    """Remove a chunk from a group; the body or the query names the chunk."""
    dataset = resolve_dataset(context)
    group = _find_group(dataset)
    chunk_id = (context.body or {}).get("chunk_id")
    chunk_id = chunk_id or context.parameters.get("chunk_id")
    if not chunk_id:
        raise RejectedRequest("No chunk id provided")
    bookmark_id = f"{group['id']}/{chunk_id.lower()}"
    if context.collection("bookmarks").get(bookmark_id, context.now) is None:
        raise NotFound("chunks", chunk_id)
    dataset.delete("bookmarks", bookmark_id)
    return Response(None, 204)


def check_groups_exist(dataset: Dataset, payloads: Iterable[JsonObject]) -> None:
    """Raise ``NotFound`` if a payload of a chunk names a ``group_id`` that is missing.

    Missing groups of ``group_tracking_ids`` are created instead.
    """
    for group_id in {i for p in payloads for i in p.get("group_ids") or ()}:
        dataset.find("groups", group_id)


def add_to_groups(dataset: Dataset, chunk_id: str, payload: JsonObject) -> None:
    """Add a chunk to the groups of its payload; create those that are missing.

    O(groups of the dataset) if the payload has tracking ids of groups.
    """
    # A group may just have been created for another chunk of the same request.
    dataset = dataset.refreshed()
    for group_id in payload.get("group_ids") or ():
        add_bookmark(dataset, group_id.lower(), chunk_id)
    tracking_ids = payload.get("group_tracking_ids")
    if not tracking_ids:
        return
    existing = dataset.index_by_tracking_id("groups")
    for tracking_id in filter(None, tracking_ids):
        if tracking_id not in existing:
            group = build_group(dataset, {"tracking_id": tracking_id})
            dataset.put("groups", group)
            existing[tracking_id] = group
        add_bookmark(dataset, existing[tracking_id]["id"], chunk_id)


def add_bookmark(dataset: Dataset, group_id: str, chunk_id: str) -> None:
    """Put a chunk into a group."""
    # The id consists of both ids, so a second bookmark replaces the first one.
    document = {
        "id": f"{group_id}/{chunk_id}",
        "group_id": group_id,
        "chunk_id": chunk_id,
        "dataset_id": dataset.id,
    }
    dataset.put("bookmarks", document)


def _iter_bookmarks(dataset: Dataset, group_id: str) -> Iterable[JsonObject]:
    bookmarks = dataset.context.collection("bookmarks")
    return bookmarks.children(group_id, dataset.context.now)


def _list_chunks(dataset: Dataset, group_id: str) -> list[JsonObject]:
    """Return the visible chunks of a group. O(these)."""
    chunks = []
    for bookmark in _iter_bookmarks(dataset, group_id):
        # A bookmark is older than its chunk, and outlives it.
        try:
            chunks.append(dataset.find("chunks", bookmark["chunk_id"]))
        except NotFound:
            continue
    return chunks


def list_memberships(dataset: Dataset) -> dict[str, Memberships]:
    """Map the ids of a dataset's chunks to their groups. O(groups and their chunks)."""
    memberships: dict[str, Memberships] = {}
    for group in dataset.iter_visible("groups"):
        for bookmark in _iter_bookmarks(dataset, group["id"]):
            groups = memberships.setdefault(bookmark["chunk_id"], {})
            groups.setdefault("group_ids", []).append(group["id"])
            if tracking_id := group.get("tracking_id"):
                groups.setdefault("group_tracking_ids", []).append(tracking_id)
    return memberships
