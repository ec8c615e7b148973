"""Which world, and which API, a request is for."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from starlette.datastructures import Headers as RequestHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from soundstage.apis.registry import Service
from soundstage.openapi.router import Router
from soundstage.server.control import CONTROL_PREFIX, control_service
from soundstage.server.exchange import (
    MISSING_HOST,
    SCOPE_KEY,
    Exchange,
    get_base_url,
    group_headers,
)
from soundstage.server.guard import LOCAL_ORIGIN, Guard, HeaderMap
from soundstage.server.hosts import WorldHost, Worlds
from soundstage.server.message import VARY_ORIGIN, encode_response, send_response
from soundstage.server.problems import Problem, clock_jump_problem, render_problem
from soundstage.server.recording import build_unrouted_exchange, record_exchange
from soundstage.server.stack import build_stack
from soundstage.world.clock import wall_clock_now
from soundstage.world.errors import ClockJumpTooLarge

WORLD_HEADER = b"soundstage-world"
CORS_HANDLED = "soundstage.page"
"""In the scope of a request that a page sends, and that CORS has looked at."""
_CONTROL_SEGMENT = CONTROL_PREFIX.encode()

ExchangeObserver = Callable[[Scope, Exchange], None]
"""Is shown every exchange after its answer has gone out."""


@dataclass(frozen=True, slots=True)
class _Target:
    service: Service
    app: ASGIApp


class Dispatcher:
    """All worlds and APIs behind one address, as an ASGI application.

    Pages of local origins may ask too.

    A world is found by the port, by the header ``Soundstage-World``, or by a path that
    begins with ``/~<name>/``; else it is the default one. An API is found by the
    vendor's host name, by the prefix ``/<api>/``, or at the root where no other API has
    the path too.
    """

    def __init__(
        self,
        worlds: Worlds,
        guard: Guard | None = None,
        on_exchange: ExchangeObserver | None = None,
    ) -> None:
        self._worlds = worlds
        self._guard = guard or Guard()
        self._on_exchange = on_exchange
        self._cors = _Cors(
            self,
            allow_origin_regex=LOCAL_ORIGIN.pattern,
            allow_methods=["*"],
            allow_headers=["*"],
            allow_credentials=True,
            expose_headers=["Soundstage-Violations", "Soundstage-Fault", "Link"],
        )
        services = worlds.services
        self._targets = {
            name.encode(): _Target(service, build_stack(service))
            for name, service in services.items()
        }
        control = control_service(worlds)
        self._control = _Target(control, build_stack(control))
        self._targets_by_host = {
            host.encode(): self._targets[name.encode()]
            for name, service in services.items()
            for host in service.contract.hosts
        }
        # Every API that has a path stands there under its own name.
        self._root_router: Router[str] = Router()
        for name, service in services.items():
            for operation in service.contract.operations.values():
                self._root_router.add(name, operation.path, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _reject_protocol(scope, receive, send)
            return
        headers = group_headers(scope["headers"])
        if b"origin" in headers and CORS_HANDLED not in scope:
            scope[CORS_HANDLED] = True
            await self._cors(scope, receive, send)  # which comes back here
            return
        if "raw_path" not in scope:
            scope["raw_path"] = scope["path"].encode()
        hosted: WorldHost | None = None
        try:
            hosted = self._resolve_world(scope, headers)
            target = self._resolve_target(scope, headers)
            # Nothing may keep a world that has gone too far from being reset.
            asked = target is not self._control
            now = hosted.world.now() if asked else hosted.world.clock.now()
        except (Problem, ClockJumpTooLarge) as error:
            problem = error if isinstance(error, Problem) else clock_jump_problem(error)
            await self._reject(scope, headers, problem, hosted, send)
            return
        exchange = self._create_exchange(target.service, hosted, scope, headers, now)
        try:
            await target.app(scope, receive, send)
        finally:  # a fault that cuts the connection is seen too
            if asked:
                record_exchange(scope, exchange)
            if self._on_exchange:
                self._on_exchange(scope, exchange)

    def _create_exchange(
        self,
        service: Service,
        world_host: WorldHost,
        scope: Scope,
        headers: HeaderMap,
        now: int,
    ) -> Exchange:
        root: str = scope.get("root_path", "")
        # Where the API is found by whoever sends no header that names a world.
        if WORLD_HEADER in headers:
            root = f"/~{world_host.name}{root}"
        base_url = get_base_url(scope, headers)
        exchange = Exchange(
            service, world_host, now, headers, base_url, root, wall_clock_now()
        )
        scope[SCOPE_KEY] = exchange
        return exchange

    async def _reject(
        self,
        scope: Scope,
        headers: HeaderMap,
        error: Problem,
        world_host: WorldHost | None,
        send: Send,
    ) -> None:
        """Answer a request that is for no API, or for no world, ourselves."""
        host = world_host or self._worlds.default
        now = host.world.clock.now()
        exchange = self._create_exchange(
            self._control.service, host, scope, headers, now
        )
        exchange.response = render_problem(error.status, str(error))
        exchange.encoded_response = encode_response(exchange.response)
        await send_response(exchange.encoded_response, send)
        if world_host and error.status == HTTPStatus.NOT_FOUND:  # not the guard's
            stray = build_unrouted_exchange(
                scope, headers, now, str(error), exchange.encoded_response
            )
            world_host.journal.record(stray)
        if self._on_exchange:
            self._on_exchange(scope, exchange)

    def _resolve_world(self, scope: Scope, headers: HeaderMap) -> WorldHost:
        """The world that a request is for. Raises ``Problem``."""
        server = scope.get("server")
        alone = self._worlds.by_port(server[1] if server else None)
        named = headers.get(WORLD_HEADER)
        in_path = scope["raw_path"][:2] == b"/~"
        if alone and (named or in_path):
            raise Problem(400, f"this port leads to the world {alone.name!r} only")
        if alone:
            return alone
        if in_path:
            head, _, rest = scope["raw_path"][1:].partition(b"/")
            _shift_path(scope, head, rest)
            return self._worlds.get_or_create(head[1:].decode("latin-1"))
        if named:
            return self._worlds.get_or_create(named[-1].decode("latin-1"))
        return self._worlds.default

    def _resolve_target(self, scope: Scope, headers: HeaderMap) -> _Target:
        """The API that a request is for. Raises ``Problem``."""
        host: bytes = headers.get(b"host", MISSING_HOST)[-1]
        if target := self._targets_by_host.get(host.partition(b":")[0].lower()):
            return target
        head, _, rest = scope["raw_path"][1:].partition(b"/")
        if head == _CONTROL_SEGMENT:
            if refusal := self._guard.check(headers):
                raise Problem(*refusal)
            _shift_path(scope, head, rest)
            return self._control
        if target := self._targets.get(head):
            _shift_path(scope, head, rest)
            return target
        if len(self._targets) == 1:
            return next(iter(self._targets.values()))
        return self._resolve_by_path(scope["raw_path"])

    def _resolve_by_path(self, raw_path: bytes) -> _Target:
        match = self._root_router.find(raw_path, "")
        names = list(match.methods) if match else []
        if len(names) == 1:
            return self._targets[names[0].encode()]
        path = raw_path.decode("latin-1")
        if names:
            choice = ", ".join(f"/{name}{path}" for name in names)
            detail = f"more than one API has the path {path}; ask for one of: {choice}"
        else:
            choice = ", ".join(f"/{name}/" for name in self._worlds.services)
            detail = f"no API has the path {path}; each is also found under: {choice}"
        raise Problem(404, detail)


def _shift_path(scope: Scope, segment: bytes, rest: bytes) -> None:
    """Move the first segment of the path to ``root_path`` (ASGI)."""
    scope["root_path"] = f"{scope.get('root_path', '')}/{segment.decode('latin-1')}"
    scope["raw_path"] = b"/" + rest


async def _reject_protocol(scope: Scope, _receive: Receive, send: Send) -> None:
    """There are no WebSockets here, and nothing to do at start and stop."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})


class _Cors(CORSMiddleware):
    """Starlette's, for requests of pages; other answers too vary with who asks."""

    async def send(
        self, message: Message, send: Send, request_headers: RequestHeaders
    ) -> None:
        """Add what pages ask for; Starlette adds ``Vary`` to every answer itself."""
        if message["type"] == "http.response.start":
            message["headers"] = [h for h in message["headers"] if h != VARY_ORIGIN]
        await super().send(message, send, request_headers)
