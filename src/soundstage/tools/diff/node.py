"""Nodes of an OpenAPI document that know their JSON pointer."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from soundstage.openapi.document import follow_reference
from soundstage.openapi.errors import DocumentError, format_pointer
from soundstage.types import Json, JsonObject


@dataclass(frozen=True, slots=True)
class DocumentNode:
    """A value in a document. ``revision`` is ``"old"`` or ``"new"``."""

    document: JsonObject
    revision: str
    pointer: str
    value: Json

    def child(self, key: str | int) -> "DocumentNode":
        """Return the child under a key. Raises ``KeyError`` if it is missing."""
        pointer = self.pointer + format_pointer((key,))
        return DocumentNode(self.document, self.revision, pointer, self.value[key])

    def get(self, *keys: str) -> "DocumentNode | None":
        """Return the node under these keys, references resolved, or ``None``."""
        node = self.resolve()
        for key in keys:
            if not isinstance(node.value, Mapping) or key not in node.value:
                return None
            node = node.child(key).resolve()
        return node

    def get_value(self, key: str, default: Json = None) -> Json:
        """Return the value of a key, or the default."""
        value = self.resolve().value
        return value.get(key, default) if isinstance(value, Mapping) else default

    def iter_members(self, *keys: str) -> Iterator[tuple[str, "DocumentNode"]]:
        """Iterate over the members of an object, without extensions (``x-``)."""
        node = self.get(*keys)
        if node is not None and isinstance(node.value, Mapping):
            for key in node.value:
                if not key.startswith("x-"):
                    yield key, node.child(key).resolve()

    def iter_list(self, *keys: str) -> Iterator["DocumentNode"]:
        """Iterate over the members of a list."""
        node = self.get(*keys)
        if node is not None and isinstance(node.value, list):
            for i in range(len(node.value)):
                yield node.child(i).resolve()

    def resolve(self) -> "DocumentNode":
        """Follow references, also repeated ones. Raises ``DocumentError``."""
        node, visited = self, {self.pointer}
        while isinstance(node.value, Mapping) and isinstance(node.value.get("$ref"), str):
            node = node.dereference()
            if node.pointer in visited:
                raise DocumentError("this reference refers to itself", self.pointer)
            visited.add(node.pointer)
        return node

    def dereference(self) -> "DocumentNode":
        """Return the target of a ``$ref`` node. Raises ``DocumentError``."""
        reference = self.value["$ref"]
        value = follow_reference(self.document, reference, self.pointer)
        pointer = unquote(reference).removeprefix("#")
        return DocumentNode(self.document, self.revision, pointer, value)
