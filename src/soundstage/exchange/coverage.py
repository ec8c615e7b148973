"""What has been seen of one operation: statuses, parameters, listed values."""

from collections import Counter, deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from soundstage.exchange.exchange import RawExchange
from soundstage.openapi.body import EVENTS, Content, essence
from soundstage.openapi.contract import Contract
from soundstage.openapi.enums import Value
from soundstage.openapi.errors import Unsupported
from soundstage.openapi.operation import Operation
from soundstage.openapi.parameters import Parameter, query_of
from soundstage.openapi.schema import Schema
from soundstage.openapi.security import Headers, cookies_of
from soundstage.types import Json

REQUEST_BODY, RESPONSE_PREFIX = "body", "answer."

MAX_REMEMBERED = 1_000
"""Exchanges that are known again: a client that polls costs next to nothing."""

UncoveredValues = dict[str, dict[Value, bytes]]
"""By where they are looked for: values, each with bytes that it cannot be without."""


class OperationCounter:
    """Counts of one operation.

    A parameter that was sent counts, whatever came of it; a value that was sent counts
    if the request kept the contract, one that was answered always does.
    """

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.statuses: Counter[int | None] = Counter()
        self.parameters = {p.location: p for p in operation.parameters}
        self.uncovered_parameters = [*self.parameters]
        self.uncovered_by_location = _collect_enum_values(operation)
        self.values = tuple(self.uncovered_values())
        self._header_names = [*_find_relevant_headers(operation)]
        self._counted_keys: set[int] = set()
        self._last_key: tuple[object, ...] = ()

    def uncovered_values(self) -> dict[Value, None]:
        """Those of ``values`` that nobody has sent or answered."""
        return {
            value: None
            for values in self.uncovered_by_location.values()
            for value in values
        }

    def add(self, other: "OperationCounter") -> None:
        """Count what another has counted of the same operation."""
        self.statuses += other.statuses
        self.uncovered_parameters = [
            at for at in self.uncovered_parameters if at in other.uncovered_parameters
        ]
        for at, values in [*self.uncovered_by_location.items()]:
            for value in values.keys() - other.uncovered_by_location.get(at, {}).keys():
                self._cover(at, value)

    def count(
        self, exchange: RawExchange, bodies: tuple[Json, Json] | None = None
    ) -> None:
        """Count one exchange; ``bodies`` are its values, where they were cut."""
        self.statuses[exchange.status] += 1
        if self._is_repeated(exchange):
            return
        self._count_parameters(exchange)
        sent, answered = bodies or (None, None)
        content = self._request_content(exchange)
        if content:
            self._count_body(REQUEST_BODY, content, exchange.request_body, sent)
        key = self.operation.documented(exchange.status) if exchange.status else None
        if key and RESPONSE_PREFIX + key in self.uncovered_by_location:
            kind = essence(_get_response_type(exchange))
            if content := self.operation.answers[key].get(kind):
                self._count_body(
                    RESPONSE_PREFIX + key, content, exchange.response_body, answered
                )

    def _is_repeated(self, exchange: RawExchange) -> bool:
        """Whether the like has been counted before."""
        headers = [
            b",".join(exchange.request_headers.get(name, ()))
            for name in self._header_names
        ]
        request = (
            exchange.status,
            exchange.path,
            bool(exchange.violations),
            exchange.query,
            exchange.request_body,
        )
        said = (exchange.response_body, *request, *headers)
        if said == self._last_key:  # compared, it need not be hashed
            return True
        self._last_key = said
        key = hash(said)
        if key in self._counted_keys:
            return True
        if len(self._counted_keys) >= MAX_REMEMBERED:
            self._counted_keys.clear()
        self._counted_keys.add(key)
        return False

    def _count_parameters(self, exchange: RawExchange) -> None:
        known, unsent, unseen = (
            self.parameters,
            self.uncovered_parameters,
            self.uncovered_by_location,
        )
        wanted = {at: known[at] for at in known if at in unsent or at in unseen}
        for at in _find_sent(wanted, exchange):
            if at in unsent:
                unsent.remove(at)
            parameter = known[at]
            if at in unseen and parameter.name in exchange.parameters:
                value = exchange.parameters[parameter.name]
                self._count_value(at, parameter.schema, value)

    def _request_content(self, exchange: RawExchange) -> Content | None:
        """How to read the body of a request that kept the contract."""
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
            return body.content(types[-1].decode("latin-1") if types else None)
        except Unsupported:
            return None

    def _count_body(
        self, location: str, content: Content, raw: bytes, value: Json
    ) -> None:
        if value is None:
            is_json = not content.text and essence(content.media_type) != EVENTS
            plain = is_json and b"\\" not in raw  # strings stand there as they are
            if plain and not any(
                text in raw for text in self.uncovered_by_location[location].values()
            ):
                return  # nothing new: the body need not be read to know that
            try:
                value = content.read(raw)
            except ValueError:
                return
        self._count_value(location, content.schema, value)

    def _count_value(self, location: str, schema: Schema, value: Json) -> None:
        for found in schema.listed.of(value):
            self._cover(location, Value(location + found.at, found.text))

    def _cover(self, location: str, value: Value) -> None:
        unseen = self.uncovered_by_location.get(location, {})
        if unseen.pop(value, None) is not None and not unseen:
            del self.uncovered_by_location[location]


def _collect_enum_values(operation: Operation) -> UncoveredValues:
    """Every value that the contract lists for this operation."""
    result: UncoveredValues = {}
    for at, schema in _iterate_schemas(operation):
        for value in schema.listed.values:
            simple = value.text[0] not in "[{"
            needle = value.text.encode() if simple else b""
            result.setdefault(at, {})[Value(at + value.at, value.text)] = needle
    return result


def _iterate_schemas(operation: Operation) -> Iterator[tuple[str, Schema]]:
    for parameter in operation.parameters:
        yield parameter.location, parameter.schema
    if operation.body:
        for content in operation.body.contents.values():
            yield REQUEST_BODY, content.schema
    for key, contents in operation.answers.items():
        for content in contents.values():
            yield RESPONSE_PREFIX + key, content.schema


def _find_relevant_headers(operation: Operation) -> Iterator[bytes]:
    """Headers that say something else each time they are something else."""
    for parameter in operation.parameters:
        if parameter.place == "header":
            yield parameter.name.lower().encode()
        elif parameter.place == "cookie":
            yield b"cookie"


def _get_response_type(exchange: RawExchange) -> str:
    for name, value in exchange.response_headers:
        if name.lower() == b"content-type":
            return value.decode("latin-1")
    return ""


def _find_sent(parameters: dict[str, Parameter], exchange: RawExchange) -> list[str]:
    queried = _parse_query_names(exchange.query, parameters.values())
    return [
        at
        for at, p in parameters.items()
        if _is_sent(p, queried, exchange.request_headers)
    ]


def _is_sent(
    parameter: Parameter, query_names: frozenset[str], headers: Headers
) -> bool:
    match parameter.place:
        case "path":
            return True
        case "query" if parameter.claims:
            return any(map(parameter.claims, query_names))
        case "query":
            return parameter.name in query_names
        case "header":
            return parameter.name.lower().encode() in headers
        case _:
            return parameter.name in cookies_of(headers)


def _parse_query_names(query: bytes, parameters: Iterable[Parameter]) -> frozenset[str]:
    text = query.decode("latin-1")
    if "%" not in text and not any(p.claims or p.name in text for p in parameters):
        return frozenset()  # nothing new; this is most of what is ever asked
    try:
        return frozenset(name for name, _ in query_of(query))
    except UnicodeDecodeError:
        return frozenset()


MAX_PENDING = 250
"""Exchanges that wait to be counted, and the few that come before some of them are."""

BATCH_SIZE = 32
"""So many are counted together, which is quicker than one with every request."""

ParsedBodies = tuple[Json, Json]
"""The values of a request's body and of its answer's, ``None`` where there is none."""


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """One operation. Statuses are as the contract has them, parameters as places.

    ``undocumented`` are statuses that were answered and stand in no contract. Values
    stand where a parameter, the ``body`` of a request or an ``answer`` lists them.
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
    values: tuple[Value, ...]
    uncovered_values: tuple[Value, ...]


class Coverage:
    """Counts of one world, or of several, by operation."""

    def __init__(self) -> None:
        self.counters: dict[tuple[str | None, str], OperationCounter] = {}
        self.pending: deque[RawExchange] = deque()

    def count(self, exchange: RawExchange, bodies: ParsedBodies | None = None) -> None:
        """Count one exchange, soon. A refused request has sent its parameters too.

        ``bodies`` are given where those that were written down are cut.
        """
        if exchange.operation is None:
            return
        if bodies is not None:
            self._get_counter(exchange.api, exchange.operation).count(exchange, bodies)
            return
        self.pending.append(exchange)
        if len(self.pending) > MAX_PENDING + BATCH_SIZE:
            for _ in range(BATCH_SIZE):
                self._count_oldest()

    def add(self, other: "Coverage") -> None:
        """Count what another has counted, of the same contracts."""
        for (api, _), tally in other.counters.items():
            self._get_counter(api, tally.operation).add(tally)
        for seen in other.pending:
            self.count(seen)

    def summarize(self, contracts: Iterable[Contract]) -> list[OperationCoverage]:
        """Every operation of these contracts."""
        while self.pending:
            self._count_oldest()
        return [
            _summarize(
                contract.name,
                self.counters.get((contract.name, operation.id))
                or OperationCounter(operation),
            )
            for contract in contracts
            for operation in contract.operations.values()
        ]

    def _count_oldest(self) -> None:
        seen = self.pending.popleft()
        if seen.operation:
            self._get_counter(seen.api, seen.operation).count(seen)

    def _get_counter(self, api: str | None, operation: Operation) -> OperationCounter:
        tally = self.counters.get((api, operation.id))
        if tally is None:
            tally = self.counters[api, operation.id] = OperationCounter(operation)
        return tally


def _summarize(api: str, counter: OperationCounter) -> OperationCoverage:
    operation = counter.operation
    answered = {s: operation.documented(s) for s in counter.statuses if s}
    unseen = counter.uncovered_values()
    return OperationCoverage(
        api,
        operation.id,
        operation.method,
        operation.path,
        counter.statuses.total(),
        tuple(key for key in operation.answers if key in answered.values()),
        tuple(key for key in operation.answers if key not in answered.values()),
        tuple(str(s) for s, key in sorted(answered.items()) if key is None),
        tuple(
            at for at in counter.parameters if at not in counter.uncovered_parameters
        ),
        tuple(counter.uncovered_parameters),
        tuple(value for value in counter.values if value not in unseen),
        tuple(value for value in counter.values if value in unseen),
    )
