"""Coverage of contracts by exchanges: operations, statuses, parameters, enum values.

Exchanges are counted late, when the coverage is read or many are pending, so that a
request does not pay for it. A journal that drops old exchanges has counted them.
"""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from soundstage.exchange.exchange import RawExchange, get_media_type
from soundstage.openapi.body import EVENT_STREAM, Content, essence
from soundstage.openapi.contract import Contract
from soundstage.openapi.enums import EnumValue
from soundstage.openapi.errors import UnsupportedMediaType
from soundstage.openapi.operation import Operation
from soundstage.openapi.parameters import Headers, Parameter, parse_cookies, parse_query
from soundstage.openapi.schema import Schema
from soundstage.types import Json

REQUEST_BODY, RESPONSE_PREFIX = "body", "answer."
"""Locations of enum values; that of a response ends with its status."""

MAX_REMEMBERED = 1_000
"""Exchanges that an operation remembers, so that a repeated one is not parsed again."""

MAX_PENDING = 250
"""Exchanges that wait to be counted before a batch of them is."""

BATCH_SIZE = 32
"""Exchanges counted together, which is faster than one with each request."""

ParsedBodies = tuple[Json, Json]
"""Values of the bodies of a request and a response; None if it has none."""

UncoveredValues = dict[str, dict[EnumValue, bytes]]
"""Values by location, each with bytes that occur in each body that contains it."""


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """Coverage of one operation.

    Statuses are keys of the contract (``200``, ``4XX``, ``default``), those that it
    lacks are ``undocumented_statuses``. Parameters are locations (``query.page``);
    values are those of the enums in parameters, request bodies and responses.
    """

    api: str
    operation: str
    method: str
    path: str
    calls: int
    statuses: tuple[str, ...]
    uncovered_statuses: tuple[str, ...]
    undocumented_statuses: tuple[str, ...]
    parameters: tuple[str, ...]
    uncovered_parameters: tuple[str, ...]
    values: tuple[EnumValue, ...]
    uncovered_values: tuple[EnumValue, ...]


class Coverage:
    """Counts the exchanges of one world, or of several, by operation."""

    def __init__(self) -> None:
        self.counters: dict[tuple[str | None, str], OperationCounter] = {}
        self.pending: deque[RawExchange] = deque()

    def count(self, exchange: RawExchange, bodies: ParsedBodies | None = None) -> None:
        """Count one exchange, now or later; ``bodies`` if those of it are truncated."""
        if exchange.operation is None:
            return
        if bodies is not None:
            # Truncated bodies cannot be parsed later.
            self._get_counter(exchange.api, exchange.operation).count(exchange, bodies)
            return
        # A pending exchange only refers to objects that the journal stores as well.
        self.pending.append(exchange)
        if len(self.pending) > MAX_PENDING + BATCH_SIZE:
            for _ in range(BATCH_SIZE):
                self._count_oldest()

    def add(self, other: "Coverage") -> None:
        """Add the counts of another coverage of the same contracts."""
        for (api, _), counter in other.counters.items():
            self._get_counter(api, counter.operation).add(counter)
        for exchange in other.pending:
            self.count(exchange)

    def summarize(self, contracts: Iterable[Contract]) -> list[OperationCoverage]:
        """Return the coverage of each operation of these contracts."""
        while self.pending:
            self._count_oldest()
        return [
            _summarize(
                contract.name,
                self.counters.get((contract.name, operation.id)) or OperationCounter(operation),
            )
            for contract in contracts
            for operation in contract.operations.values()
        ]

    def _count_oldest(self) -> None:
        exchange = self.pending.popleft()
        if exchange.operation:
            self._get_counter(exchange.api, exchange.operation).count(exchange)

    def _get_counter(self, api: str | None, operation: Operation) -> "OperationCounter":
        counter = self.counters.get((api, operation.id))
        if counter is None:
            counter = self.counters[api, operation.id] = OperationCounter(operation)
        return counter


def _summarize(api: str, counter: "OperationCounter") -> OperationCoverage:
    operation = counter.operation
    keys = {s: operation.response_key(s) for s in counter.statuses if s}
    covered, uncovered = {*keys.values()}, counter.uncovered_values()
    return OperationCoverage(
        api,
        operation.id,
        operation.method,
        operation.path,
        counter.statuses.total(),
        tuple(key for key in operation.responses if key in covered),
        tuple(key for key in operation.responses if key not in covered),
        tuple(str(status) for status, key in sorted(keys.items()) if key is None),
        tuple(at for at in counter.parameters if at not in counter.uncovered_parameters),
        tuple(counter.uncovered_parameters),
        tuple(value for value in counter.values if value not in uncovered),
        tuple(value for value in counter.values if value in uncovered),
    )


class OperationCounter:
    """Counts the exchanges of one operation.

    A parameter is covered when it is sent, even in an invalid request; its value only
    in a valid one. Values in responses always count.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.statuses: Counter[int | None] = Counter()
        self.parameters = {p.qualified_name: p for p in operation.parameters}
        self.uncovered_parameters = [*self.parameters]
        self.uncovered_by_location = _collect_enum_values(operation)
        self.values = tuple(self.uncovered_values())
        self._header_names = [*_find_relevant_headers(operation)]
        self._counted_keys: set[int] = set()
        self._last_key: tuple[object, ...] = ()

    def uncovered_values(self) -> dict[EnumValue, None]:
        """Return those of ``values`` that no exchange has contained, in order."""
        return {value: None for values in self.uncovered_by_location.values() for value in values}

    def add(self, other: "OperationCounter") -> None:
        """Add the counts of another counter of the same operation."""
        self.statuses += other.statuses
        uncovered = other.uncovered_parameters
        self.uncovered_parameters = [
            location for location in self.uncovered_parameters if location in uncovered
        ]
        for location, values in [*self.uncovered_by_location.items()]:
            remaining = other.uncovered_by_location.get(location, {})
            for value in values.keys() - remaining.keys():
                self._cover(location, value)

    def count(self, exchange: RawExchange, bodies: tuple[Json, Json] | None = None) -> None:
        """Count one exchange; ``bodies`` are the parsed ones if those are truncated."""
        self.statuses[exchange.status] += 1
        if self._is_repeated(exchange):
            return
        self._count_parameters(exchange)
        request_value, response_value = bodies or (None, None)
        if content := self._request_content(exchange):
            raw = exchange.request_body
            self._count_body(REQUEST_BODY, content, raw, request_value)
        key = self.operation.response_key(exchange.status) if exchange.status else None
        if key and RESPONSE_PREFIX + key in self.uncovered_by_location:
            media_type = essence(get_media_type(exchange.response_headers))
            if content := self.operation.responses[key].get(media_type):
                raw = exchange.response_body
                self._count_body(RESPONSE_PREFIX + key, content, raw, response_value)

    def _is_repeated(self, exchange: RawExchange) -> bool:
        """Whether an equal exchange has been counted before."""
        headers = exchange.request_headers
        key = (
            exchange.response_body,
            exchange.status,
            exchange.path,
            bool(exchange.violations),
            exchange.query,
            exchange.request_body,
            *[b",".join(headers.get(name, ())) for name in self._header_names],
        )
        # Comparing the bodies of a client that polls is faster than hashing them.
        if key == self._last_key:
            return True
        self._last_key = key
        # Keys themselves would keep the bodies in memory.
        hashed = hash(key)
        if hashed in self._counted_keys:
            return True
        if len(self._counted_keys) >= MAX_REMEMBERED:
            self._counted_keys.clear()
        self._counted_keys.add(hashed)
        return False

    def _count_parameters(self, exchange: RawExchange) -> None:
        uncovered, values = self.uncovered_parameters, self.uncovered_by_location
        parameters = {
            location: parameter
            for location, parameter in self.parameters.items()
            if location in uncovered or location in values
        }
        for location in _find_sent(parameters, exchange):
            if location in uncovered:
                uncovered.remove(location)
            parameter = parameters[location]
            if location in values and parameter.name in exchange.parameters:
                value = exchange.parameters[parameter.name]
                self._count_value(location, parameter.schema, value)

    def _request_content(self, exchange: RawExchange) -> Content | None:
        """Return how to parse the body if a valid request may have new values."""
        body = self.operation.body
        if (
            body is None
            or not exchange.request_body
            or exchange.violations
            or REQUEST_BODY not in self.uncovered_by_location
        ):
            return None
        types = exchange.request_headers.get(b"content-type")
        try:
            return body.content_for(types[-1].decode("latin-1") if types else None)
        except UnsupportedMediaType:
            return None

    def _count_body(self, location: str, content: Content, raw: bytes, value: Json) -> None:
        if value is None:
            is_json = not content.is_text and essence(content.media_type) != EVENT_STREAM
            # Without escapes, each string is in the JSON text as it is: a body that
            # contains no uncovered value need not be parsed.
            values = self.uncovered_by_location[location].values()
            is_plain = is_json and b"\\" not in raw
            if is_plain and not any(text in raw for text in values):
                return
            try:
                value = content.parse(raw)
            except ValueError:
                return
        self._count_value(location, content.schema, value)

    def _count_value(self, location: str, schema: Schema, value: Json) -> None:
        for inner in schema.enums.find_in(value):
            self._cover(location, EnumValue(location + inner.path, inner.text))

    def _cover(self, location: str, value: EnumValue) -> None:
        values = self.uncovered_by_location.get(location, {})
        if values.pop(value, None) is not None and not values:
            # A location without uncovered values is not looked at again.
            del self.uncovered_by_location[location]


def _collect_enum_values(operation: Operation) -> UncoveredValues:
    """Return each value of the enums of an operation."""
    result: UncoveredValues = {}
    for location, schema in _iterate_schemas(operation):
        for value in schema.enums.values:
            # Objects and arrays have many spellings, so there is no text to search for.
            is_scalar = value.text[0] not in "[{"
            needle = value.text.encode() if is_scalar else b""
            values = result.setdefault(location, {})
            values[EnumValue(location + value.path, value.text)] = needle
    return result


def _iterate_schemas(operation: Operation) -> Iterator[tuple[str, Schema]]:
    for parameter in operation.parameters:
        yield parameter.qualified_name, parameter.schema
    if operation.body:
        for content in operation.body.contents.values():
            yield REQUEST_BODY, content.schema
    for key, contents in operation.responses.items():
        for content in contents.values():
            yield RESPONSE_PREFIX + key, content.schema


def _find_relevant_headers(operation: Operation) -> Iterator[bytes]:
    """Yield the headers that parameters are in: they make exchanges different."""
    for parameter in operation.parameters:
        if parameter.location == "header":
            yield parameter.name.lower().encode()
        elif parameter.location == "cookie":
            yield b"cookie"


def _find_sent(parameters: dict[str, Parameter], exchange: RawExchange) -> list[str]:
    """Return the locations of those parameters that the request has."""
    names = _parse_query_names(exchange.query, parameters.values())
    return [
        location
        for location, parameter in parameters.items()
        if _is_sent(parameter, names, exchange.request_headers)
    ]


def _is_sent(parameter: Parameter, query_names: frozenset[str], headers: Headers) -> bool:
    match parameter.location:
        case "path":
            return True  # else the route would not match
        # A deep object is sent as several keys: filter[a]=1.
        case "query" if parameter.matches_key:
            return any(map(parameter.matches_key, query_names))
        case "query":
            return parameter.name in query_names
        case "header":
            return parameter.name.lower().encode() in headers
        case _:
            return parameter.name in parse_cookies(headers)


def _parse_query_names(query: bytes, parameters: Iterable[Parameter]) -> frozenset[str]:
    text = query.decode("latin-1")
    if "%" not in text and not any(p.matches_key or p.name in text for p in parameters):
        return frozenset()  # the usual case: no parameter that is not covered yet
    try:
        return frozenset(name for name, _ in parse_query(query))
    except UnicodeDecodeError:
        return frozenset()
