"""What the server prints: a banner at start, and a line for every exchange."""

import asyncio
import os
import shlex
from typing import TextIO

import orjson
from starlette.types import Scope

from soundstage.apis.api import ExampleRequest
from soundstage.apis.registry import Service
from soundstage.server.control import CONTROL_PREFIX
from soundstage.server.credentials import build_credential_headers
from soundstage.server.exchange import Exchange, get_request_path
from soundstage.server.hosts import Worlds
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339


def build_banner(worlds: Worlds, url: str, token: str | None = None) -> JsonObject:
    """Build the banner: each API with its URL, credentials and an example request."""
    world = worlds.default.world
    return {
        "url": url,
        "control": f"{url}/{CONTROL_PREFIX}/health",
        "token": token,
        "now": format_rfc3339(world.clock.now()),
        "speed": world.clock.speed,
        "seed": world.options.seed,
        "apis": {name: _describe_api(service, url) for name, service in worlds.services.items()},
    }


def _describe_api(service: Service, url: str) -> JsonObject:
    return {
        "title": service.api.title,
        "url": f"{url}/{service.name}",
        "credentials": [dict(c) for c in service.fixture.credentials],
        "try": format_curl(service, url) if service.api.example_request else None,
    }


def format_banner(banner: JsonObject) -> str:
    """Format the banner as text of one screen."""
    pace = f"{banner['speed']:g}x real time" if banner["speed"] else "frozen"
    lines = [
        f"Soundstage on {banner['url']}",
        f"clock {banner['now']}, {pace}; seed {banner['seed']}",
        f"health {banner['control']}"
        + (f", control token {banner['token']}" if banner["token"] else ""),
    ]
    for api in banner["apis"].values():
        lines += ["", f"{api['title']}  {api['url']}"]
        if api["credentials"]:
            first = api["credentials"][0]
            lines.append("  " + ", ".join(f"{k} {v}" for k, v in first.items()))
        if api["try"]:
            lines.append(f"  {api['try']}")
    return "\n".join(lines)


def format_curl(service: Service, url: str) -> str:
    """Format an API's example request as a curl command with credentials."""
    example = service.api.example_request or ExampleRequest("GET", "/")
    words = ["curl", "-s", f"{url}{example.path}"]
    for name, value in (*build_credential_headers(service), *example.headers):
        words += ["-H", f"{name}: {value}"]
    if example.body is not None:
        words += ["-H", "content-type: application/json"]
        words += ["-d", orjson.dumps(example.body).decode()]
    return shlex.join(words)


class AccessLog:
    """Writes a line for every exchange: plain text, or JSON."""

    def __init__(self, out: TextIO, *, json: bool) -> None:
        self._out = out
        self._format = _format_json if json else _format_text
        self._pending: list[tuple[Scope, Exchange]] = []

    def __call__(self, scope: Scope, exchange: Exchange) -> None:
        """Log an exchange, in one write with the others of this turn of the loop."""
        self._pending.append((scope, exchange))
        if len(self._pending) == 1:
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Write the pending lines."""
        pending, self._pending = self._pending, []
        lines = [self._format(scope, exchange) for scope, exchange in pending]
        write_and_flush(self._out, "".join(lines))


def write_and_flush(out: TextIO, text: str) -> None:
    """Write and flush; ignore a closed pipe."""
    try:
        try:
            out.write(text)
        except UnicodeEncodeError:  # the terminal's encoding is ASCII, for example
            encoding = out.encoding
            out.write(text.encode(encoding, "backslashreplace").decode(encoding))
        out.flush()
    except BrokenPipeError:
        # The buffer must not fail again when Python flushes it at exit.
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, out.fileno())
        os.close(null)


def _format_target(scope: Scope) -> str:
    """Return the path and query as the client sent them."""
    path, query = get_request_path(scope), scope["query_string"]
    return (b"%b?%b" % (path, query) if query else path).decode("latin-1")


def _format_json(scope: Scope, exchange: Exchange) -> str:
    line = {
        "at": format_rfc3339(exchange.now),
        "api": exchange.service.name,
        "operation": exchange.operation.id if exchange.operation else None,
        "status": exchange.response.status if exchange.response else None,
        "method": scope["method"],
        "path": _format_target(scope),
        "violations": [violation.to_json() for violation in exchange.violations],
        "fault": exchange.fault_kind,
    }
    return orjson.dumps(line).decode() + "\n"


def _format_text(scope: Scope, exchange: Exchange) -> str:
    response, operation = exchange.response, exchange.operation
    line = (
        f"{format_rfc3339(exchange.now)}  {response.status if response else None}"
        f"  {exchange.service.api.name} {operation.id if operation else '-'}"
        f"  {scope['method']} {_format_target(scope)}"
    )
    if exchange.applied_fault:
        line += f"  fault {exchange.fault_kind}"
    lines = [line]
    lines += [f"    {each.part}: {each.short_message}" for each in exchange.violations]
    return "\n".join(map(_escape_control_characters, lines)) + "\n"


def _escape_control_characters(text: str) -> str:
    """Escape characters with which a client could control the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
