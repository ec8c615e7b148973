"""What the server prints: how to reach it, and a line for every exchange."""

import asyncio
import os
import shlex
from collections.abc import Iterator, Mapping
from typing import TextIO

import orjson
from starlette.types import Scope

from soundstage.apis.api import ExampleRequest
from soundstage.apis.registry import Service
from soundstage.server.control import CONTROL_PREFIX
from soundstage.server.exchange import Exchange, get_request_path
from soundstage.server.hosts import Worlds
from soundstage.types import JsonObject
from soundstage.world.clock import format_rfc3339


def build_banner(worlds: Worlds, url: str, token: str | None = None) -> JsonObject:
    """Where each API is, who may call it, and a request to paste."""
    world = worlds.default.world
    return {
        "url": url,
        "control": f"{url}/{CONTROL_PREFIX}/health",
        "token": token,
        "now": format_rfc3339(world.clock.now()),
        "speed": world.clock.speed,
        "seed": world.options.seed,
        "apis": {
            name: {
                "title": service.api.title,
                "url": f"{url}/{name}",
                "credentials": [dict(c) for c in service.fixture.credentials],
                "try": format_curl(service, url)
                if service.api.example_request
                else None,
            }
            for name, service in worlds.services.items()
        },
    }


def format_banner(banner: JsonObject) -> str:
    """The greeting for people; one screen."""
    pace = f"{banner['speed']:g}x the wall" if banner["speed"] else "frozen"
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
    """A command line that asks for an API's sample, with the first credentials."""
    sample = service.api.example_request or ExampleRequest("GET", "/")
    words = ["curl", "-s", f"{url}{sample.path}"]
    for name, value in (*build_credential_headers(service), *sample.headers):
        words += ["-H", f"{name}: {value}"]
    if sample.body is not None:
        words += ["-H", "content-type: application/json"]
        words += ["-d", orjson.dumps(sample.body).decode()]
    return shlex.join(words)


def get_credentials(service: Service) -> dict[str, str]:
    """Security scheme -> secret: the first credential that there is."""
    schemes = service.contract.document.get("components", {}).get("securitySchemes", {})
    first: Mapping[str, str] = next(iter(service.fixture.credentials), {})
    return {name: secret for name, secret in first.items() if name in schemes}


def build_credential_headers(service: Service) -> Iterator[tuple[str, str]]:
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


class AccessLog:
    """Writes a line for every exchange: for people, or as JSON."""

    def __init__(self, out: TextIO, *, json: bool) -> None:
        self._out = out
        self._json = json
        self._pending: list[tuple[Scope, Exchange]] = []

    def __call__(self, scope: Scope, exchange: Exchange) -> None:
        """Write down one exchange, with all others that the event loop has at hand."""
        self._pending.append((scope, exchange))
        if len(self._pending) == 1:
            asyncio.get_running_loop().call_soon(self.flush)

    def flush(self) -> None:
        """Print what there is to be told."""
        seen, self._pending = self._pending, []
        line = _format_json if self._json else _format_text
        write_and_flush(self._out, "".join([line(*each) for each in seen]))


def write_and_flush(out: TextIO, text: str) -> None:
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


def _format_target(scope: Scope) -> str:
    """The path and query as the client sent them."""
    path, query = get_request_path(scope), scope["query_string"]
    return (b"%b?%b" % (path, query) if query else path).decode("latin-1")


def _format_json(scope: Scope, exchange: Exchange) -> str:
    entry = {
        "at": format_rfc3339(exchange.now),
        "api": exchange.service.name,
        "operation": exchange.operation.id if exchange.operation else None,
        "status": exchange.response.status if exchange.response else None,
        "method": scope["method"],
        "path": _format_target(scope),
        "violations": [violation.to_json() for violation in exchange.violations],
        "fault": exchange.fault_kind,
    }
    return orjson.dumps(entry).decode() + "\n"


def _format_text(scope: Scope, exchange: Exchange) -> str:
    answer, operation = exchange.response, exchange.operation
    line = (
        f"{format_rfc3339(exchange.now)}  {answer.status if answer else None}"
        f"  {exchange.service.api.name} {operation.id if operation else '-'}"
        f"  {scope['method']} {_format_target(scope)}"
    )
    if exchange.applied_fault:
        line += f"  fault {exchange.fault_kind}"
    wrong = (f"    {each.part}: {each.short_message}" for each in exchange.violations)
    return (
        "\n".join(
            (_escape_control_characters(line), *map(_escape_control_characters, wrong))
        )
        + "\n"
    )


def _escape_control_characters(text: str) -> str:
    """Without what a client could use to steer the terminal."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
