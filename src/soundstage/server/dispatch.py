"""Which API, and which world, a request is for."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from soundstage.apis.service import Service
from soundstage.contract.route import Router
from soundstage.server.control import PREFIX, control_service, problem_answer
from soundstage.server.exchange import (
    KEY,
    Exchange,
    base_url_of,
    by_name,
    exchange_of,
    send_answer,
)
from soundstage.server.stack import build_stack
from soundstage.world.world import World

LOCAL_ORIGINS = r"https?://(localhost|[\w-]+\.localhost|127\.0\.0\.1|\[::1\])(:\d+)?"

Watch = Callable[[Scope, Exchange], None]
"""Is shown every exchange after its answer has gone out."""


@dataclass(frozen=True, slots=True)
class _Target:
    service: Service
    app: ASGIApp


class Dispatcher:
    """All APIs behind one address.

    An API is found by the vendor's host name, by the prefix ``/<api>/``, or at the root
    where no other API has the path too.
    """

    def __init__(
        self, services: Mapping[str, Service], world: World, watch: Watch | None = None
    ) -> None:
        self.world = world
        self._watch = watch
        self._targets = {
            name: _Target(service, build_stack(service))
            for name, service in services.items()
        }
        control = control_service(services)
        self._control = _Target(control, build_stack(control))
        self._hosts = {
            host: name for name, s in services.items() for host in s.contract.hosts
        }
        # Every API that has a path stands there under its own name.
        self._root: Router[str] = Router()
        for name, service in services.items():
            for operation in service.contract.operations.values():
                self._root.add(name, operation.path, name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await _refuse_protocol(scope, receive, send)
            return
        headers = by_name(scope["headers"])
        found = self._find(scope, headers)
        if isinstance(found, str):
            await send_answer(problem_answer(404, found), (), send)
            return
        scope[KEY] = Exchange(
            service=found.service,
            world=self.world,
            now=self.world.clock.now(),
            headers=headers,
            base_url=base_url_of(scope, headers),
        )
        await found.app(scope, receive, send)
        if self._watch:
            self._watch(scope, exchange_of(scope))

    def _find(
        self, scope: Scope, headers: Mapping[bytes, list[bytes]]
    ) -> _Target | str:
        """The API that a request is for, or what is wrong with its address."""
        raw = scope.get("raw_path") or scope["path"].encode()
        scope["raw_path"] = raw
        host = headers.get(b"host", [b""])[-1].decode("latin-1").partition(":")[0]
        if name := self._hosts.get(host.lower()):
            return self._targets[name]
        first, _, rest = raw[1:].partition(b"/")
        head = first.decode("latin-1")
        if f"/{head}" == PREFIX:
            return _shifted(self._control, scope, head, rest)
        if target := self._targets.get(head):
            return _shifted(target, scope, head, rest)
        if len(self._targets) == 1:
            return next(iter(self._targets.values()))
        return self._at_root(raw)

    def _at_root(self, raw: bytes) -> _Target | str:
        match = self._root.find(raw, "")
        names = list(match.methods) if match else []
        if len(names) == 1:
            return self._targets[names[0]]
        path = raw.decode("latin-1")
        if names:
            choice = ", ".join(f"/{name}{path}" for name in names)
            return f"more than one API has the path {path}; ask for one of: {choice}"
        choice = ", ".join(f"/{name}/" for name in self._targets)
        return f"no API has the path {path}; each is also found under: {choice}"


def _shifted(target: _Target, scope: Scope, head: str, rest: bytes) -> _Target:
    """The target, with the prefix moved from the path to ``root_path`` (ASGI)."""
    scope["root_path"] = f"{scope.get('root_path', '')}/{head}"
    scope["raw_path"] = b"/" + rest
    return target


async def _refuse_protocol(scope: Scope, _receive: Receive, send: Send) -> None:
    """There are no WebSockets here, and nothing to do at start and stop."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})


def build_app(
    services: Mapping[str, Service], world: World, watch: Watch | None = None
) -> ASGIApp:
    """The whole server as an ASGI application, open to pages of local origins."""
    return CORSMiddleware(
        Dispatcher(services, world, watch),
        allow_origin_regex=LOCAL_ORIGINS,
        allow_methods=["*"],
        allow_headers=["*"],
        allow_credentials=True,
        expose_headers=["Soundstage-Violations", "Link"],
    )
