"""One exchange on its way through the proxy, and what is noted of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import Scope

from soundstage.exchange.exchange import RawExchange
from soundstage.exchange.redaction import HeaderPair
from soundstage.openapi.errors import Refused, Violation
from soundstage.openapi.operation import Arguments, Operation
from soundstage.openapi.security import Headers
from soundstage.server.exchange import group_headers
from soundstage.server.recording import NO_PARAMETERS
from soundstage.tools.proxy.bodies import BodyBuffer, RequestBody
from soundstage.world.clock import wall


@dataclass(slots=True)
class ProxiedExchange:
    """What is known of an exchange; whoever finds out more fills it in.

    ``operation`` is None where none has the path, or it cannot be judged. ``body`` and
    ``answer`` are as they came, ``plain_body`` and ``plain_answer`` without content
    codings: None until they are read, or where they cannot be. ``note`` says what else
    is worth a line. ``is_read`` says that the request was judged, ``begun`` that its
    answer has begun to go out.
    """

    scope: Scope
    request_body: RequestBody
    request_headers: Headers
    operation: Operation | None = None
    path_values: Mapping[str, str] = field(default_factory=dict)
    arguments: Arguments | None = None
    request_errors: tuple[Refused, ...] = ()
    decoded_request_body: bytes | None = None
    is_request_validated: bool = False
    is_response_started: bool = False
    status: int | None = None
    response_headers: tuple[HeaderPair, ...] = ()
    response_body: BodyBuffer = field(default_factory=BodyBuffer)
    decoded_response_body: bytes | None = None
    response_violations: tuple[Violation, ...] = ()
    note: str | None = None
    received_at: int = field(default_factory=wall)

    @property
    def target(self) -> bytes:
        """Path and query as they were sent."""
        raw: bytes = self.scope["raw_path"]
        query: bytes = self.scope["query_string"]
        return raw + b"?" + query if query else raw

    @property
    def request_violations(self) -> tuple[Violation, ...]:
        """All that is wrong with the request."""
        return tuple(v for refusal in self.request_errors for v in refusal.violations)

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What is wrong with either side."""
        return self.request_violations + self.response_violations

    @property
    def response_content_type(self) -> str | None:
        """The media type of the answer."""
        types = group_headers(self.response_headers).get(b"content-type")
        return types[-1].decode("latin-1") if types else None


def build_raw_exchange(
    exchange: ProxiedExchange, api: str, base_url: str
) -> RawExchange:
    """The exchange for the journal, its bodies whole where they were kept."""
    kept, answer = exchange.request_body.buffer, exchange.response_body
    body = (
        kept.data
        if exchange.decoded_request_body is None
        else exchange.decoded_request_body
    )
    told = (
        answer.data
        if exchange.decoded_response_body is None
        else exchange.decoded_response_body
    )
    return RawExchange(
        timestamp=exchange.received_at,
        wall_time=exchange.received_at,
        duration_ms=wall() - exchange.received_at,
        api=api,
        operation=exchange.operation,
        method=exchange.scope["method"],
        base_url=base_url,
        path=exchange.scope["raw_path"],
        query=exchange.scope["query_string"],
        parameters=exchange.arguments.parameters
        if exchange.arguments
        else NO_PARAMETERS,
        request_headers=exchange.request_headers,
        request_body=body,
        request_size=kept.size if kept.is_truncated else len(body),
        status=exchange.status,
        response_headers=exchange.response_headers,
        response_body=told,
        response_size=answer.size if answer.is_truncated else len(told),
        violations=exchange.violations,
        fault=None,
    )
