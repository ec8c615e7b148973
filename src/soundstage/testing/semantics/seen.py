"""An exchange as the rules see it: what was asked, what came back, who can ask more."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from soundstage.testing.recorded import Recorded, header_of, query_of, with_query
from soundstage.testing.semantics.described import Catalogue, Described, Parameter
from soundstage.types import Document, Json

Ask = Callable[[Recorded], Recorded]
"""Sends a request (whatever answer it holds) and gives it with its answer."""

PATIENCE = 5
"""How often the clock is turned for something to be done."""

_ABOUT_THE_BODY = frozenset({"content-type", "content-length", "transfer-encoding"})


def _never() -> bool:
    """There is no turning of the clock."""
    return False


@dataclass(frozen=True)
class Seen:
    """An exchange, and the operation that it was one of.

    ``later`` turns the server's clock, if that can be done: some things take time.
    """

    exchange: Recorded
    operation: Described
    catalogue: Catalogue
    ask: Ask
    later: Callable[[], bool] = _never

    @property
    def ok(self) -> bool:
        """Whether it was answered as it should be."""
        return 200 <= self.exchange.status < 300  # noqa: PLR2004 - HTTP

    @cached_property
    def path(self) -> str:
        """As it was sent."""
        return self.exchange.url.partition("?")[0]

    @cached_property
    def query(self) -> list[tuple[str, str]]:
        """The pairs of the query, in order."""
        return query_of(self.exchange)

    @cached_property
    def sent(self) -> Json:
        """The JSON body of the request."""
        return json_of(self.exchange.request_body)

    @cached_property
    def got(self) -> Json:
        """The JSON body of the answer."""
        return json_of(self.exchange.body)

    @cached_property
    def items(self) -> list[Document]:
        """The list that the answer is about: its only list, and of objects."""
        body = self.got
        held = body.values() if isinstance(body, dict) else [body]
        lists = [value for value in held if isinstance(value, list)]
        if len(lists) != 1 or not all(isinstance(item, dict) for item in lists[0]):
            return []
        return lists[0]

    def values(self, parameter: Parameter) -> list[str]:
        """What was sent for a parameter, as texts; empty if it was left out."""
        if parameter.place == "path":
            found = self.operation.in_path(self.path) or {}
            return [found[parameter.name]] if parameter.name in found else []
        if parameter.place == "body":
            body = self.sent
            value = body.get(parameter.name) if isinstance(body, dict) else None
            return [text_of(v) for v in _listed(value)]
        sent = [
            v for n, v in self.query if n in {parameter.name, parameter.name + "[]"}
        ]
        parts = [p for v in sent for p in (v.split(",") if parameter.joined else [v])]
        return [part for part in parts if part]

    def again(self) -> Recorded:
        """The same question, asked once more."""
        return self.ask(self.exchange)

    def asked_with(self, parameter: Parameter, value: Json) -> "Seen":
        """The same question with another value of one parameter."""
        request = self.exchange
        if parameter.place == "body":
            body = json.dumps({**self.sent, parameter.name: value}).encode()
            request = replace(request, request_body=body)
        else:
            kept = [(n, v) for n, v in self.query if n != parameter.name]
            request = with_query(request, [*kept, (parameter.name, text_of(value))])
        return replace(self, exchange=self.ask(request))

    def read(self, path: str) -> Recorded:
        """What is there, by a GET with the same credentials."""
        headers = tuple(self._about_who_asks())
        return self.ask(
            replace(
                self.exchange,
                method="GET",
                url=path,
                request_headers=headers,
                request_body=b"",
            )
        )

    def read_until(self, path: str, fine: Callable[[Recorded], bool]) -> Recorded:
        """The same; but what is done some time later is waited for."""
        found = self.read(path)
        for _ in range(PATIENCE):
            if fine(found) or not self.later():
                break
            found = self.read(path)
        return found

    def _about_who_asks(self) -> Iterator[tuple[str, str]]:
        for name, value in self.exchange.request_headers:
            if name.lower() not in _ABOUT_THE_BODY:
                yield name, value

    def header(self, name: str) -> str:
        """A header of the answer; empty if it is not there."""
        return header_of(self.exchange.headers, name)


def text_of(value: Json) -> str:
    """A value as a query has it."""
    return value if isinstance(value, str) else json.dumps(value)


def json_of(body: bytes) -> Json:
    """The value of a JSON text; ``None`` for anything else."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def plain_name(name: str) -> str:
    """A name without what spellings differ in: ``itemsPerPage``, ``items_per_page``."""
    return name.replace("_", "").replace("-", "").lower()


def _listed(value: Json) -> list[Json]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
