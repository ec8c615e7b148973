"""One exchange in progress at the proxy."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import Scope

from soundstage.exchange.exchange import RawExchange
from soundstage.exchange.redaction import HeaderPair
from soundstage.openapi.errors import InvalidRequest, Violation
from soundstage.openapi.operation import Arguments, Operation
from soundstage.openapi.parameters import Headers
from soundstage.server.exchange import group_headers
from soundstage.server.recording import NO_PARAMETERS
from soundstage.tools.proxy.bodies import BodyBuffer, RequestBody
from soundstage.world.clock import wall_clock_now


@dataclass(slots=True)
class ProxiedExchange:
    """The state of an exchange, filled in while it is forwarded and validated.

    ``operation`` is None if no path matches, or if it was not compiled. Decoded bodies
    have no content coding; they are None before, and if that is impossible. ``note``
    is a remark for the log. ``received_at`` is in ms since the epoch.
    """

    scope: Scope
    request_body: RequestBody
    request_headers: Headers
    operation: Operation | None = None
    path_values: Mapping[str, str] = field(default_factory=dict)
    arguments: Arguments | None = None
    request_errors: tuple[InvalidRequest, ...] = ()
    decoded_request_body: bytes | None = None
    is_request_validated: bool = False
    is_response_started: bool = False
    status: int | None = None
    response_headers: tuple[HeaderPair, ...] = ()
    response_body: BodyBuffer = field(default_factory=BodyBuffer)
    decoded_response_body: bytes | None = None
    response_violations: tuple[Violation, ...] = ()
    note: str | None = None
    received_at: int = field(default_factory=wall_clock_now)

    @property
    def target(self) -> bytes:
        """Path and query as the client sent them."""
        raw: bytes = self.scope["raw_path"]
        query: bytes = self.scope["query_string"]
        return raw + b"?" + query if query else raw

    @property
    def request_violations(self) -> tuple[Violation, ...]:
        """The violations of the request."""
        return tuple(v for error in self.request_errors for v in error.violations)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """The violations of both sides."""
        return self.request_violations + self.response_violations

    @property
    def response_content_type(self) -> str | None:
        """The Content-Type of the response, if it has one."""
        types = group_headers(self.response_headers).get(b"content-type")
        return types[-1].decode("latin-1") if types else None


def build_raw_exchange(exchange: ProxiedExchange, api: str, base_url: str) -> RawExchange:
    """Return the exchange for journal and archive, with its bodies as buffered."""
    arguments = exchange.arguments
    request_body, request_size = _decoded_or_raw(
        exchange.decoded_request_body, exchange.request_body.buffer
    )
    response_body, response_size = _decoded_or_raw(
        exchange.decoded_response_body, exchange.response_body
    )
    return RawExchange(
        timestamp=exchange.received_at,
        wall_time=exchange.received_at,
        duration_ms=wall_clock_now() - exchange.received_at,
        api=api,
        operation=exchange.operation,
        method=exchange.scope["method"],
        base_url=base_url,
        path=exchange.scope["raw_path"],
        query=exchange.scope["query_string"],
        parameters=arguments.parameters if arguments else NO_PARAMETERS,
        request_headers=exchange.request_headers,
        request_body=request_body,
        request_size=request_size,
        status=exchange.status,
        response_headers=exchange.response_headers,
        response_body=response_body,
        response_size=response_size,
        violations=exchange.violations,
        fault=None,
    )


def _decoded_or_raw(decoded: bytes | None, buffer: BodyBuffer) -> tuple[bytes, int]:
    """Return the decoded body if there is one, else the raw one, and the full size."""
    body = buffer.data if decoded is None else decoded
    return body, buffer.size if buffer.is_truncated else len(body)
