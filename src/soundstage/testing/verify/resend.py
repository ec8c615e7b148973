"""Recorded requests, sent once more to the server that is verified."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import httpx

from soundstage.server.journal.cut import MASK
from soundstage.testing.campaign.credentials import with_secrets
from soundstage.testing.recorded import Headers, Recorded
from soundstage.testing.verify.recording import Kept
from soundstage.world.clock import wait, wall

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

PATIENCE = 30.0
"""Seconds that an answer may take."""

_NOT_SENT = frozenset(
    "accept-encoding connection content-length cookie host keep-alive "
    "soundstage-token soundstage-world transfer-encoding".split()
)
"""Headers that belonged to the recorded connection, or to whoever recorded."""

_NOT_REPLAYABLE = {
    401: "the credentials are not taken",
    403: "the credentials are not taken",
    404: "what it is about does not exist there",
    409: "the state of things is another one there",
    410: "what it is about does not exist there",
    429: "too many requests; lower --rate",
}


class Unreachable(Exception):
    """There is no answer to be had; the text says why."""


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends requests to one server, no faster than it was told to."""

    client: httpx.Client
    url: str
    pace: Callable[[], None]

    def send(self, exchange: Recorded) -> Recorded:
        """The exchange with the server's answer. Raises ``Unreachable``."""
        self.pace()
        base = urlsplit(self.url)
        target = base.path.rstrip("/") + exchange.url
        url = httpx.URL(self.url).copy_with(
            raw_path=target.encode("latin-1", "replace")
        )
        try:
            answer = self.client.request(
                exchange.method,
                url,
                headers=list(_sent(exchange.request_headers)),
                content=exchange.request_body or None,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = str(error) or type(error).__name__
            raise Unreachable(f"{exchange.method} {target}: {reason}") from error
        return replace(
            exchange,
            status=answer.status_code,
            headers=tuple(answer.headers.multi_items()),
            body=answer.content,
        )


@contextmanager
def sender(url: str, rate: float | None) -> Iterator[Sender]:
    """A sender of ``rate`` requests a second at most."""
    with httpx.Client(timeout=PATIENCE, follow_redirects=False) as client:
        yield Sender(client, url, _pace(rate))


def _pace(rate: float | None) -> Callable[[], None]:
    """Wait, when it is called too soon after the call before."""
    gap = int(1_000 / rate) if rate else 0
    last = [0]

    def pace() -> None:
        if left := last[0] + gap - wall() if gap else 0:
            asyncio.run(wait(max(left, 0)))
        last[0] = wall()

    return pace


def _sent(headers: Headers) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        of_connection = name.lower() in _NOT_SENT or name.startswith(":")
        if not of_connection and value != MASK:  # the mask hides another's secret
            yield name, value


def resent(kept: Kept, secrets: Mapping[str, str], sender: Sender) -> Recorded:
    """A recorded request with our credentials, and its new answer."""
    return sender.send(with_secrets(kept.exchange, kept.operation, secrets))


def difference(before: int, now: int) -> tuple[str | None, str | None]:
    """Why it cannot be replayed, or what is wrong, by both statuses; or neither.

    Bytes are not compared: data changes, the contract holds.
    """
    if not 200 <= before < 300 or now < 400 or now >= 500:  # noqa: PLR2004 - HTTP
        return None, None
    if now in _NOT_REPLAYABLE:
        return _NOT_REPLAYABLE[now], None
    return None, f"answered with {before} when it was recorded, and now with {now}"
