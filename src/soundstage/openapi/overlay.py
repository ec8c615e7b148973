"""OpenAPI Overlay 1.0: corrections of a vendor's document, in a file of their own."""

from copy import deepcopy
from typing import TypeAlias

from soundstage.openapi.errors import DocumentError
from soundstage.types import Json, JsonObject

Location: TypeAlias = tuple[str | int, ...]
"""The steps from the root of a document to a node."""


def apply(document: JsonObject, overlay: JsonObject) -> JsonObject:
    """Return the document with all actions of the overlay applied, in order.

    The document itself is not changed. Raises ``DocumentError``, whose pointer is one
    into the overlay, for a target that is not a JSONPath (RFC 9535), or that matches
    nothing: the vendor has made that correction unnecessary.

    >>> action = {"target": "$.info", "update": {"title": "Runs"}}
    >>> apply({"info": {"version": "1"}}, {"actions": [action]})
    {'info': {'version': '1', 'title': 'Runs'}}
    """
    result = deepcopy(document)
    for i, action in enumerate(overlay.get("actions", ())):
        pointer = f"/actions/{i}/target"
        targets = _find_targets(result, action["target"], pointer)
        if not targets:
            msg = f"{action['target']} matches nothing in the document"
            raise DocumentError(msg, pointer)
        for location in targets:
            if action.get("remove"):
                _remove(result, location)
            else:
                _update(result, location, action["update"])
    return result


def _find_targets(document: JsonObject, target: str, pointer: str) -> list[Location]:
    import jsonpath_rfc9535

    try:
        nodes = jsonpath_rfc9535.find(target, document)
    except jsonpath_rfc9535.JSONPathError as error:
        msg = f"{target} is not a JSONPath: {error}"
        raise DocumentError(msg, pointer) from error
    # Last first: removing an item of a list changes the index of those after it.
    return [node.location for node in nodes][::-1]


def _remove(document: JsonObject, location: Location) -> None:
    del _parent(document, location)[location[-1]]


def _update(document: JsonObject, location: Location, update: Json) -> None:
    if not location:
        document.update(_merge(document, update))
        return
    parent = _parent(document, location)
    parent[location[-1]] = _merge(parent[location[-1]], update)


def _parent(document: JsonObject, location: Location) -> Json:
    node: Json = document
    for step in location[:-1]:
        node = node[step]
    return node


def _merge(node: Json, update: Json) -> Json:
    """Merge objects recursively, append to lists, replace everything else."""
    if isinstance(node, dict) and isinstance(update, dict):
        changed = {
            key: _merge(node[key], value) if key in node else deepcopy(value)
            for key, value in update.items()
        }
        return {**node, **changed}
    if isinstance(node, list):
        return [*node, *deepcopy(update if isinstance(update, list) else [update])]
    return deepcopy(update)
