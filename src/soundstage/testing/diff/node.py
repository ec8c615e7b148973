"""Places of a document, with the JSON pointers that lead there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from soundstage.contract.document import resolved
from soundstage.contract.violation import DocumentError, pointer_of
from soundstage.types import Document, Json


@dataclass(frozen=True, slots=True)
class Node:
    """A value in a document, old or new."""

    document: Document
    which: str
    pointer: str
    value: Json

    def step(self, key: str | int) -> "Node":
        """What is under a key that is there."""
        pointer = self.pointer + pointer_of((key,))
        return Node(self.document, self.which, pointer, self.value[key])

    def get(self, *keys: str) -> "Node | None":
        """What is under these keys, references followed; None if it is not there."""
        node = self.followed()
        for key in keys:
            if not isinstance(node.value, Mapping) or key not in node.value:
                return None
            node = node.step(key).followed()
        return node

    def field(self, key: str, default: Json = None) -> Json:
        """The value under a key."""
        value = self.followed().value
        return value.get(key, default) if isinstance(value, Mapping) else default

    def items(self, *keys: str) -> Iterator[tuple[str, "Node"]]:
        """The members of the object under these keys, references followed."""
        node = self.get(*keys)
        if node is not None and isinstance(node.value, Mapping):
            for key in node.value:
                if not key.startswith("x-"):
                    yield key, node.step(key).followed()

    def list(self, *keys: str) -> Iterator["Node"]:
        """The members of the list under these keys, references followed."""
        node = self.get(*keys)
        if node is not None and isinstance(node.value, list):
            for i in range(len(node.value)):
                yield node.step(i).followed()

    def followed(self) -> "Node":
        """Where its reference leads, if it is one. Raises ``DocumentError``."""
        node, met = self, {self.pointer}
        while isinstance(node.value, Mapping) and isinstance(
            node.value.get("$ref"), str
        ):
            node = node.target()
            if node.pointer in met:
                raise DocumentError("this reference leads to itself", self.pointer)
            met.add(node.pointer)
        return node

    def target(self) -> "Node":
        """Where its reference leads. Raises ``DocumentError``."""
        reference = unquote(self.value["$ref"])
        if not reference.startswith("#"):
            message = f"only references within the document are followed: {reference}"
            raise DocumentError(message, self.pointer)
        try:
            value = resolved(self.document, reference)
        except KeyError:
            raise DocumentError(f"{reference} leads nowhere", self.pointer) from None
        return Node(self.document, self.which, reference[1:], value)
