"""OpenAPI Overlay 1.0: repairs of a vendor's document, kept apart from it."""

from copy import deepcopy
from typing import TypeAlias

from soundstage.openapi.errors import DocumentError
from soundstage.types import Json, JsonObject

Location: TypeAlias = tuple[str | int, ...]


def apply(document: JsonObject, overlay: JsonObject) -> JsonObject:
    """The document after every action, in order; the one given stays as it is.

    Raises ``DocumentError``, whose pointer leads into the overlay, for an action whose
    target matches nothing (a repair that the vendor has made needless) or is no
    JSONPath (RFC 9535).
    """
    result = deepcopy(document)
    for i, action in enumerate(overlay.get("actions", ())):
        pointer = f"/actions/{i}/target"
        targets = _find_targets(result, action["target"], pointer)
        if not targets:
            msg = f"{action['target']} matches nothing in the document"
            raise DocumentError(msg, pointer)
        for path in targets:
            if action.get("remove"):
                _remove(result, path)
            else:
                _update(result, path, action["update"])
    return result


def _find_targets(document: JsonObject, target: str, pointer: str) -> list[Location]:
    import jsonpath_rfc9535

    try:
        nodes = jsonpath_rfc9535.find(target, document)
    except jsonpath_rfc9535.JSONPathError as error:
        msg = f"{target} is no JSONPath: {error}"
        raise DocumentError(msg, pointer) from error
    # From the back, so that removing a list's item leaves the others in their places.
    return [node.location for node in nodes][::-1]


def _remove(document: JsonObject, path: Location) -> None:
    parent: Json = document
    for step in path[:-1]:
        parent = parent[step]
    del parent[path[-1]]


def _update(document: JsonObject, path: Location, update: Json) -> None:
    if not path:
        document.update(_merge(document, update))
        return
    parent: Json = document
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = _merge(parent[path[-1]], update)


def _merge(node: Json, update: Json) -> Json:
    if isinstance(node, dict) and isinstance(update, dict):
        changed = {
            key: _merge(node[key], value) if key in node else deepcopy(value)
            for key, value in update.items()
        }
        return {**node, **changed}
    if isinstance(node, list):
        return [*node, *deepcopy(update if isinstance(update, list) else [update])]
    return deepcopy(update)
