"""Recorded requests, sent once more to the server that is verified."""

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
"""Seconds that an answer may take."""

_OMITTED_HEADERS = frozenset(
    "accept-encoding connection content-length cookie host keep-alive "
    "soundstage-token soundstage-world transfer-encoding".split()
)
"""Headers that belonged to the recorded connection, or to whoever recorded."""

_INCONCLUSIVE_STATUSES = {
    401: "the credentials are not taken",
    403: "the credentials are not taken",
    404: "what it is about does not exist there",
    409: "the state of things is another one there",
    410: "what it is about does not exist there",
    429: "too many requests; lower --rate",
}


class ServerUnreachable(Exception):
    """There is no answer to be had; the text says why."""


@dataclass(frozen=True, slots=True)
class RequestSender:
    """Sends requests to one server, no faster than it was told to."""

    client: httpx.Client
    url: str
    wait_for_turn: Callable[[], None]

    def send(self, exchange: RecordedExchange) -> RecordedExchange:
        """The exchange with the server's answer. Raises ``Unreachable``."""
        self.wait_for_turn()
        base = urlsplit(self.url)
        target = base.path.rstrip("/") + exchange.url
        url = httpx.URL(self.url).copy_with(
            raw_path=target.encode("latin-1", "replace")
        )
        try:
            answer = self.client.request(
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
            status=answer.status_code,
            response_headers=tuple(answer.headers.multi_items()),
            response_body=answer.content,
        )


@contextmanager
def open_sender(url: str, rate: float | None) -> Iterator[RequestSender]:
    """A sender of ``rate`` requests a second at most."""
    with httpx.Client(timeout=RESPONSE_TIMEOUT_S, follow_redirects=False) as client:
        yield RequestSender(client, url, _create_rate_limiter(rate))


def _create_rate_limiter(rate: float | None) -> Callable[[], None]:
    """Wait, when it is called too soon after the call before."""
    gap = int(1_000 / rate) if rate else 0
    last = [0]

    def wait_for_turn() -> None:
        if left := last[0] + gap - wall_clock_now() if gap else 0:
            asyncio.run(sleep(max(left, 0)))
        last[0] = wall_clock_now()

    return wait_for_turn


def _select_headers(headers: HeaderList) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        of_connection = name.lower() in _OMITTED_HEADERS or name.startswith(":")
        if not of_connection and value != REDACTED:  # the mask hides another's secret
            yield name, value


def resend(
    matched: MatchedExchange, secrets: Mapping[str, str], sender: RequestSender
) -> RecordedExchange:
    """A recorded request with our credentials, and its new answer."""
    return sender.send(apply_secrets(matched.exchange, matched.operation, secrets))


def compare_statuses(
    recorded_status: int, status: int
) -> tuple[str | None, str | None]:
    """Why it cannot be replayed, or what is wrong, by both statuses; or neither.

    Bytes are not compared: data changes, the contract holds.
    """
    if not 200 <= recorded_status < 300 or status < 400 or status >= 500:  # noqa: PLR2004 - HTTP
        return None, None
    if status in _INCONCLUSIVE_STATUSES:
        return _INCONCLUSIVE_STATUSES[status], None
    return (
        None,
        f"answered with {recorded_status} when it was recorded, and now with {status}",
    )
