"""An exchange as the rules see it: what was asked, what came back, who can ask more."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from soundstage.exchange.recorded import (
    RecordedExchange,
    get_header,
    get_query_pairs,
    replace_query,
)
from soundstage.tools.checks.operation_spec import (
    OperationIndex,
    OperationSpec,
    Parameter,
)
from soundstage.types import Document, Json

SendRequest = Callable[[RecordedExchange], RecordedExchange]
"""Sends a request (whatever answer it holds) and gives it with its answer."""

MAX_CLOCK_ADVANCES = 5
"""How often the clock is turned for something to be done."""

_BODY_HEADERS = frozenset({"content-type", "content-length", "transfer-encoding"})


def _no_clock() -> bool:
    """There is no turning of the clock."""
    return False


@dataclass(frozen=True)
class CheckContext:
    """An exchange, and the operation that it was one of.

    ``later`` turns the server's clock, if that can be done: some things take time.
    """

    exchange: RecordedExchange
    operation: OperationSpec
    operations: OperationIndex
    send: SendRequest
    advance_clock: Callable[[], bool] = _no_clock

    @property
    def is_success(self) -> bool:
        """Whether it was answered as it should be."""
        return 200 <= self.exchange.status < 300  # noqa: PLR2004 - HTTP

    @cached_property
    def path(self) -> str:
        """As it was sent."""
        return self.exchange.url.partition("?")[0]

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The pairs of the query, in order."""
        return get_query_pairs(self.exchange)

    @cached_property
    def request_json(self) -> Json:
        """The JSON body of the request."""
        return parse_json(self.exchange.request_body)

    @cached_property
    def response_json(self) -> Json:
        """The JSON body of the answer."""
        return parse_json(self.exchange.response_body)

    @cached_property
    def items(self) -> list[Document]:
        """The list that the answer is about: its only list, and of objects."""
        body = self.response_json
        held = body.values() if isinstance(body, dict) else [body]
        lists = [value for value in held if isinstance(value, list)]
        if len(lists) != 1 or not all(isinstance(item, dict) for item in lists[0]):
            return []
        return lists[0]

    def get_values(self, parameter: Parameter) -> list[str]:
        """What was sent for a parameter, as texts; empty if it was left out."""
        if parameter.location == "path":
            found = self.operation.parse_path(self.path) or {}
            return [found[parameter.name]] if parameter.name in found else []
        if parameter.location == "body":
            body = self.request_json
            value = body.get(parameter.name) if isinstance(body, dict) else None
            return [format_query_value(v) for v in _to_list(value)]
        sent = [
            v for n, v in self.query if n in {parameter.name, parameter.name + "[]"}
        ]
        parts = [
            p
            for v in sent
            for p in (v.split(",") if parameter.is_comma_separated else [v])
        ]
        return [part for part in parts if part]

    def repeat(self) -> RecordedExchange:
        """The same question, asked once more."""
        return self.send(self.exchange)

    def repeat_with(self, parameter: Parameter, value: Json) -> "CheckContext":
        """The same question with another value of one parameter."""
        request = self.exchange
        if parameter.location == "body":
            body = json.dumps({**self.request_json, parameter.name: value}).encode()
            request = replace(request, request_body=body)
        else:
            kept = [(n, v) for n, v in self.query if n != parameter.name]
            request = replace_query(
                request, [*kept, (parameter.name, format_query_value(value))]
            )
        return replace(self, exchange=self.send(request))

    def read(self, path: str) -> RecordedExchange:
        """What is there, by a GET with the same credentials."""
        headers = tuple(self._iter_non_body_headers())
        return self.send(
            replace(
                self.exchange,
                method="GET",
                url=path,
                request_headers=headers,
                request_body=b"",
            )
        )

    def read_until(
        self, path: str, is_done: Callable[[RecordedExchange], bool]
    ) -> RecordedExchange:
        """The same; but what is done some time later is waited for."""
        found = self.read(path)
        for _ in range(MAX_CLOCK_ADVANCES):
            if is_done(found) or not self.advance_clock():
                break
            found = self.read(path)
        return found

    def _iter_non_body_headers(self) -> Iterator[tuple[str, str]]:
        for name, value in self.exchange.request_headers:
            if name.lower() not in _BODY_HEADERS:
                yield name, value

    def get_header(self, name: str) -> str:
        """A header of the answer; empty if it is not there."""
        return get_header(self.exchange.response_headers, name)


def format_query_value(value: Json) -> str:
    """A value as a query has it."""
    return value if isinstance(value, str) else json.dumps(value)


def parse_json(body: bytes) -> Json:
    """The value of a JSON text; ``None`` for anything else."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def normalize_name(name: str) -> str:
    """A name without what spellings differ in: ``itemsPerPage``, ``items_per_page``."""
    return name.replace("_", "").replace("-", "").lower()


def _to_list(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
