"""The client of the real service: it forwards requests byte for byte."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx

from soundstage.exchange.redaction import HeaderPair
from soundstage.openapi.body import EVENT_STREAM, essence
from soundstage.server.exchange import group_headers

CONNECT_SECONDS = 10.0

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection "
    b"te trailer transfer-encoding upgrade".split()
)
"""Headers that apply to one connection only (RFC 9110, 7.6.1)."""


class UpstreamError(Exception):
    """The real service sent no response; ``status`` is that of a gateway (502, 504)."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class UpstreamRequest:
    """A request as the client sent it; ``content`` is None if it has no body."""

    method: str
    target: bytes
    headers: list[HeaderPair]
    content: AsyncIterator[bytes] | None


class Upstream:
    """The service at one base URL. Raises ``ValueError`` if that is invalid.

    ``timeout_s`` is the maximum time in seconds without data from the service.
    """

    def __init__(
        self, url: str, timeout_s: float, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.url = _parse_base_url(url)
        self._timeout_s = timeout_s
        # Streams of events keep connections open, so they must not be limited.
        limits = httpx.Limits(max_connections=None)
        self._client = httpx.AsyncClient(transport=transport, limits=limits)
        accepted = self._client.headers["accept-encoding"]
        self.codings = frozenset(name.strip() for name in accepted.split(","))
        self._base_path = self.url.raw_path.rstrip(b"/")

    @property
    def base_url(self) -> str:
        """The URL without a slash at its end."""
        return str(self.url).rstrip("/")

    @asynccontextmanager
    async def send(self, outgoing: UpstreamRequest) -> AsyncIterator["UpstreamResponse"]:
        """Send a request; yield its response. Raises ``UpstreamError``."""
        # This dict is mutable: the connection reads it again when the body begins.
        timeout = httpx.Timeout(self._timeout_s, connect=CONNECT_SECONDS).as_dict()
        request = httpx.Request(
            outgoing.method,
            self.url,
            headers=self._filter_headers(outgoing.headers),
            content=outgoing.content,
            extensions={
                # The target as it was sent: httpx would normalize a URL.
                "target": self._base_path + outgoing.target,
                "timeout": timeout,
            },
        )
        try:
            response = await self._client.send(request, stream=True)
            try:
                if _is_event_stream(response):
                    timeout["read"] = None  # a stream of events may pause
                yield UpstreamResponse(self, response)
            finally:
                await response.aclose()
        except httpx.TimeoutException as error:
            msg = f"{self.base_url} did not respond within {self._timeout_s:g} s"
            raise UpstreamError(504, msg) from error
        except httpx.RequestError as error:
            reason = str(error) or type(error).__name__
            msg = f"{self.base_url} cannot be reached: {reason}"
            raise UpstreamError(502, msg) from error

    def rewrite_location(self, location: bytes) -> bytes:
        """Return a URL of the service as a path at the proxy; other URLs unchanged."""
        base = self.base_url.encode("latin-1")
        rest = location.removeprefix(base)
        if rest != location and rest[:1] in {b"", b"/", b"?"}:
            return rest if rest.startswith(b"/") else b"/" + rest
        return location

    def _filter_headers(self, headers: list[HeaderPair]) -> list[HeaderPair]:
        return [
            (name, self._filter_codings(value) if name == b"accept-encoding" else value)
            for name, value in filter_end_to_end(headers)
            if name != b"host"  # httpx sets that of the service
        ]

    def _filter_codings(self, value: bytes) -> bytes:
        # A response in a coding that cannot be decoded could not be validated.
        offers = [offer.strip() for offer in value.decode("latin-1").split(",")]
        known = self.codings | {"identity"}
        usable = [o for o in offers if o.partition(";")[0].strip().lower() in known]
        return ", ".join(usable or ["identity"]).encode("latin-1")

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


@dataclass(frozen=True, slots=True)
class UpstreamResponse:
    """A response whose head has arrived."""

    upstream: Upstream
    response: httpx.Response

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status_code

    @property
    def headers(self) -> tuple[HeaderPair, ...]:
        """The headers for the client, with a location at the proxy."""
        raw = [(name.lower(), value) for name, value in self.response.headers.raw]
        rewrite = self.upstream.rewrite_location
        return tuple(
            (name, rewrite(value) if name == b"location" else value)
            for name, value in filter_end_to_end(raw)
        )

    def iterate_chunks(self) -> AsyncIterator[bytes]:
        """Yield the body as it arrives, in its content coding."""
        return self.response.aiter_raw()


def filter_end_to_end(headers: Iterable[HeaderPair]) -> list[HeaderPair]:
    """Return the headers that a proxy forwards.

    >>> filter_end_to_end([(b"connection", b"x-hop"), (b"x-hop", b"1"), (b"a", b"2")])
    [(b'a', b'2')]
    """
    pairs = list(headers)
    named = b",".join(group_headers(pairs).get(b"connection", ()))
    dropped = HOP_BY_HOP | {name.strip().lower() for name in named.split(b",")}
    return [pair for pair in pairs if pair[0] not in dropped]


def _is_event_stream(response: httpx.Response) -> bool:
    return essence(response.headers.get("content-type", "")) == EVENT_STREAM


def _parse_base_url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL as error:
        msg = f"{text!r} is not a URL: {error}"
        raise ValueError(msg) from error
    if url.scheme not in {"http", "https"} or not url.host:
        msg = f"{text!r} is not the http:// or https:// URL of a service"
        raise ValueError(msg)
    if url.query or url.fragment or url.userinfo:
        msg = f"{text!r} has more than a scheme, a host and a path"
        raise ValueError(msg)
    return url
