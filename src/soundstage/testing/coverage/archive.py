"""An HTTP Archive (HAR 1.2), of whatever made it, counted like a journal."""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from soundstage.contract.contract import Contract
from soundstage.contract.operation import Operation
from soundstage.contract.route import Router
from soundstage.contract.violation import Refused, Violation
from soundstage.server.control import PREFIX
from soundstage.server.exchange import by_name
from soundstage.server.journal.coverage import Coverage
from soundstage.server.journal.entry import Seen
from soundstage.testing.har import body_of, each, posted_of
from soundstage.types import Document, Json

Found = tuple[str, Operation, Mapping[str, str]]
"""The API, its operation, and the values in the path."""


class Archive:
    """Counts archives by these contracts. ``strays`` are requests of none of them."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._contracts = {contract.name: contract for contract in contracts}
        self._routers = {name: _router(c) for name, c in self._contracts.items()}
        self.coverage = Coverage()
        self.strays: list[str] = []

    def count(self, har: Document) -> int:
        """Count every exchange; gives their number. Raises ``ValueError``."""
        return len(each(har, self._count))

    def _count(self, entry: Document) -> None:
        request = entry["request"]
        url = urlsplit(request["url"])
        segments = url.path.encode().split(b"/")[1:]
        if segments[:1] and segments[0].startswith(b"~"):
            segments = segments[1:]  # a world of ours
        if segments[:1] == [PREFIX.encode()]:
            return
        found = self._found(entry, url.hostname or "", segments)
        if found is None:
            self.strays.append(f"{request['method']} {request['url']}")
        else:
            self.coverage.count(_seen(entry, found, url.query.encode()))

    def _found(self, entry: Document, host: str, segments: list[bytes]) -> Found | None:
        """The one operation that this is a request for."""
        contracts = self._contracts
        names = [entry["_api"]] if entry.get("_api") in contracts else [*contracts]
        by_host = [name for name in names if host.lower() in contracts[name].hosts]
        found = {}
        for name in by_host or names:
            for path in _paths(contracts[name], segments):
                match = self._routers[name].find(path, entry["request"]["method"])
                if match and (o := match.methods.get(entry["request"]["method"])):
                    found[name] = (name, o, match.values)
                    break
        return next(iter(found.values())) if len(found) == 1 else None


def _router(contract: Contract) -> Router[Operation]:
    router: Router[Operation] = Router()
    for operation in contract.operations.values():
        router.add(operation.method, operation.path, operation)
    return router


def _paths(contract: Contract, segments: list[bytes]) -> Iterator[bytes]:
    """The path as it is, after our own prefix, and after the path of a server."""
    yield b"/" + b"/".join(segments)
    bases = {
        tuple(urlsplit(s["url"]).path.strip("/").encode().split(b"/"))
        for s in contract.document.get("servers", ())
    }
    for base in [(contract.name.encode(),), *sorted(bases)]:
        if tuple(segments[: len(base)]) == base:
            yield b"/" + b"/".join(segments[len(base) :])


def _seen(entry: Document, found: Found, query: bytes) -> Seen:
    api, operation, values = found
    request, response = entry["request"], entry["response"]
    headers = by_name((n.lower(), v) for n, v in _pairs(request.get("headers", ())))
    body = posted_of(request.get("postData"))
    if body and b"content-type" not in headers:
        kind = request["postData"].get("mimeType", "")
        headers[b"content-type"] = [kind.encode("latin-1", "replace")]
    parameters: Mapping[str, Json] = {}
    violations: tuple[Violation, ...] = ()
    try:
        parameters = operation.read(values, query, headers, body).parameters
    except Refused as error:
        violations = error.violations
    answer = body_of(response.get("content") or {})
    return Seen(
        at=0,
        wall=0,
        took=0,
        api=api,
        operation=operation,
        method=operation.method,
        base_url="",
        path=urlsplit(request["url"]).path.encode(),
        query=query,
        parameters=parameters,
        headers=headers,
        body=body,
        body_size=len(body),
        status=response["status"] or None,
        answer_headers=_answer_headers(response),
        answer_body=answer,
        answer_size=len(answer),
        violations=violations,
        fault=None,
    )


def _pairs(records: Iterable[Document]) -> list[tuple[bytes, bytes]]:
    return [
        (
            r["name"].encode("latin-1", "replace"),
            r["value"].encode("latin-1", "replace"),
        )
        for r in records
        if not r["name"].startswith(":")  # HTTP/2's
    ]


def _answer_headers(response: Document) -> tuple[tuple[bytes, bytes], ...]:
    """What a browser says of the type holds where the header is missing."""
    kind = (response.get("content") or {}).get("mimeType") or ""
    pairs = _pairs(response.get("headers", ()))
    return (*pairs, (b"content-type", kind.encode("latin-1", "replace")))
