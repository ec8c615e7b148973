"""An exchange as it went over the wire, and parts of it."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlencode

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An exchange as it went over the wire.

    ``url`` is the path, still percent-encoded and relative to the API, with its query.
    """

    method: str
    url: str
    request_headers: Headers
    request_body: bytes
    status: int
    headers: Headers
    body: bytes


def header_of(headers: Iterable[tuple[str, str]], name: str) -> str:
    """The first header of a lower-case name; empty if there is none."""
    return next((value for key, value in headers if key.lower() == name), "")


def query_of(exchange: Recorded) -> list[tuple[str, str]]:
    """The pairs of its query, decoded."""
    return parse_qsl(exchange.url.partition("?")[2], keep_blank_values=True)


def with_query(exchange: Recorded, pairs: list[tuple[str, str]]) -> Recorded:
    """The exchange with another query."""
    path = exchange.url.partition("?")[0]
    return replace(exchange, url=f"{path}?{urlencode(pairs)}" if pairs else path)
