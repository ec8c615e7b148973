"""An exchange as a client or an archive has it."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, urlencode

HeaderList = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RecordedExchange:
    """A request and its response, as they were transmitted.

    ``url`` is absolute in an archive, else the percent-encoded path, relative to the
    API, with its query. ``status`` is 0 if there was no response. Archives add media
    types (the headers may lack them), the time of the request (ms since the epoch), the
    duration, and the API if Soundstage recorded it.

    >>> exchange = RecordedExchange("GET", "/runs?page=1", (), b"", 200, (), b"[]")
    >>> get_query_pairs(exchange)
    [('page', '1')]
    """

    method: str
    url: str
    request_headers: HeaderList
    request_body: bytes
    status: int
    response_headers: HeaderList
    response_body: bytes
    request_type: str = field(default="", compare=False)
    response_type: str = field(default="", compare=False)
    timestamp: int | None = field(default=None, compare=False)
    duration_ms: int = field(default=0, compare=False)
    api: str | None = field(default=None, compare=False)


def get_header(headers: Iterable[tuple[str, str]], name: str) -> str:
    """Return the first header with a lower-case name; empty if there is none.

    >>> get_header([("Content-Type", "text/plain")], "content-type")
    'text/plain'
    """
    return next((value for key, value in headers if key.lower() == name), "")


def get_query_pairs(exchange: RecordedExchange) -> list[tuple[str, str]]:
    """Return the decoded names and values of the query."""
    return parse_qsl(exchange.url.partition("?")[2], keep_blank_values=True)


def replace_query(exchange: RecordedExchange, pairs: list[tuple[str, str]]) -> RecordedExchange:
    """Return the exchange with another query."""
    path = exchange.url.partition("?")[0]
    return replace(exchange, url=f"{path}?{urlencode(pairs)}" if pairs else path)
