"""An exchange as it went over the wire, and parts of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

HeaderList = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """An exchange as it went over the wire.

    ``url`` is the path, still percent-encoded and relative to the API, with its query.
    """

    method: str
    url: str
    request_headers: HeaderList
    request_body: bytes
    status: int
    response_headers: HeaderList
    response_body: bytes


def get_header(headers: Iterable[tuple[str, str]], name: str) -> str:
    """The first header of a lower-case name; empty if there is none."""
    return next((value for key, value in headers if key.lower() == name), "")


def get_query_pairs(exchange: RecordedExchange) -> list[tuple[str, str]]:
    """The pairs of its query, decoded."""
    return parse_qsl(exchange.url.partition("?")[2], keep_blank_values=True)


def replace_query(
    exchange: RecordedExchange, pairs: list[tuple[str, str]]
) -> RecordedExchange:
    """The exchange with another query."""
    path = exchange.url.partition("?")[0]
    return replace(exchange, url=f"{path}?{urlencode(pairs)}" if pairs else path)
