"""What the server prints: how to reach it, and a line for every exchange."""

import asyncio
import os
import shlex
from collections.abc import Iterator, Mapping
from typing import TextIO

import orjson
from starlette.types import Scope

from soundstage.apis.api import Sample
from soundstage.apis.service import Service
from soundstage.server.control import PREFIX
from soundstage.server.exchange import Exchange, path_of
from soundstage.server.worlds import Worlds
from soundstage.types import Document
from soundstage.world.clock import rfc3339


def greeting(worlds: Worlds, url: str, token: str | None = None) -> Document:
    """Where each API is, who may call it, and a request to paste."""
    world = worlds.default.world
    return {
        "url": url,
        "control": f"{url}/{PREFIX}/health",
        "token": token,
        "now": rfc3339(world.clock.now()),
        "speed": world.clock.speed,
        "seed": world.opening.seed,
        "apis": {
            name: {
                "title": service.api.title,
                "url": f"{url}/{name}",
                "credentials": [dict(c) for c in service.fixture.credentials],
                "try": curl(service, url) if service.api.sample else None,
            }
            for name, service in worlds.services.items()
        },
    }


def as_text(greeting: Document) -> str:
    """The greeting for people; one screen."""
    pace = f"{greeting['speed']:g}x the wall" if greeting["speed"] else "frozen"
    lines = [
        f"Soundstage on {greeting['url']}",
        f"clock {greeting['now']}, {pace}; seed {greeting['seed']}",
        f"health {greeting['control']}"
        + (f", control token {greeting['token']}" if greeting["token"] else ""),
    ]
    for api in greeting["apis"].values():
        lines += ["", f"{api['title']}  {api['url']}"]
        if api["credentials"]:
            first = api["credentials"][0]
            lines.append("  " + ", ".join(f"{k} {v}" for k, v in first.items()))
        if api["try"]:
            lines.append(f"  {api['try']}")
    return "\n".join(lines)


def curl(service: Service, url: str) -> str:
    """A command line that asks for an API's sample, with the first credentials."""
    sample = service.api.sample or Sample("GET", "/")
    words = ["curl", "-s", f"{url}{sample.path}"]
    for name, value in (*credential_headers(service), *sample.headers):
        words += ["-H", f"{name}: {value}"]
    if sample.body is not None:
        words += ["-H", "content-type: application/json"]
        words += ["-d", orjson.dumps(sample.body).decode()]
    return shlex.join(words)


def credentials(service: Service) -> dict[str, str]:
    """Security scheme -> secret: the first credential that there is."""
    schemes = service.contract.document.get("components", {}).get("securitySchemes", {})
    first: Mapping[str, str] = next(iter(service.fixture.credentials), {})
    return {name: secret for name, secret in first.items() if name in schemes}


def credential_headers(service: Service) -> Iterator[tuple[str, str]]:
    """The first requirement of the first operation, satisfied."""
    operation = next(iter(service.contract.operations.values()))
    requirements = operation.security.requirements
    if not requirements or () in requirements or not service.fixture.credentials:
        return
    components = service.contract.document.get("components", {})
    for name in requirements[0]:
        scheme = components["securitySchemes"][name]
        secret = service.fixture.credentials[0][name]
        if scheme["type"] == "apiKey":
            yield scheme["name"], secret
        else:
            yield "Authorization", f"Bearer {secret}"


class AccessLines:
    """Writes a line for every exchange: for people, or as JSON."""

    def __init__(self, out: TextIO, *, json: bool) -> None:
        self._out = out
        self._json = json
        self._seen: list[tuple[Scope, Exchange]] = []

    def __call__(self, scope: Scope, exchange: Exchange) -> None:
        """Write down one exchange, with all others that the event loop has at hand."""
        self._seen.append((scope, exchange))
        if len(self._seen) == 1:
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Print what there is to be told."""
        seen, self._seen = self._seen, []
        line = _for_machines if self._json else _for_people
        print_at_once(self._out, "".join([line(*each) for each in seen]))


def print_at_once(out: TextIO, text: str) -> None:
    """Write and flush; whoever reads no more does not stop what is told of."""
    try:
        try:
            out.write(text)
        except UnicodeEncodeError:  # a terminal that knows no more than ASCII, say
            code = out.encoding
            out.write(text.encode(code, "backslashreplace").decode(code))
        out.flush()
    except BrokenPipeError:
        # What is left in the buffer must not fail again at the end of the process.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, out.fileno())
        os.close(nowhere)


def _target(scope: Scope) -> str:
    """The path and query as the client sent them."""
    path, query = path_of(scope), scope["query_string"]
    return (b"%b?%b" % (path, query) if query else path).decode("latin-1")


def _for_machines(scope: Scope, exchange: Exchange) -> str:
    entry = {
        "at": rfc3339(exchange.now),
        "api": exchange.service.name,
        "operation": exchange.operation.id if exchange.operation else None,
        "status": exchange.answer.status if exchange.answer else None,
        "method": scope["method"],
        "path": _target(scope),
        "violations": [violation.as_json() for violation in exchange.violations],
        "fault": exchange.fault,
    }
    return orjson.dumps(entry).decode() + "\n"


def _for_people(scope: Scope, exchange: Exchange) -> str:
    answer, operation = exchange.answer, exchange.operation
    line = (
        f"{rfc3339(exchange.now)}  {answer.status if answer else None}"
        f"  {exchange.service.api.name} {operation.id if operation else '-'}"
        f"  {scope['method']} {_target(scope)}"
    )
    if exchange.struck:
        line += f"  fault {exchange.fault}"
    wrong = (f"    {each.part}: {each.short}" for each in exchange.violations)
    return "\n".join((_printable(line), *map(_printable, wrong))) + "\n"


def _printable(text: str) -> str:
    """Without what a client could use to steer the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
