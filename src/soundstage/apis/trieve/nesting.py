"""How deep JSON may be nested."""

from soundstage.types import Json

MAX_DEPTH = 127
"""How deep the real server's parser (serde_json) goes."""


def is_too_deep(value: Json) -> bool:
    """Whether a value is nested more deeply than the real server reads. O(value)."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [inner for node in level for inner in _list_children(node)]
        if not level:
            return False
    return True


def _list_children(node: Json) -> list[Json]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []
