"""The ASGI application: finds the world and the API of each request."""

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
"""Scope key of cross-origin requests that have passed the CORS middleware."""

_CONTROL_SEGMENT = CONTROL_PREFIX.encode()

ExchangeObserver = Callable[[Scope, Exchange], None]
"""Called with every exchange after its response was sent."""


@dataclass(frozen=True, slots=True)
class _Target:
    service: Service
    app: ASGIApp


class Dispatcher:
    """All worlds and APIs of a server behind one address, as an ASGI application.

    The world of a request is found by the port, by the header ``Soundstage-World`` or
    by a path that begins with ``/~<name>/``; otherwise it is the default one. The API
    is found by the vendor's host name, by the prefix ``/<api>/``, or by the path alone
    if no other API has the same path. Pages of local origins may send requests (CORS).
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
        # Path -> names of the APIs that have it; the names take the place of methods.
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
            await self._cors(scope, receive, send)  # calls this method again
            return
        if "raw_path" not in scope:  # optional in ASGI
            scope["raw_path"] = scope["path"].encode()
        host: WorldHost | None = None
        try:
            host = self._resolve_world(scope, headers)
            target = self._resolve_target(scope, headers)
            # The control API reads the clock without running what is due, so that a
            # world whose clock has gone too far can still be reset.
            is_control = target is self._control
            now = host.world.clock.now() if is_control else host.world.now()
        except (Problem, ClockJumpTooLarge) as error:
            problem = error if isinstance(error, Problem) else clock_jump_problem(error)
            await self._reject(scope, headers, problem, host, send)
            return
        exchange = self._create_exchange(target.service, host, scope, headers, now)
        try:
            await target.app(scope, receive, send)
        finally:  # an exchange whose connection a fault cuts is recorded too
            if not is_control:
                record_exchange(scope, exchange)
            if self._on_exchange:
                self._on_exchange(scope, exchange)

    def _create_exchange(
        self, service: Service, world_host: WorldHost, scope: Scope, headers: HeaderMap, now: int
    ) -> Exchange:
        root_path: str = scope.get("root_path", "")
        # Links lead to this world even for a client that does not send the header.
        if WORLD_HEADER in headers:
            root_path = f"/~{world_host.name}{root_path}"
        base_url = get_base_url(scope, headers)
        exchange = Exchange(
            service, world_host, now, headers, base_url, root_path, wall_clock_now()
        )
        scope[SCOPE_KEY] = exchange
        return exchange

    async def _reject(
        self,
        scope: Scope,
        headers: HeaderMap,
        problem: Problem,
        world_host: WorldHost | None,
        send: Send,
    ) -> None:
        """Send the response to a request that has no world or no API."""
        host = world_host or self._worlds.default
        now = host.world.clock.now()
        service = self._control.service
        exchange = self._create_exchange(service, host, scope, headers, now)
        exchange.response = render_problem(problem.status, str(problem))
        exchange.encoded_response = encode_response(exchange.response)
        await send_response(exchange.encoded_response, send)
        # Rejections by the guard are not part of the world's journal.
        if world_host and problem.status == HTTPStatus.NOT_FOUND:
            unrouted = build_unrouted_exchange(
                scope, headers, now, str(problem), exchange.encoded_response
            )
            world_host.journal.record(unrouted)
        if self._on_exchange:
            self._on_exchange(scope, exchange)

    def _resolve_world(self, scope: Scope, headers: HeaderMap) -> WorldHost:
        """Return the world of a request. Raises ``Problem``."""
        server = scope.get("server")
        by_port = self._worlds.by_port(server[1] if server else None)
        names = headers.get(WORLD_HEADER)
        in_path = scope["raw_path"][:2] == b"/~"
        if by_port and (names or in_path):
            raise Problem(400, f"this port serves the world {by_port.name!r} only")
        if by_port:
            return by_port
        if in_path:
            segment, _, rest = scope["raw_path"][1:].partition(b"/")
            _shift_path(scope, segment, rest)
            return self._worlds.get_or_create(segment[1:].decode("latin-1"))
        if names:
            return self._worlds.get_or_create(names[-1].decode("latin-1"))
        return self._worlds.default

    def _resolve_target(self, scope: Scope, headers: HeaderMap) -> _Target:
        """Return the API of a request. Raises ``Problem``."""
        host: bytes = headers.get(b"host", MISSING_HOST)[-1]
        if target := self._targets_by_host.get(host.partition(b":")[0].lower()):
            return target
        segment, _, rest = scope["raw_path"][1:].partition(b"/")
        if segment == _CONTROL_SEGMENT:
            if rejection := self._guard.check(headers):
                raise Problem(*rejection)
            _shift_path(scope, segment, rest)
            return self._control
        if target := self._targets.get(segment):
            _shift_path(scope, segment, rest)
            return target
        if len(self._targets) == 1:
            return next(iter(self._targets.values()))
        return self._resolve_by_path(scope["raw_path"])

    def _resolve_by_path(self, raw_path: bytes) -> _Target:
        """Return the one API that has a path. Raises ``Problem``."""
        match = self._root_router.find(raw_path, "")
        names = list(match.methods) if match else []
        if len(names) == 1:
            return self._targets[names[0].encode()]
        path = raw_path.decode("latin-1")
        if names:
            choices = ", ".join(f"/{name}{path}" for name in names)
            detail = f"several APIs have the path {path}; use one of: {choices}"
        else:
            choices = ", ".join(f"/{name}/" for name in self._worlds.services)
            detail = f"no API has the path {path}; prefixes of the APIs: {choices}"
        raise Problem(404, detail)


def _shift_path(scope: Scope, segment: bytes, rest: bytes) -> None:
    """Move the first segment of the path to ``root_path`` (ASGI)."""
    scope["root_path"] = f"{scope.get('root_path', '')}/{segment.decode('latin-1')}"
    scope["raw_path"] = b"/" + rest


async def _reject_protocol(scope: Scope, _receive: Receive, send: Send) -> None:
    """Close WebSockets, which no API has; ignore the lifespan protocol."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})


class _Cors(CORSMiddleware):
    """Starlette's CORS middleware, adapted to responses that have ``Vary``."""

    async def send(self, message: Message, send: Send, request_headers: RequestHeaders) -> None:
        """Add the CORS headers; Starlette would add ``Vary`` a second time."""
        if message["type"] == "http.response.start":
            message["headers"] = [h for h in message["headers"] if h != VARY_ORIGIN]
        await super().send(message, send, request_headers)
