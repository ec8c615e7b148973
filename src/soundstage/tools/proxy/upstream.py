"""The real service: requests are sent to it as they came, byte for byte."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from soundstage.exchange.redaction import HeaderPair
from soundstage.openapi.body import EVENTS, essence
from soundstage.server.exchange import group_headers

CONNECT_SECONDS = 10.0

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection "
    b"te trailer transfer-encoding upgrade".split()
)
"""Headers of one connection only (RFC 9110, 7.6.1)."""


class UpstreamError(Exception):
    """No answer came from the real service. ``status`` is what a gateway says then."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A request as the client sent it; without ``content`` it has no body."""

    method: str
    target: bytes
    headers: list[HeaderPair]
    content: AsyncIterator[bytes] | None


class Upstream:
    """The service behind one URL. Raises ``ValueError`` for what is no such URL."""

    def __init__(
        self,
        url: str,
        timeout_s: float,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.url = _parse_base_url(url)
        self._timeout_s = timeout_s
        limits = httpx.Limits(max_connections=None)
        self._client = httpx.AsyncClient(transport=transport, limits=limits)
        accepted = self._client.headers["accept-encoding"]
        self.codings = frozenset(name.strip() for name in accepted.split(","))
        self._base_path = self.url.raw_path.rstrip(b"/")

    @property
    def base_url(self) -> str:
        """What a path is put behind."""
        return str(self.url).rstrip("/")

    @asynccontextmanager
    async def send(
        self, outgoing: UpstreamRequest
    ) -> AsyncIterator["UpstreamResponse"]:
        """The answer to a request. Raises ``Failed``, while it is read too."""
        # A dict of our own, which the connection reads again when the body begins.
        timeout = httpx.Timeout(self._timeout_s, connect=CONNECT_SECONDS).as_dict()
        request = httpx.Request(
            outgoing.method,
            self.url,
            headers=self._filter_headers(outgoing.headers),
            content=outgoing.content,
            extensions={
                "target": self._base_path + outgoing.target,
                "timeout": timeout,
            },
        )
        try:
            response = await self._client.send(request, stream=True)
            try:
                if _is_event_stream(response):
                    timeout["read"] = None  # silence is part of what it says
                yield UpstreamResponse(self, response)
            finally:
                await response.aclose()
        except httpx.TimeoutException as error:
            msg = f"{self.base_url} did not answer within {self._timeout_s:g} s"
            raise UpstreamError(504, msg) from error
        except httpx.RequestError as error:
            reason = str(error) or type(error).__name__
            raise UpstreamError(
                502, f"{self.base_url} cannot be reached: {reason}"
            ) from error

    def rewrite_location(self, location: bytes) -> bytes:
        """A place at the service as a path here; other places as they are."""
        base = self.base_url.encode("latin-1")
        rest = location.removeprefix(base)
        if rest != location and rest[:1] in {b"", b"/", b"?"}:
            return rest if rest.startswith(b"/") else b"/" + rest
        return location

    def _filter_headers(self, headers: list[HeaderPair]) -> list[HeaderPair]:
        """End to end, and asking for no coding that we could not undo."""
        sent = [pair for pair in filter_end_to_end(headers) if pair[0] != b"host"]
        return [
            (name, self._filter_codings(value) if name == b"accept-encoding" else value)
            for name, value in sent
        ]

    def _filter_codings(self, value: bytes) -> bytes:
        offers = [offer.strip() for offer in value.decode("latin-1").split(",")]
        known = self.codings | {"identity"}
        kept = [o for o in offers if o.partition(";")[0].strip().lower() in known]
        return ", ".join(kept or ["identity"]).encode("latin-1")

    async def close(self) -> None:
        """Let the connections go."""
        await self._client.aclose()


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """An answer that has begun."""

    upstream: Upstream
    response: httpx.Response

    @property
    def status(self) -> int:
        """The status."""
        return self.response.status_code

    @property
    def headers(self) -> tuple[HeaderPair, ...]:
        """The headers that are for the client; what leads to the service leads here."""
        raw = [(name.lower(), value) for name, value in self.response.headers.raw]
        return tuple(
            (
                name,
                self.upstream.rewrite_location(value) if name == b"location" else value,
            )
            for name, value in filter_end_to_end(raw)
        )

    def iterate_chunks(self) -> AsyncIterator[bytes]:
        """The body as it comes, in its content coding."""
        return self.response.aiter_raw()


def filter_end_to_end(headers: Iterable[HeaderPair]) -> list[HeaderPair]:
    """The headers that a proxy passes on."""
    pairs = list(headers)
    named = b",".join(group_headers(pairs).get(b"connection", ()))
    dropped = HOP_BY_HOP | {name.strip().lower() for name in named.split(b",")}
    return [pair for pair in pairs if pair[0] not in dropped]


def _is_event_stream(response: httpx.Response) -> bool:
    return essence(response.headers.get("content-type", "")) == EVENTS


def _parse_base_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        msg = f"{text!r} is no URL: {error}"
        raise ValueError(msg) from error
    if url.scheme not in {"http", "https"} or not url.host:
        msg = f"{text!r} is not the http:// or https:// URL of a service"
        raise ValueError(msg)
    if url.query or url.fragment or url.userinfo:
        msg = f"{text!r} has more than a scheme, a host and a path"
        raise ValueError(msg)
    return url
