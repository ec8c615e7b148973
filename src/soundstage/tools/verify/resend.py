"""Send recorded requests to the verified server."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import httpx

from soundstage.exchange.recorded import HeaderList, RecordedExchange
from soundstage.exchange.redaction import REDACTED
from soundstage.tools.schemathesis.credentials import apply_secrets
from soundstage.tools.verify.recordings import MatchedExchange
from soundstage.world.clock import sleep, wall_clock_now

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

RESPONSE_TIMEOUT_S = 30.0
_OMITTED_HEADERS = frozenset(
    "accept-encoding connection content-length cookie host keep-alive "
    "soundstage-token soundstage-world transfer-encoding".split()
)
"""Headers of the recorded connection, or of the recording client."""

_INCONCLUSIVE_STATUSES = {
    401: "the credentials are rejected",
    403: "the credentials are rejected",
    404: "the resource does not exist on this server",
    409: "the state differs on this server",
    410: "the resource does not exist on this server",
    429: "too many requests; lower --rate",
}


class ServerUnreachable(Exception):
    """The server sent no response; the message has the reason."""


@dataclass(frozen=True, slots=True)
class RequestSender:
    """Sends requests to one server; ``wait_for_turn`` limits the rate."""

    client: httpx.Client
    url: str
    wait_for_turn: Callable[[], None]

    def send(self, exchange: RecordedExchange) -> RecordedExchange:
        """Return the exchange with a new response. Raises ``ServerUnreachable``."""
        self.wait_for_turn()
        base = urlsplit(self.url)
        # The percent-encoding of the recording is kept: httpx would normalize it.
        target = base.path.rstrip("/") + exchange.url
        url = httpx.URL(self.url).copy_with(raw_path=target.encode("latin-1", "replace"))
        try:
            response = self.client.request(
                exchange.method,
                url,
                headers=list(_select_headers(exchange.request_headers)),
                content=exchange.request_body or None,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise ServerUnreachable(f"{exchange.method} {target}: {reason}") from error
        return replace(
            exchange,
            status=response.status_code,
            response_headers=tuple(response.headers.multi_items()),
            response_body=response.content,
        )


@contextmanager
def open_sender(url: str, rate: float | None) -> Iterator[RequestSender]:
    """Open a sender with a maximum of ``rate`` requests per second."""
    with httpx.Client(timeout=RESPONSE_TIMEOUT_S, follow_redirects=False) as client:
        yield RequestSender(client, url, _create_rate_limiter(rate))


def _create_rate_limiter(rate: float | None) -> Callable[[], None]:
    """Create a function that waits if the previous call was too recent."""
    interval_ms = int(1_000 / rate) if rate else 0
    last_ms = 0

    def wait_for_turn() -> None:
        nonlocal last_ms
        if interval_ms:
            asyncio.run(sleep(max(last_ms + interval_ms - wall_clock_now(), 0)))
        last_ms = wall_clock_now()

    return wait_for_turn


def _select_headers(headers: HeaderList) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        # Names of HTTP/2 pseudo-headers start with a colon (RFC 9113, 8.3).
        is_omitted = name.lower() in _OMITTED_HEADERS or name.startswith(":")
        # A redacted value was a secret of the recording client.
        if not is_omitted and value != REDACTED:
            yield name, value


def resend(
    matched: MatchedExchange, secrets: Mapping[str, str], sender: RequestSender
) -> RecordedExchange:
    """Send a recorded request with our credentials. Raises ``ServerUnreachable``."""
    return sender.send(apply_secrets(matched.exchange, matched.operation, secrets))


def compare_statuses(recorded_status: int, status: int) -> tuple[str | None, str | None]:
    """Return why the result is inconclusive, or what is wrong; both can be ``None``.

    Bodies are not compared, because data changes while the contract does not.

    >>> compare_statuses(200, 404)
    ('the resource does not exist on this server', None)
    >>> compare_statuses(200, 400)
    (None, 'the status was 200 in the recording and is now 400')
    """
    is_success, is_rejected = recorded_status // 100 == 2, status // 100 == 4  # noqa: PLR2004 - HTTP
    if not (is_success and is_rejected):
        return None, None
    if status in _INCONCLUSIVE_STATUSES:
        return _INCONCLUSIVE_STATUSES[status], None
    return (None, f"the status was {recorded_status} in the recording and is now {status}")
