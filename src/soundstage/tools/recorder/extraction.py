"""Records in the responses of an archive, found by the schemas of the contract."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from soundstage.apis.registry import Service
from soundstage.exchange.har import read_har
from soundstage.exchange.recorded import RecordedExchange
from soundstage.openapi.body import EVENT_STREAM, essence
from soundstage.openapi.document import resolve_pointer
from soundstage.openapi.errors import format_pointer
from soundstage.openapi.operation import Operation
from soundstage.openapi.router import Match, Router
from soundstage.tools.recorder import UnusableRecording
from soundstage.types import Json, JsonObject
from soundstage.world.record import RecordType


def read_archive(path: Path) -> list[RecordedExchange]:
    """Return the exchanges that have a response, by the time at which it was complete.

    Raises ``UnusableRecording``.
    """
    try:
        exchanges = read_har(orjson.loads(path.read_bytes()))
    except OSError as error:
        raise UnusableRecording(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        reason = str(error).removeprefix("is no HTTP Archive: ")
        raise UnusableRecording(f"{path} is no HTTP Archive: {reason}") from error
    if any(one.timestamp is None for one in exchanges):
        raise UnusableRecording(f"{path}: an exchange has no valid startedDateTime")
    return sorted((one for one in exchanges if one.status), key=_observation_time)


def _observation_time(exchange: RecordedExchange) -> int:
    # Most responses take no time. A stream of events is observed at its end.
    is_stream = essence(exchange.response_type) == EVENT_STREAM
    return (exchange.timestamp or 0) + is_stream * max(0, exchange.duration_ms)


@dataclass(frozen=True, slots=True)
class ObservedRecord:
    """A record as a response shows it.

    ``view`` is its place in the responses of an operation, ``view_fields`` are those that its
    schema there has; ``path_values`` come from the path of the request.
    """

    timestamp: int
    record_type: RecordType
    document: JsonObject
    view: str
    view_fields: frozenset[str]
    path_values: frozenset[str]

    @property
    def id(self) -> str:
        """The record's identifier."""
        return str(self.document[self.record_type.id_field])


class RecordExtractor:
    """Extracts records from responses, wherever the schema of a record is reached.

    ``fields`` has those that the contract gives to records of a type, if it has a schema.
    """

    def __init__(self, service: Service) -> None:
        self._document = service.contract.document
        self._api = service.api
        self._schema = cache(service.contract.response_schema)
        self._record_types: dict[str, RecordType] = {}
        self.fields: dict[str, frozenset[str]] = {}
        for record_type in service.fixture.definitions.model.record_types.values():
            # The schema may be of what is stored, of which responses show a part.
            numbered = service.api.numbered_records.get(record_type.name)
            root = (numbered[0] if numbered else record_type.schema or "").removeprefix("#")
            if not root:
                continue
            self.fields[record_type.name] = self._fields(root)
            for pointer, node in self._schemas(root, lambda _: False).items():
                if pointer == root or record_type.id_field in node.get("properties", {}):
                    self._record_types.setdefault(pointer, record_type)
        self._router: Router[Operation] = Router()
        for operation in service.contract.operations.values():
            self._router.add(operation.method, operation.path, operation)

    def extract(self, exchange: RecordedExchange) -> Iterator[ObservedRecord]:
        """Yield the records in one response, each once."""
        match = self._find_operation(exchange)
        operation = match and match.methods[exchange.method]
        status = operation and operation.response_key(exchange.status)
        if not match or not operation or not status:
            return
        if not (content := operation.responses[status].get(essence(exchange.response_type))):
            return
        try:
            body = content.parse(exchange.response_body)
        except ValueError:
            return
        # Pointers identify schemas, so those through a reference must be resolved.
        *_, pointer = self._schemas(f"{operation.pointer}/responses/{status}")
        pointer += format_pointer(("content", content.media_type, "schema"))
        timestamp, values = _observation_time(exchange), frozenset(match.values.values())
        # The same object may match several schemas of one type of record.
        seen: set[tuple[str, int]] = set()
        for place, value, view in self._walk(body, pointer, operation.id):
            record_type = self._record_types[place]
            document = self._normalize(record_type, value, match.values)
            key = (record_type.name, id(value))
            if key not in seen and isinstance(document.get(record_type.id_field), str):
                seen.add(key)
                fields = self._fields(place)
                yield ObservedRecord(timestamp, record_type, document, view, fields, values)

    def _find_operation(self, exchange: RecordedExchange) -> Match[Operation] | None:
        """Match the path or the end of it: the server may be mounted anywhere."""
        segments = urlsplit(exchange.url).path.split("/")
        for i in range(1, len(segments)):
            path = "/" + "/".join(segments[i:])
            match = self._router.find(path.encode(), exchange.method)
            if match and exchange.method in match.methods:
                return match
        return None

    def _normalize(
        self, record_type: RecordType, document: JsonObject, path_values: Mapping[str, str]
    ) -> JsonObject:
        """Return the record with an identifier, and states as the fixture has them."""
        # "$schema" is a link that describes the response, not the record.
        result = {n: v for n, v in document.items() if n != "$schema"}
        if record_type.name in self._api.numbered_records:
            number = result.pop(self._api.numbered_records[record_type.name][1], None)
            if number is not None:
                result[record_type.id_field] = "/".join([*path_values.values(), str(number)])
        for place, names in self._api.state_aliases.items():
            name, _, field = place.partition(".")
            if name == record_type.name and result.get(field) in names:
                result[field] = names[result[field]]
        return result

    def _schemas(
        self, pointer: str, is_chosen: Callable[[str], bool] = lambda _: True
    ) -> dict[str, JsonObject]:
        """Return the schemas that apply to a value of this one, by their pointers.

        An alternative (``anyOf``, ``oneOf``) applies if it ``is_chosen``.
        """
        result: dict[str, JsonObject] = {}
        pointers = [pointer]
        while pointers:
            if (pointer := pointers.pop()) in result:
                continue
            try:
                node = resolve_pointer(self._document, pointer)
            except KeyError:
                node = {}
            # Anything else, such as ``true``, accepts any value.
            result[pointer] = node = node if isinstance(node, dict) else {}
            branches = [node["$ref"].removeprefix("#")] if "$ref" in node else []
            for keyword in ("allOf", "anyOf", "oneOf"):
                places = [f"{pointer}/{keyword}/{i}" for i in range(len(node.get(keyword, ())))]
                branches += [one for one in places if keyword == "allOf" or is_chosen(one)]
            pointers += reversed(branches)
        return result

    def _walk(self, value: Json, pointer: str, view: str) -> Iterator[tuple[str, JsonObject, str]]:
        """Yield each record in a value: pointer of its schema, document, view."""
        if not isinstance(value, dict | list):
            return
        schemas = self._schemas(pointer, lambda branch: self._schema(branch).is_valid(value))
        if isinstance(value, list):
            for place in schemas:
                for inner in value:
                    yield from self._walk(inner, f"{place}/items", f"{view}[]")
            return
        yield from ((place, value, view) for place in schemas if place in self._record_types)
        for place, node in schemas.items():
            for name, inner in value.items():
                is_known = name in node.get("properties", {})
                parts = ("properties", name) if is_known else ("additionalProperties",)
                yield from self._walk(inner, place + format_pointer(parts), f"{view}.{name}")

    def _fields(self, pointer: str) -> frozenset[str]:
        nodes = self._schemas(pointer).values()
        return frozenset(name for node in nodes for name in node.get("properties", {}))
