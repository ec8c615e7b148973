"""Groups of chunks, and which chunk is in which."""

from collections.abc import Iterable
from typing import TypeAlias

from soundstage.apis.api import NotFound, RequestContext, Response
from soundstage.apis.trieve import jobs, store
from soundstage.apis.trieve.access import resolve_dataset
from soundstage.apis.trieve.errors import RejectedRequest, TooManyItems
from soundstage.apis.trieve.model import format_time
from soundstage.types import Document
from soundstage.world.ids import uuid

MAX_GROUPS = 1000

Memberships: TypeAlias = dict[str, list[str]]
"""The groups of a chunk: ``group_ids`` and ``group_tracking_ids``."""


def create_chunk_group(context: RequestContext) -> Response:
    """New groups; a single one is answered as itself, even if sent as a list."""
    dataset = resolve_dataset(context)
    payloads = context.body if isinstance(context.body, list) else [context.body]
    if len(payloads) > MAX_GROUPS:
        raise TooManyItems(
            f"Cannot create more than {MAX_GROUPS} chunk groups at a time"
        )
    made = _build_groups(context, dataset, payloads)
    for group in made:
        store.put(context, "groups", group)
    shown = [_render_group(group) for group in made]
    return Response(shown[0] if len(shown) == 1 else shown)


def _build_groups(
    context: RequestContext, dataset: Document, payloads: list[Document]
) -> list[Document]:
    """The groups as they will be. Raises ``BadRequest`` for a taken tracking id.

    O(groups of the dataset) where there are tracking ids.
    """
    taken = {}
    if any(payload.get("tracking_id") for payload in payloads):
        taken = store.index_by_tracking_id(context, "groups", dataset)
    made, seen = [], set()
    for payload in payloads:
        group = build_group(context, dataset, payload)
        tracking_id = group["tracking_id"]
        if tracking_id is not None and tracking_id in seen:
            raise RejectedRequest(
                "Cannot create multiple groups with the same tracking_id"
            )
        if old := taken.get(tracking_id):
            if not payload.get("upsert_by_tracking_id"):
                raise RejectedRequest(
                    "Key (dataset_id, tracking_id)="
                    f"({dataset['id']}, {tracking_id}) already exists."
                )
            kept = ("id", "created_at", "file_id")
            group = {**group, **{name: old.get(name) for name in kept}}
        seen.add(tracking_id)
        made.append(group)
    return made


def build_group(
    context: RequestContext, dataset: Document, payload: Document
) -> Document:
    """The group that a request asks for."""
    moment = format_time(context.now)
    return {
        "id": context.new_id(uuid),
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


def _render_group(group: Document) -> Document:
    return {name: value for name, value in group.items() if name != "file_id"}


def get_chunk_group(context: RequestContext) -> Response:
    """A group, with the file that it came of."""
    return Response(_find_group(context, resolve_dataset(context)))


def _find_group(context: RequestContext, dataset: Document) -> Document:
    return store.find_by_id(context, "groups", context.parameters["group_id"], dataset)


def update_chunk_group(context: RequestContext) -> Response:
    """Change a group, at once; its chunks get its tags when a worker says so.

    O(groups of the dataset) where there are tracking ids.
    """
    dataset, given = resolve_dataset(context), context.body
    group_id, tracking_id = given.get("group_id"), given.get("tracking_id")
    if group_id is not None:
        old = store.find_by_id(context, "groups", group_id, dataset)
    else:
        old = store.find_by_tracking_id(context, "groups", tracking_id, dataset)
    if tracking_id:
        holder = store.index_by_tracking_id(context, "groups", dataset).get(
            tracking_id, old
        )
        if holder["id"] != old["id"]:
            raise RejectedRequest(
                f"Key (dataset_id, tracking_id)=({dataset['id']}, {tracking_id}) "
                "already exists."
            )
    names = ("name", "description", "metadata", "tag_set", "tracking_id")
    changed = {name: given[name] for name in names if given.get(name) is not None}
    group = {**old, **changed, "updated_at": format_time(context.now)}
    store.put(context, "groups", group)
    if given.get("update_chunks"):
        _propagate_tags(context, dataset, group)
    return Response(None, 204)


def _propagate_tags(
    context: RequestContext, dataset: Document, group: Document
) -> None:
    """Append a group's tags to those of its chunks. O(chunks of the group)."""
    run = jobs.start(context, dataset, "group_update", group_id=group["id"])
    event = jobs.find_event_id(run, "group_chunks_updated", group_id=group["id"])
    if event is None:
        return
    for chunk in _list_chunks(context, dataset, group["id"]):
        had = chunk.get("tag_set") or []
        more = [tag for tag in group.get("tag_set") or [] if tag not in had]
        new = {
            **chunk,
            "tag_set": [*had, *more],
            "updated_at": format_time(context.now),
        }
        store.schedule_change(context, "chunks", chunk["id"], event, new)


def delete_chunk_group(context: RequestContext) -> Response:
    """Delete a group, at once; with its chunks if that is asked for."""
    dataset = resolve_dataset(context)
    group = _find_group(context, dataset)
    delete_group(
        context, dataset, group, with_chunks=context.parameters["delete_chunks"]
    )
    return Response(None, 204)


def delete_group(
    context: RequestContext, dataset: Document, group: Document, *, with_chunks: bool
) -> None:
    """Delete a group and what is in it, or only that it is. O(chunks of the group)."""
    for chunk in _list_chunks(context, dataset, group["id"]) if with_chunks else ():
        store.delete(context, "chunks", chunk["id"])
    for bookmark in context.collection("bookmarks").children(group["id"], context.now):
        store.delete(context, "bookmarks", bookmark["id"])
    store.delete(context, "groups", group["id"])


def add_chunk_to_group(context: RequestContext) -> Response:
    """Put a chunk into a group; nothing happens to one that is in it."""
    dataset, given = resolve_dataset(context), context.body
    group = _find_group(context, dataset)
    if given.get("chunk_id") is not None:
        chunk = store.find_by_id(context, "chunks", given["chunk_id"], dataset)
    else:
        chunk = store.find_by_tracking_id(
            context, "chunks", given["chunk_tracking_id"], dataset
        )
    add_bookmark(context, group["id"], chunk["id"], dataset)
    return Response(None, 204)


def remove_chunk_from_group(context: RequestContext) -> Response:
    """Take a chunk out of a group; it is named by the body, or by the query."""
    dataset = resolve_dataset(context)
    group = _find_group(context, dataset)
    chunk_id = (context.body or {}).get("chunk_id") or context.parameters.get(
        "chunk_id"
    )
    if not chunk_id:
        raise RejectedRequest("No chunk id provided")
    bookmark_id = f"{group['id']}/{chunk_id.lower()}"
    if context.collection("bookmarks").get(bookmark_id, context.now) is None:
        raise NotFound("chunks", chunk_id)
    store.delete(context, "bookmarks", bookmark_id)
    return Response(None, 204)


def check_groups_exist(
    context: RequestContext, dataset: Document, payloads: Iterable[Document]
) -> None:
    """Raise ``NotFound`` for a group that a chunk is to be in and that is not there.

    Only those with a tracking id are made as they are needed.
    """
    for group_id in {i for p in payloads for i in p.get("group_ids") or ()}:
        store.find_by_id(context, "groups", group_id, dataset)


def add_to_groups(
    context: RequestContext, dataset: Document, chunk_id: str, payload: Document
) -> None:
    """Put a chunk into the groups that a request names, new ones if need be.

    O(groups of the dataset) where they are named by tracking id.
    """
    context = context.refreshed()  # a group may have been made for the chunk before
    for group_id in payload.get("group_ids") or ():
        add_bookmark(context, group_id.lower(), chunk_id, dataset)
    if names := payload.get("group_tracking_ids"):
        known = store.index_by_tracking_id(context, "groups", dataset)
        for tracking_id in filter(None, names):
            group = known.get(tracking_id)
            if group is None:
                group = build_group(context, dataset, {"tracking_id": tracking_id})
                store.put(context, "groups", group)
                known[tracking_id] = group
            add_bookmark(context, group["id"], chunk_id, dataset)


def add_bookmark(
    context: RequestContext, group_id: str, chunk_id: str, dataset: Document
) -> None:
    """Let a chunk be in a group; it may already be."""
    document = {
        "id": f"{group_id}/{chunk_id}",
        "group_id": group_id,
        "chunk_id": chunk_id,
        "dataset_id": dataset["id"],
    }
    store.put(context, "bookmarks", document)


def _list_chunks(
    context: RequestContext, dataset: Document, group_id: str
) -> list[Document]:
    """The chunks of a group that are there now. O(those)."""
    found = []
    for bookmark in context.collection("bookmarks").children(group_id, context.now):
        try:
            found.append(
                store.find_by_id(context, "chunks", bookmark["chunk_id"], dataset)
            )
        except NotFound:
            continue
    return found


def list_memberships(
    context: RequestContext, dataset: Document
) -> dict[str, Memberships]:
    """The groups of each chunk of a dataset. O(groups and their chunks)."""
    places: dict[str, Memberships] = {}
    for group in store.list_visible(context, "groups", dataset):
        for bookmark in context.collection("bookmarks").children(
            group["id"], context.now
        ):
            place = places.setdefault(bookmark["chunk_id"], {})
            place.setdefault("group_ids", []).append(group["id"])
            if group.get("tracking_id"):
                names = place.setdefault("group_tracking_ids", [])
                names.append(group["tracking_id"])
    return places
