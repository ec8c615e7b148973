"""Requests and answers held against the contract they are said to keep."""

from collections.abc import Collection

import httpx

from soundstage.openapi.body import EVENTS, essence
from soundstage.openapi.errors import Refused, Unrouted, Violation
from soundstage.openapi.operation import Operation
from soundstage.openapi.security import Headers
from soundstage.server.exchange import group_headers
from soundstage.tools.proxy.contract_router import ContractRouter
from soundstage.tools.proxy.proxied_exchange import ProxiedExchange

NOT_MODIFIED = 304
_CONDITIONAL_HEADERS = frozenset({b"if-none-match", b"if-modified-since"})


class UndecodableBody(ValueError):
    """A body that is packed in a way that cannot be undone."""


class ExchangeValidator:
    """Fills in what is wrong with an exchange. ``codings`` are those it can undo."""

    def __init__(self, router: ContractRouter, codings: Collection[str]) -> None:
        self._router = router
        self._codings = codings

    def route(self, exchange: ProxiedExchange) -> None:
        """Find the operation of a request."""
        scope = exchange.scope
        try:
            routed = self._router.route(scope["method"], scope["raw_path"])
        except Unrouted as error:
            exchange.request_errors = () if _is_preflight(exchange) else (error,)
        else:
            exchange.operation, exchange.path_values = (
                routed.operation,
                routed.path_values,
            )

    def validate_request(self, exchange: ProxiedExchange) -> None:
        """Judge a request that has come to its end.

        Whose its secrets are is not for us to say, only that there are some.
        """
        if (
            exchange.is_request_validated
            or not exchange.request_body.is_complete.is_set()
        ):
            return
        exchange.is_request_validated = True
        if exchange.request_body.buffer.is_truncated:
            exchange.note = "its body is too long to be judged"
            return
        try:
            exchange.decoded_request_body = self._decode_body(
                exchange.request_headers, exchange.request_body.buffer.data
            )
        except UndecodableBody as error:
            exchange.note = str(error)
            return
        if exchange.operation:
            self._validate_request_parts(
                exchange, exchange.operation, exchange.decoded_request_body
            )

    def _validate_request_parts(
        self, exchange: ProxiedExchange, operation: Operation, body: bytes
    ) -> None:
        query = exchange.scope["query_string"]
        try:
            _check_credentials_present(operation, query, exchange.request_headers)
        except Refused as error:
            exchange.request_errors = (error,)
        try:
            exchange.arguments = operation.read(
                exchange.path_values, query, exchange.request_headers, body
            )
        except Refused as error:
            exchange.request_errors = (*exchange.request_errors, error)

    def validate_response_head(self, exchange: ProxiedExchange) -> None:
        """Judge what can be said of an answer whose body is still to come."""
        if exchange.operation:
            wrong = _find_head_violations(exchange.operation, exchange)
            exchange.response_violations = wrong

    def validate_response(self, exchange: ProxiedExchange) -> None:
        """Judge an answer that has come to its end, or events that have come so far."""
        if exchange.response_body.is_truncated:
            exchange.note = "its answer is too long to be judged"
            return
        headers = group_headers(exchange.response_headers)
        try:
            exchange.decoded_response_body = self._decode_body(
                headers, exchange.response_body.data
            )
        except UndecodableBody as error:
            exchange.note = str(error)
            self.validate_response_head(exchange)
            return
        if exchange.operation:
            wrong = _find_response_violations(
                exchange.operation, exchange, exchange.decoded_response_body
            )
            exchange.response_violations = wrong

    def _decode_body(self, headers: Headers, body: bytes) -> bytes:
        """A body without its content codings. Raises ``Unreadable``."""
        codings = b",".join(headers.get(b"content-encoding", ())).decode("latin-1")
        names = {name.strip().lower() for name in codings.split(",")}
        strange = names.difference({"", "identity"}, self._codings)
        if not body or names <= {"", "identity"}:
            return body
        if strange:
            raise UndecodableBody(f"a body in {min(strange)!r} cannot be judged here")
        try:
            packed = httpx.Response(
                200, headers={"content-encoding": codings}, content=body
            )
        except httpx.DecodingError as error:
            raise UndecodableBody(f"a body is not {codings!r} as it says") from error
        return packed.content


def is_event_stream(content_type: str | None) -> bool:
    """Whether a body is a list of events, of which the first ones are a list too."""
    return essence(content_type or "") == EVENTS


def _is_preflight(exchange: ProxiedExchange) -> bool:
    """Whether a browser asks what it may ask, which no contract mentions."""
    asks = b"access-control-request-method" in exchange.request_headers
    return exchange.scope["method"] == "OPTIONS" and asks


def _check_credentials_present(
    operation: Operation, query: bytes, headers: Headers
) -> None:
    """Raise ``Unauthorized`` where a secret is asked for and none is sent."""
    schemes = operation.security.schemes.items()
    given = {name: find(headers, query) for name, find in schemes}
    presented = {name: secret for name, secret in given.items() if secret is not None}
    operation.security.among([presented]).admit(headers, query)


def _find_head_violations(
    operation: Operation, exchange: ProxiedExchange
) -> tuple[Violation, ...]:
    status, headers = exchange.status or 0, _decode_response_headers(exchange)
    said = operation.judge(status, exchange.response_content_type, "", headers)
    return tuple(v for v in said if v.rule in {"status", "media type"} or v.name)


def _decode_response_headers(exchange: ProxiedExchange) -> list[tuple[str, str]]:
    """The headers of the answer."""
    headers = exchange.response_headers
    return [(n.decode("latin-1"), v.decode("latin-1")) for n, v in headers]


def _find_response_violations(
    operation: Operation, exchange: ProxiedExchange, body: bytes
) -> tuple[Violation, ...]:
    status, method = exchange.status or 0, exchange.scope["method"]
    if (
        status == NOT_MODIFIED
        and exchange.request_headers.keys() & _CONDITIONAL_HEADERS
    ):
        return ()  # HTTP's own, for those who have the answer already (RFC 9110)
    if method == "HEAD":
        return _find_head_violations(operation, exchange)
    kind, headers = exchange.response_content_type, _decode_response_headers(exchange)
    return tuple(operation.judge_bytes(status, kind, body, headers))
