"""Where records stand in answers: the contract's schemas say so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from soundstage.openapi.body import essence
from soundstage.openapi.contract import Contract
from soundstage.openapi.document import resolved
from soundstage.openapi.errors import pointer_of
from soundstage.openapi.operation import Operation
from soundstage.openapi.router import Match, Router
from soundstage.openapi.schema import Schema
from soundstage.tools.recorder.archive import Heard
from soundstage.types import Document, Json
from soundstage.world.record import Kind, Vocabulary


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record as an answer shows it.

    ``view`` is where: what another view does not show is not gone. ``shown`` are the
    fields that may stand there. ``asked`` are the values in the path that was asked.
    """

    at: int
    kind: Kind
    document: Document
    view: str
    shown: frozenset[str]
    asked: frozenset[str]

    @property
    def id(self) -> str:
        """The record's own identifier."""
        return str(self.document[self.kind.id])

    def renamed(self, synonyms: Mapping[str, Mapping[str, str]]) -> "Sighting":
        """The sighting with states as fixtures call them, by ``kind.field``."""
        document = dict(self.document)
        for place, names in synonyms.items():
            kind, _, field = place.partition(".")
            if kind == self.kind.name and document.get(field) in names:
                document[field] = names[document[field]]
        return replace(self, document=document)


class Lookout:
    """Finds the records in answers: wherever the schema of a kind is reached."""

    def __init__(
        self,
        contract: Contract,
        vocabulary: Vocabulary,
        numbered: Mapping[str, tuple[str, str]],
    ) -> None:
        self._contract = contract
        self._numbered = numbered
        self._kinds: dict[str, Kind] = {}
        for kind in vocabulary.kinds.values():
            for pointer in self._forms(kind):
                self._kinds.setdefault(pointer, kind)
        self._router: Router[Operation] = Router()
        for operation in contract.operations.values():
            self._router.add(operation.method, operation.path, operation)
        self._schemas: dict[str, Schema] = {}

    def sightings(self, heard: Heard) -> Iterator[Sighting]:
        """The records in one answer, each once."""
        match = self._routed(heard)
        operation = match and match.methods.get(heard.method)
        if not match or not operation:
            return
        found = _said(self._contract.document, operation, heard)
        if found is None:
            return
        value, pointer = found
        asked = frozenset(match.values.values())
        seen: set[tuple[str, int]] = set()
        for place, document, trail in self._walk(value, pointer, operation.id):
            kind = self._kinds[place]
            key = (kind.name, id(document))
            named = self._named(kind, document, match.values)
            if key not in seen and isinstance(named.get(kind.id), str):
                seen.add(key)
                shown = frozenset(self._fields(place))
                yield Sighting(heard.at, kind, named, trail, shown, asked)

    def _named(
        self, kind: Kind, document: Document, asked: Mapping[str, str]
    ) -> Document:
        """The record with an identifier, and without what describes the answer."""
        named = {n: v for n, v in document.items() if n != "$schema"}
        if kind.name in self._numbered:
            number = named.pop(self._numbered[kind.name][1], None)
            if number is not None:
                named[kind.id] = "/".join([*asked.values(), str(number)])
        return named

    def _schema(self, kind: Kind) -> str:
        """The pointer to what answers show of a kind; empty for nothing."""
        pointer, _ = self._numbered.get(kind.name, (kind.schema or "", ""))
        return pointer.removeprefix("#")

    def _forms(self, kind: Kind) -> Iterator[str]:
        """The schema of a kind, and those that it is made of and that have its id.

        What is kept of a record may be more than is ever answered.
        """
        if not (schema := self._schema(kind)):
            return
        places = [schema]
        yield places[0]
        while places:
            pointer = places.pop(0)
            node = resolved(self._contract.document, pointer)
            if kind.id in node.get("properties", {}):
                yield pointer
            if "$ref" in node:
                places.append(node["$ref"].removeprefix("#"))
            places += [
                f"{pointer}/allOf/{i}" for i in range(len(node.get("allOf", ())))
            ]

    def fields(self, kind: Kind) -> frozenset[str]:
        """The fields that the contract says a record of this kind has."""
        pointer = self._schema(kind)
        return frozenset(self._fields(pointer)) if pointer else frozenset()

    def _routed(self, heard: Heard) -> Match[Operation] | None:
        """The operation, behind whatever stands before its path."""
        path = heard.path
        while True:
            match = self._router.find(path, heard.method)
            if match and heard.method in match.methods:
                return match
            head, slash, rest = path[1:].partition(b"/")
            if not slash or not head:
                return None
            path = b"/" + rest

    def _walk(
        self, value: Json, pointer: str, trail: str, *passed: str
    ) -> Iterator[tuple[str, Document, str]]:
        """Every record in a value, with its schema and the way to it.

        ``passed`` are the schemas that the value was held against.
        """
        if pointer in passed or not isinstance(value, dict | list):
            return
        node = resolved(self._contract.document, pointer)
        if not isinstance(node, dict):
            return
        if isinstance(value, dict) and pointer in self._kinds:
            yield pointer, value, trail
        for branch in self._branches(value, node, pointer):
            yield from self._walk(value, branch, trail, *passed, pointer)
        for inner, place, step in _parts(value, node, pointer):
            yield from self._walk(inner, place, f"{trail}{step}")

    def _branches(self, value: Json, node: Document, pointer: str) -> Iterator[str]:
        """The schemas that hold for the same value."""
        if "$ref" in node:
            yield str(node["$ref"]).removeprefix("#")
        for i in range(len(node.get("allOf", ()))):
            yield f"{pointer}/allOf/{i}"
        for key in ("anyOf", "oneOf"):
            for i in range(len(node.get(key, ()))):
                if self._is_valid(value, f"{pointer}/{key}/{i}"):
                    yield f"{pointer}/{key}/{i}"

    def _is_valid(self, value: Json, pointer: str) -> bool:
        if pointer not in self._schemas:
            self._schemas[pointer] = self._contract.schema(pointer)
        return bool(self._schemas[pointer].is_valid(value))

    def _fields(self, pointer: str, *passed: str) -> Iterator[str]:
        node = resolved(self._contract.document, pointer)
        if not isinstance(node, dict) or pointer in passed:
            return
        yield from node.get("properties", {})
        places = [str(node["$ref"]).removeprefix("#")] if "$ref" in node else []
        for key in ("allOf", "anyOf", "oneOf"):
            places += [f"{pointer}/{key}/{i}" for i in range(len(node.get(key, ())))]
        for place in places:
            yield from self._fields(place, *passed, pointer)


def _said(
    document: Document, operation: Operation, heard: Heard
) -> tuple[Json, str] | None:
    """The value of an answer, and the pointer of its schema; None if it has none."""
    status = heard.status
    keys = (str(status), f"{status // 100}XX", "default")
    key = next((key for key in keys if key in operation.answers), None)
    content = operation.answers.get(key or "", {}).get(essence(heard.media_type))
    if content is None:
        return None
    try:
        value = content.read(heard.body)
    except ValueError:
        return None
    place = f"{operation.pointer}/responses/{key}"
    while "$ref" in (node := resolved(document, place)):
        place = node["$ref"].removeprefix("#")
    return value, f"{place}{pointer_of(('content', content.media_type, 'schema'))}"


def _parts(
    value: Json, node: Document, pointer: str
) -> Iterator[tuple[Json, str, str]]:
    """What is inside a value, each with its schema's pointer and the way to it."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in node.get("properties", {}):
                yield inner, f"{pointer}{pointer_of(('properties', name))}", f".{name}"
            elif isinstance(node.get("additionalProperties"), dict):
                yield inner, f"{pointer}/additionalProperties", f".{name}"
        return
    first = len(node.get("prefixItems", ()))
    for i, inner in enumerate(value):
        if i < first:
            yield inner, f"{pointer}/prefixItems/{i}", "[]"
        elif isinstance(node.get("items"), dict):
            yield inner, f"{pointer}/items", "[]"
