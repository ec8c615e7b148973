"""The input of a check: an exchange, its operation, and a way to send more requests."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

from soundstage.exchange.recorded import (
    RecordedExchange,
    get_header,
    get_query_pairs,
    replace_query,
)
from soundstage.tools.checks.operation_spec import OperationIndex, OperationSpec, Parameter
from soundstage.types import Json, JsonObject

SendRequest = Callable[[RecordedExchange], RecordedExchange]
"""Sends the request of an exchange and returns it with its new response."""

MAX_CLOCK_ADVANCES = 5
"""How often the clock is advanced while a check waits for a change."""

_BODY_HEADERS = frozenset({"content-type", "content-length", "transfer-encoding"})


def _no_clock() -> bool:
    """Report that the clock of the server cannot be advanced."""
    return False


@dataclass(frozen=True)
class CheckContext:
    """An exchange to check, and the operation that it belongs to.

    ``advance_clock`` advances the server's virtual clock and returns whether that was
    possible: some changes take time.

    >>> operations = OperationIndex({"paths": {"/a": {"get": {}}}})
    >>> exchange = RecordedExchange("GET", "/a?b=1", (), b"", 200, (), b'[{"c": 2}]')
    >>> get = operations.operations["GET /a"]
    >>> context = CheckContext(exchange, get, operations, lambda exchange: exchange)
    >>> context.query, context.items
    ([('b', '1')], [{'c': 2}])
    """

    exchange: RecordedExchange
    operation: OperationSpec
    operations: OperationIndex
    send: SendRequest
    advance_clock: Callable[[], bool] = _no_clock

    @property
    def is_success(self) -> bool:
        """Whether the response has a 2xx status."""
        return 200 <= self.exchange.status < 300  # noqa: PLR2004 - HTTP

    @cached_property
    def path(self) -> str:
        """The request path, still percent-encoded."""
        return self.exchange.url.partition("?")[0]

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The pairs of the query, in order."""
        return get_query_pairs(self.exchange)

    @cached_property
    def request_json(self) -> Json:
        """The JSON body of the request; ``None`` if it is not JSON."""
        return parse_json(self.exchange.request_body)

    @cached_property
    def response_json(self) -> Json:
        """The JSON body of the response; ``None`` if it is not JSON."""
        return parse_json(self.exchange.response_body)

    @cached_property
    def items(self) -> list[JsonObject]:
        """The listed objects of the response, if it has exactly one list."""
        body = self.response_json
        values = body.values() if isinstance(body, dict) else [body]
        lists = [value for value in values if isinstance(value, list)]
        # With several lists it is unclear which one is filtered or paged.
        if len(lists) != 1 or not all(isinstance(item, dict) for item in lists[0]):
            return []
        return lists[0]

    def get_values(self, parameter: Parameter) -> list[str]:
        """Return the sent values of a parameter as text; empty if it was not sent."""
        name = parameter.name
        if parameter.location == "path":
            values = self.operation.parse_path(self.path) or {}
            return [values[name]] if name in values else []
        if parameter.location == "body":
            body = self.request_json
            value = body.get(name) if isinstance(body, dict) else None
            return [format_query_value(v) for v in _to_list(value)]
        # Some frameworks expect lists as "name[]".
        values_sent = [v for n, v in self.query if n in {name, f"{name}[]"}]
        if parameter.is_comma_separated:
            values_sent = [part for v in values_sent for part in v.split(",")]
        return [value for value in values_sent if value]

    def repeat(self) -> RecordedExchange:
        """Send the same request again."""
        return self.send(self.exchange)

    def repeat_with(self, parameter: Parameter, value: Json) -> "CheckContext":
        """Send the same request with another value of one parameter."""
        request = self.exchange
        if parameter.location == "body":
            body = json.dumps({**self.request_json, parameter.name: value}).encode()
            request = replace(request, request_body=body)
        else:
            others = [(n, v) for n, v in self.query if n != parameter.name]
            pair = (parameter.name, format_query_value(value))
            request = replace_query(request, [*others, pair])
        return replace(self, exchange=self.send(request))

    def read(self, path: str) -> RecordedExchange:
        """Send a GET request to a path, with the same credentials."""
        headers = tuple(
            (name, value)
            for name, value in self.exchange.request_headers
            if name.lower() not in _BODY_HEADERS
        )
        request = replace(self.exchange, method="GET", url=path)
        return self.send(replace(request, request_headers=headers, request_body=b""))

    def read_until(
        self, path: str, is_done: Callable[[RecordedExchange], bool]
    ) -> RecordedExchange:
        """Read a path, and again after advancing the clock, until it is done."""
        exchange = self.read(path)
        for _ in range(MAX_CLOCK_ADVANCES):
            if is_done(exchange) or not self.advance_clock():
                break
            exchange = self.read(path)
        return exchange

    def get_header(self, name: str) -> str:
        """Return a header of the response; empty if it is missing."""
        return get_header(self.exchange.response_headers, name)


def format_query_value(value: Json) -> str:
    """Format a value for a query: text as it is, anything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def parse_json(body: bytes) -> Json:
    """Parse a JSON body; return ``None`` for anything else."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _to_list(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
