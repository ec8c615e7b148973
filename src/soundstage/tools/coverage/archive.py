"""Coverage by HTTP Archives (HAR 1.2), counted like the exchanges of a journal."""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import SplitResult, urlsplit

from soundstage.exchange.coverage import Coverage
from soundstage.exchange.exchange import RawExchange
from soundstage.exchange.har import read_har
from soundstage.exchange.recorded import HeaderList, RecordedExchange
from soundstage.openapi.contract import Contract
from soundstage.openapi.errors import InvalidRequest, Violation
from soundstage.openapi.operation import Operation
from soundstage.openapi.parameters import Headers
from soundstage.openapi.router import Router
from soundstage.server.control import CONTROL_PREFIX
from soundstage.server.exchange import group_headers
from soundstage.types import Json, JsonObject

MatchedOperation = tuple[str, Operation, Mapping[str, str]]
"""The name of an API, its operation, and the path parameters."""


class ArchiveCoverage:
    """Counts archives; ``unmatched`` are the requests that no contract has."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._contracts = {contract.name: contract for contract in contracts}
        self._routers = {name: _build_router(c) for name, c in self._contracts.items()}
        self.coverage = Coverage()
        self.unmatched: list[str] = []

    def count(self, har: JsonObject) -> int:
        """Count each exchange; return their number. Raises ``ValueError``."""
        exchanges = read_har(har)
        for exchange in exchanges:
            self._count_exchange(exchange)
        return len(exchanges)

    def _count_exchange(self, exchange: RecordedExchange) -> None:
        url = urlsplit(exchange.url)
        segments = url.path.encode().split(b"/")[1:]
        if segments[:1] and segments[0].startswith(b"~"):
            segments = segments[1:]  # the prefix of a named world
        if segments[:1] == [CONTROL_PREFIX.encode()]:
            return
        matched = self._match_operation(exchange, url.hostname or "", segments)
        if matched is None:
            self.unmatched.append(f"{exchange.method} {exchange.url}")
        else:
            self.coverage.count(_build_exchange(exchange, url, matched))

    def _match_operation(
        self, exchange: RecordedExchange, host: str, segments: list[bytes]
    ) -> MatchedOperation | None:
        """Return the operation, if exactly one API has it."""
        contracts, method = self._contracts, exchange.method
        names = [exchange.api] if exchange.api in contracts else [*contracts]
        by_host = [name for name in names if host.lower() in contracts[name].hosts]
        matched = {}
        for name in by_host or names:
            for path in _iter_candidate_paths(contracts[name], segments):
                match = self._routers[name].find(path, method)
                if match and (operation := match.methods.get(method)):
                    matched[name] = (name, operation, match.values)
                    break
        return next(iter(matched.values())) if len(matched) == 1 else None


def _build_router(contract: Contract) -> Router[Operation]:
    router: Router[Operation] = Router()
    for operation in contract.operations.values():
        router.add(operation.method, operation.path, operation)
    return router


def _iter_candidate_paths(contract: Contract, segments: list[bytes]) -> Iterator[bytes]:
    """Yield the path, also without the prefix of the API or of a server's URL."""
    yield b"/" + b"/".join(segments)
    bases = {
        tuple(urlsplit(s["url"]).path.strip("/").encode().split(b"/"))
        for s in contract.document.get("servers", ())
    }
    for base in [(contract.name.encode(),), *sorted(bases)]:
        if tuple(segments[: len(base)]) == base:
            yield b"/" + b"/".join(segments[len(base) :])


def _build_exchange(
    exchange: RecordedExchange, url: SplitResult, matched: MatchedOperation
) -> RawExchange:
    api, operation, path_values = matched
    query, body = url.query.encode(), exchange.request_body
    headers = group_headers(
        (name.lower(), value) for name, value in _encode(exchange.request_headers)
    )
    if body and b"content-type" not in headers:
        headers[b"content-type"] = [exchange.request_type.encode("latin-1", "replace")]
    parameters, violations = _parse(operation, path_values, query, headers, body)
    # Browsers record the media type even where a header is missing.
    response_headers = (*exchange.response_headers, ("content-type", exchange.response_type))
    return RawExchange(
        timestamp=0,
        wall_time=0,
        duration_ms=0,
        api=api,
        operation=operation,
        method=operation.method,
        base_url="",
        path=url.path.encode(),
        query=query,
        parameters=parameters,
        request_headers=headers,
        request_body=body,
        request_size=len(body),
        status=exchange.status or None,
        response_headers=_encode(response_headers),
        response_body=exchange.response_body,
        response_size=len(exchange.response_body),
        violations=violations,
        fault=None,
    )


def _parse(
    operation: Operation,
    path_values: Mapping[str, str],
    query: bytes,
    headers: Headers,
    body: bytes,
) -> tuple[Mapping[str, Json], tuple[Violation, ...]]:
    try:
        return operation.parse_request(path_values, query, headers, body).parameters, ()
    except InvalidRequest as error:
        return {}, error.violations


def _encode(headers: HeaderList) -> tuple[tuple[bytes, bytes], ...]:
    return tuple(
        (name.encode("latin-1", "replace"), value.encode("latin-1", "replace"))
        for name, value in headers
    )
