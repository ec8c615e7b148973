"""Bugs, planted between a client and the notes API; each in a world of its own."""

import json
from collections.abc import Awaitable, Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import count
from urllib.parse import parse_qsl, urlencode

import httpx

from mutants.notes import DOCUMENT, KEY, service
from soundstage.server.app import Dispatcher
from soundstage.server.background import FROZEN_OPTIONS
from soundstage.server.hosts import Worlds

LIST, CREATE, GET, REPLACE, DELETE = (
    ("get", "/notes"),
    ("post", "/notes"),
    ("get", "/notes/{noteID}"),
    ("put", "/notes/{noteID}"),
    ("delete", "/notes/{noteID}"),
)


@dataclass(frozen=True)
class Message:
    """A request or a response, as bytes."""

    method: str = ""
    target: bytes = b""
    status: int = 0
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.target.partition(b"?")[2].decode("latin-1")))

    def header(self, name: bytes) -> bytes:
        return next((v for n, v in self.headers if n.lower() == name), b"")

    def without_header(self, name: bytes) -> "Message":
        return replace(self, headers=tuple(p for p in self.headers if p[0].lower() != name))

    def with_header(self, name: bytes, value: bytes) -> "Message":
        kept = self.without_header(name)
        return replace(kept, headers=(*kept.headers, (name, value)))

    def with_query(self, **query: str | None) -> "Message":
        path = self.target.partition(b"?")[0]
        kept = {n: v for n, v in {**self.query, **query}.items() if v is not None}
        return replace(self, target=path + b"?" + urlencode(kept).encode())

    def with_json(self, value) -> "Message":
        body = json.dumps(value).encode()
        return replace(self, body=body).with_header(b"content-length", b"%d" % len(body))


On = Callable[[Message], Awaitable[Message]]


@dataclass(frozen=True)
class Bug:
    """``break_it`` wraps the server; ``caught_by`` are the checks that detect it."""

    name: str
    description: str
    operations: tuple[tuple[str, str], ...]
    parameters: frozenset[str]
    caught_by: frozenset[str]
    break_it: Callable[[Message, On], Awaitable[Message]]


BUGS: dict[str, Bug] = {}


def bug(*operations: tuple[str, str], caught_by: str, parameters: str = "", bugs=BUGS):
    """Register a bug in operations that have only these query parameters."""

    def plant(break_it):
        name, description = break_it.__name__, break_it.__doc__
        words = frozenset(parameters.split()), frozenset(caught_by.split())
        bugs[name] = Bug(name, description, operations, *words, break_it)
        return break_it

    return plant


SOUND = "sound"
"""The name of the API without a bug."""


@bug(LIST, caught_by="status_code_conformance")
async def wrong_status(sent, on):
    """an undocumented status"""
    got = await on(sent)
    return replace(got, status=203) if got.status == 200 else got


@bug(LIST, caught_by="response_schema_conformance")
async def missing_field(sent, on):
    """a required field is missing from the items of a list"""
    got = await on(sent)
    if got.status != 200:
        return got
    notes = [{k: note[k] for k in note if k != "status"} for note in got.json["notes"]]
    return got.with_json({**got.json, "notes": notes})


@bug(LIST, caught_by="content_type_conformance")
async def wrong_content_type(sent, on):
    """JSON with a wrong media type"""
    return (await on(sent)).with_header(b"content-type", b"text/html")


@bug(LIST, caught_by="response_headers_conformance")
async def missing_header(sent, on):
    """a required header is missing from the response"""
    return (await on(sent)).without_header(b"x-total")


@bug(LIST, caught_by="unsupported_method")
async def missing_allow(sent, on):
    """405 without the header Allow"""
    return (await on(sent)).without_header(b"allow")


@bug(LIST, caught_by="allow_header_conformance")
async def wrong_allow(sent, on):
    """405 with undocumented methods in Allow"""
    got = await on(sent)
    return got.with_header(b"allow", b"GET, PURGE") if got.status == 405 else got


@bug(GET, caught_by="unsupported_method")
async def any_method(sent, on):
    """an undocumented method is served"""
    got = await on(sent)
    return got if got.status != 405 else replace(got, status=200)


@bug(LIST, caught_by="ignored_auth")
async def ignored_auth(sent, on):
    """credentials are not checked"""
    return await on(sent.with_header(b"x-key", KEY.encode()))


@bug(LIST, caught_by="missing_required_header", parameters="X-Client")
async def optional_header(sent, on):
    """a required header may be left out"""
    return await on(sent if sent.header(b"x-client") else sent.with_header(b"x-client", b"web"))


@bug(LIST, caught_by="negative_data_rejection", parameters="status")
async def bad_enum(sent, on):
    """a value outside the enum is accepted"""
    status = sent.query.get("status", "open")
    return await on(
        sent if status in {"open", "done", "dropped"} else sent.with_query(status="open")
    )


@bug(CREATE, caught_by="positive_data_acceptance")
async def too_strict(sent, on):
    """a valid body is rejected"""
    got = await on(sent)
    return refused() if got.status == 201 and len(got.json["title"]) < 3 else got


@bug(CREATE, caught_by="not_a_server_error")
async def odd_bytes(sent, on):
    """500 for a body with non-ASCII text"""
    odd = any(byte > 127 for byte in sent.body) or b"\\u" in sent.body
    return replace(refused(), status=500) if odd else await on(sent)


@bug(LIST, caught_by="filters_apply", parameters="status")
async def ignored_filter(sent, on):
    """a filter is validated but not applied"""
    got = await on(sent)
    return await on(sent.with_query(status=None)) if got.status == 200 else got


@bug(LIST, caught_by="order_holds", parameters="sort order")
async def ignored_order(sent, on):
    """the sort direction is validated but not applied"""
    got = await on(sent)
    return await on(sent.with_query(order="asc")) if got.status == 200 else got


@bug(LIST, caught_by="pages_tile", parameters="page itemsPerPage")
async def overlapping_pages(sent, on):
    """a page begins with the last item of the previous page"""
    got = await on(sent)
    page = int(sent.query.get("page", 1)) if got.status == 200 else 1
    if page == 1:
        return got
    before = (await on(sent.with_query(page=str(page - 1)))).json["notes"]
    notes = [*before[-1:], *got.json["notes"]][: int(sent.query.get("itemsPerPage", 4))]
    return got.with_json({**got.json, "notes": notes})


@bug(LIST, caught_by="pages_tile", parameters="page itemsPerPage")
async def too_many_items(sent, on):
    """the page size is ignored"""
    got = await on(sent)
    return await on(sent.with_query(itemsPerPage="20")) if got.status == 200 else got


@bug(LIST, caught_by="reads_repeat")
async def unsteady_read(sent, on, seen=count()):  # noqa: B008 - it counts all calls
    """the same request returns a different response each time"""
    got = await on(sent)
    return got.with_json({**got.json, "asked": next(seen)}) if got.status == 200 else got


@bug(CREATE, GET, DELETE, caught_by="writes_are_kept")
async def lost_record(sent, on):
    """a created resource cannot be read"""
    got = await on(sent)
    if got.status == 201:
        target = sent.target.partition(b"?")[0] + b"/" + got.json["noteID"].encode()
        kept = sent.without_header(b"content-type").without_header(b"content-length")
        await on(replace(kept, method="DELETE", target=target, body=b""))
    return got


@bug(GET, REPLACE, caught_by="writes_are_kept")
async def lost_update(sent, on):
    """a replaced resource is unchanged"""
    if sent.method != "PUT":
        return await on(sent)
    before = await on(replace(sent.without_header(b"content-type"), method="GET", body=b""))
    got = await on(sent)
    if got.status == 200:
        kept = {name: before.json[name] for name in ("title", "status")}
        await on(sent.with_json(kept))
    return got


@bug(CREATE, GET, DELETE, caught_by="deletes_are_kept")
async def used_after_deletion(sent, on):
    """a deleted resource can still be used"""
    if sent.method != "DELETE":
        return await on(sent)
    there = await on(replace(sent, method="GET"))
    return Message(status=204) if there.status == 200 else await on(sent)


@bug(LIST, caught_by="violations_are_told", parameters="page")
async def false_blame(sent, on):
    """the reported violations differ from the real ones"""
    got = await on(sent)
    violations = b'[{"in":"query","name":"limit","rule":"maximum","message":"no"}]'
    return got.with_header(b"soundstage-violations", violations) if got.status == 400 else got


def refused() -> Message:
    body = b'{"message": "no"}'
    return Message(status=400, headers=((b"content-type", b"application/json"),), body=body)


def document(bugs=BUGS) -> dict:
    """Build a document with the correct API, and the operations of each bug."""
    paths: dict = {}
    for path, item in DOCUMENT["paths"].items():
        for method in item.keys() - {"parameters"}:
            _add(paths, SOUND, method, path, None)
    for planted in bugs.values():
        for method, path in planted.operations:
            _add(paths, planted.name, method, path, planted.parameters)
    return {**DOCUMENT, "paths": paths}


def _add(paths: dict, home: str, method: str, path: str, names) -> None:
    """Add an operation below the name of a bug; ``None`` keeps all parameters."""
    vendor = DOCUMENT["paths"][path]
    node = deepcopy(vendor[method])
    node["operationId"] = f"{home}.{node['operationId']}"
    if names is not None:
        given = node.pop("parameters", [])
        node["parameters"] = [one for one in given if one["name"] in names]
    shared = {k: vendor[k] for k in vendor if k == "parameters"}
    paths.setdefault(f"/{home}{path}", shared)[method] = node


class Broken:
    """The API with its bugs, as one ASGI application."""

    def __init__(self, bugs=BUGS) -> None:
        self._bugs = bugs
        self.asked: list[tuple[str, bytes]] = []
        made = service()
        self._inner = httpx.ASGITransport(Dispatcher(Worlds({made.name: made}, FROZEN_OPTIONS)))
        self._paths = document(bugs)["paths"]

    async def __call__(self, scope, receive, send) -> None:
        body = b""
        while True:
            event = await receive()
            body += event.get("body", b"")
            if not event.get("more_body"):
                break
        target = scope["raw_path"]
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        headers = tuple((n, v) for n, v in scope["headers"])
        sent = Message(scope["method"], target, 0, headers, body)
        got = await self._respond(sent)
        start = {"status": got.status, "headers": list(got.headers)}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": got.body})

    async def _respond(self, sent: Message) -> Message:
        self.asked.append((sent.method, sent.target))
        home = sent.target[1:].partition(b"/")[0].decode("latin-1")
        sent = replace(sent, target=sent.target[len(home) + 1 :])
        methods = self._methods(home, sent)
        if sent.method not in methods:
            sent = replace(sent, method="TRACE")  # which the server does not have
        if home in self._bugs and "X-Client" not in self._bugs[home].parameters:
            # The document of this bug has no such header.
            sent = sent.with_header(b"x-client", b"web")

        async def on(message: Message) -> Message:
            got = await self._forward(message, home)
            allow = ", ".join(methods).encode()
            return got.with_header(b"allow", allow) if got.status == 405 else got

        bug = self._bugs.get(home)
        return await (bug.break_it(sent, on) if bug else on(sent))

    def _methods(self, home: str, sent: Message) -> list[str]:
        """List the documented methods of a path."""
        below = sent.target.partition(b"?")[0].count(b"/") > 1
        item = self._paths.get(f"/{home}/notes{'/{noteID}' * below}", {})
        return sorted(m.upper() for m in item.keys() - {"parameters"})

    async def _forward(self, sent: Message, home: str) -> Message:
        url = httpx.URL(scheme="http", host="localhost", raw_path=sent.target)
        world = (b"soundstage-world", home.encode() if home in self._bugs else SOUND.encode())
        headers = [*sent.headers, world]
        request = httpx.Request(sent.method, url, headers=headers, content=sent.body)
        response = await self._inner.handle_async_request(request)
        body = await response.aread()
        return Message("", b"", response.status_code, tuple(response.headers.raw), body)
