"""Validate the requests and responses that pass the proxy."""

from collections.abc import Collection

import httpx

from soundstage.openapi.body import EVENT_STREAM, essence
from soundstage.openapi.errors import InvalidRequest, RouteNotFound, Violation
from soundstage.openapi.operation import Operation
from soundstage.openapi.parameters import Headers
from soundstage.server.exchange import group_headers
from soundstage.tools.proxy.contract_router import ContractRouter
from soundstage.tools.proxy.proxied_exchange import ProxiedExchange

NOT_MODIFIED = 304
_CONDITIONAL_HEADERS = frozenset({b"if-none-match", b"if-modified-since"})


class UndecodableBody(ValueError):
    """A body whose content coding cannot be decoded."""


class ExchangeValidator:
    """Adds operation, parsed values and violations to exchanges.

    ``codings`` are the content codings that can be decoded.
    """

    def __init__(self, router: ContractRouter, codings: Collection[str]) -> None:
        self._router = router
        self._codings = codings

    def route(self, exchange: ProxiedExchange) -> None:
        """Set the operation of a request, or the error that there is none."""
        scope = exchange.scope
        try:
            routed = self._router.route(scope["method"], scope["raw_path"])
        except RouteNotFound as error:
            exchange.request_errors = () if _is_preflight(exchange) else (error,)
        else:
            exchange.operation = routed.operation
            exchange.path_values = routed.path_values

    def validate_request(self, exchange: ProxiedExchange) -> None:
        """Validate a request once, when its body is complete.

        Credentials must be present; only the service knows whether they are valid.
        """
        body = exchange.request_body
        if exchange.is_request_validated or not body.is_complete.is_set():
            return
        exchange.is_request_validated = True
        if body.buffer.is_truncated:
            exchange.note = "the request body is too long to be validated"
            return
        try:
            decoded = self._decode_body(exchange.request_headers, body.buffer.data)
        except UndecodableBody as error:
            exchange.note = str(error)
            return
        exchange.decoded_request_body = decoded
        if exchange.operation:
            _validate_request_parts(exchange, exchange.operation, decoded)

    def validate_response_head(self, exchange: ProxiedExchange) -> None:
        """Validate the status and the headers of a response before its body."""
        if exchange.operation:
            violations = _find_head_violations(exchange.operation, exchange)
            exchange.response_violations = violations

    def validate_response(self, exchange: ProxiedExchange) -> None:
        """Validate a response that is complete, or the events received so far."""
        if exchange.response_body.is_truncated:
            exchange.note = "the response body is too long to be validated"
            return
        headers = group_headers(exchange.response_headers)
        try:
            decoded = self._decode_body(headers, exchange.response_body.data)
        except UndecodableBody as error:
            exchange.note = str(error)
            self.validate_response_head(exchange)
            return
        exchange.decoded_response_body = decoded
        if operation := exchange.operation:
            violations = _find_response_violations(operation, exchange, decoded)
            exchange.response_violations = violations

    def _decode_body(self, headers: Headers, body: bytes) -> bytes:
        """Return a body without its content codings. Raises ``UndecodableBody``."""
        codings = b",".join(headers.get(b"content-encoding", ())).decode("latin-1")
        names = {name.strip().lower() for name in codings.split(",")}
        unknown = names.difference({"", "identity"}, self._codings)
        if not body or names <= {"", "identity"}:
            return body
        if unknown:
            msg = f"a body with the content coding {min(unknown)!r} cannot be validated"
            raise UndecodableBody(msg)
        header = {"content-encoding": codings}
        try:
            return httpx.Response(200, headers=header, content=body).content
        except httpx.DecodingError as error:
            msg = f"a body is not in its content coding {codings!r}"
            raise UndecodableBody(msg) from error


def _validate_request_parts(exchange: ProxiedExchange, operation: Operation, body: bytes) -> None:
    query, headers = exchange.scope["query_string"], exchange.request_headers
    try:
        _check_credentials_present(operation, query, headers)
    except InvalidRequest as error:
        exchange.request_errors = (error,)
    try:
        exchange.arguments = operation.parse_request(exchange.path_values, query, headers, body)
    except InvalidRequest as error:
        exchange.request_errors = (*exchange.request_errors, error)


def is_event_stream(content_type: str | None) -> bool:
    """Whether a body is a list of events: valid even before its end."""
    return essence(content_type or "") == EVENT_STREAM


def _is_preflight(exchange: ProxiedExchange) -> bool:
    """Whether this is a CORS preflight request, which no contract describes."""
    is_cors = b"access-control-request-method" in exchange.request_headers
    return exchange.scope["method"] == "OPTIONS" and is_cors


def _check_credentials_present(operation: Operation, query: bytes, headers: Headers) -> None:
    """Raise ``Unauthorized`` if credentials are required and none are sent."""
    schemes = operation.security.extractors.items()
    found = {name: extract(headers, query) for name, extract in schemes}
    sent = {name: secret for name, secret in found.items() if secret is not None}
    # Whatever was sent is taken for valid credentials.
    operation.security.with_credentials([sent]).authenticate(headers, query)


def _find_head_violations(operation: Operation, exchange: ProxiedExchange) -> tuple[Violation, ...]:
    status, headers = exchange.status or 0, _decode_response_headers(exchange)
    found = operation.validate_response(status, exchange.response_content_type, "", headers)
    # Violations of the body are about the empty one that replaces it here.
    return tuple(v for v in found if v.rule in {"status", "media type"} or v.name)


def _decode_response_headers(exchange: ProxiedExchange) -> list[tuple[str, str]]:
    headers = exchange.response_headers
    return [(n.decode("latin-1"), v.decode("latin-1")) for n, v in headers]


def _find_response_violations(
    operation: Operation, exchange: ProxiedExchange, body: bytes
) -> tuple[Violation, ...]:
    status = exchange.status or 0
    is_conditional = exchange.request_headers.keys() & _CONDITIONAL_HEADERS
    if status == NOT_MODIFIED and is_conditional:
        return ()  # part of HTTP, not of a contract (RFC 9110, 15.4.5)
    if exchange.scope["method"] == "HEAD":
        return _find_head_violations(operation, exchange)
    kind, headers = exchange.response_content_type, _decode_response_headers(exchange)
    return tuple(operation.validate_response_bytes(status, kind, body, headers))
