"""An HTTP Archive (HAR 1.2), of whatever made it, counted like a journal."""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from soundstage.exchange.coverage import Coverage
from soundstage.exchange.exchange import RawExchange
from soundstage.exchange.har import decode_content, decode_post_data, read_entries
from soundstage.openapi.contract import Contract
from soundstage.openapi.errors import Refused, Violation
from soundstage.openapi.operation import Operation
from soundstage.openapi.router import Router
from soundstage.server.control import CONTROL_PREFIX
from soundstage.server.exchange import group_headers
from soundstage.types import Document, Json

MatchedOperation = tuple[str, Operation, Mapping[str, str]]
"""The API, its operation, and the values in the path."""


class ArchiveCoverage:
    """Counts archives by these contracts. ``strays`` are requests of none of them."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._contracts = {contract.name: contract for contract in contracts}
        self._routers = {name: _build_router(c) for name, c in self._contracts.items()}
        self.coverage = Coverage()
        self.unmatched: list[str] = []

    def count(self, har: Document) -> int:
        """Count every exchange; gives their number. Raises ``ValueError``."""
        return len(read_entries(har, self._count_entry))

    def _count_entry(self, entry: Document) -> None:
        request = entry["request"]
        url = urlsplit(request["url"])
        segments = url.path.encode().split(b"/")[1:]
        if segments[:1] and segments[0].startswith(b"~"):
            segments = segments[1:]  # a world of ours
        if segments[:1] == [CONTROL_PREFIX.encode()]:
            return
        found = self._match_operation(entry, url.hostname or "", segments)
        if found is None:
            self.unmatched.append(f"{request['method']} {request['url']}")
        else:
            self.coverage.count(_build_exchange(entry, found, url.query.encode()))

    def _match_operation(
        self, entry: Document, host: str, segments: list[bytes]
    ) -> MatchedOperation | None:
        """The one operation that this is a request for."""
        contracts = self._contracts
        names = [entry["_api"]] if entry.get("_api") in contracts else [*contracts]
        by_host = [name for name in names if host.lower() in contracts[name].hosts]
        found = {}
        for name in by_host or names:
            for path in _iter_candidate_paths(contracts[name], segments):
                match = self._routers[name].find(path, entry["request"]["method"])
                if match and (o := match.methods.get(entry["request"]["method"])):
                    found[name] = (name, o, match.values)
                    break
        return next(iter(found.values())) if len(found) == 1 else None


def _build_router(contract: Contract) -> Router[Operation]:
    router: Router[Operation] = Router()
    for operation in contract.operations.values():
        router.add(operation.method, operation.path, operation)
    return router


def _iter_candidate_paths(contract: Contract, segments: list[bytes]) -> Iterator[bytes]:
    """The path as it is, after our own prefix, and after the path of a server."""
    yield b"/" + b"/".join(segments)
    bases = {
        tuple(urlsplit(s["url"]).path.strip("/").encode().split(b"/"))
        for s in contract.document.get("servers", ())
    }
    for base in [(contract.name.encode(),), *sorted(bases)]:
        if tuple(segments[: len(base)]) == base:
            yield b"/" + b"/".join(segments[len(base) :])


def _build_exchange(
    entry: Document, matched: MatchedOperation, query: bytes
) -> RawExchange:
    api, operation, values = matched
    request, response = entry["request"], entry["response"]
    headers = group_headers(
        (n.lower(), v) for n, v in _encode_headers(request.get("headers", ()))
    )
    body = decode_post_data(request.get("postData"))
    if body and b"content-type" not in headers:
        kind = request["postData"].get("mimeType", "")
        headers[b"content-type"] = [kind.encode("latin-1", "replace")]
    parameters: Mapping[str, Json] = {}
    violations: tuple[Violation, ...] = ()
    try:
        parameters = operation.read(values, query, headers, body).parameters
    except Refused as error:
        violations = error.violations
    answer = decode_content(response.get("content") or {})
    return RawExchange(
        timestamp=0,
        wall_time=0,
        duration_ms=0,
        api=api,
        operation=operation,
        method=operation.method,
        base_url="",
        path=urlsplit(request["url"]).path.encode(),
        query=query,
        parameters=parameters,
        request_headers=headers,
        request_body=body,
        request_size=len(body),
        status=response["status"] or None,
        response_headers=_encode_response_headers(response),
        response_body=answer,
        response_size=len(answer),
        violations=violations,
        fault=None,
    )


def _encode_headers(records: Iterable[Document]) -> list[tuple[bytes, bytes]]:
    return [
        (
            r["name"].encode("latin-1", "replace"),
            r["value"].encode("latin-1", "replace"),
        )
        for r in records
        if not r["name"].startswith(":")  # HTTP/2's
    ]


def _encode_response_headers(response: Document) -> tuple[tuple[bytes, bytes], ...]:
    """What a browser says of the type holds where the header is missing."""
    kind = (response.get("content") or {}).get("mimeType") or ""
    pairs = _encode_headers(response.get("headers", ()))
    return (*pairs, (b"content-type", kind.encode("latin-1", "replace")))
