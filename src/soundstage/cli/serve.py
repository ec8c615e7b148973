"""``soundstage serve``."""

import argparse
import gc
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from soundstage.cli.common import (
    Commands,
    add_json_option,
    exit_with_error,
    parse_timestamp_option,
)

if TYPE_CHECKING:
    import socket

    from soundstage.apis.registry import Service
    from soundstage.server.hosts import Worlds


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    serve = commands.add_parser(
        "serve",
        help="serve the APIs on one port",
        description="Serve the vendored APIs on one port. Each is found by its paths, "
        "under /<api>/, and by its vendor's host name.",
        epilog="Example: "
        "soundstage serve --now 2026-01-01T00:00:00Z --speed 60 --seed 7",
    )
    serve.set_defaults(command=run)
    serve.add_argument(
        "--api",
        action="append",
        default=[],
        metavar="NAME",
        help="serve this API only; may be repeated (default: all)",
    )
    _add_address_options(serve)
    _add_world_options(serve)
    _add_history_options(serve)
    add_json_option(serve, "print JSON lines instead of text")


def _add_address_options(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    serve.add_argument(
        "--port",
        type=int,
        default=4010,
        help="0 takes a free one; default: %(default)s",
    )
    serve.add_argument(
        "--control-token",
        metavar="TOKEN",
        help="what the control API asks for (default: nothing on loopback, elsewhere "
        "one that is made up and printed)",
    )


def _add_world_options(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="what all chance is drawn from; default: %(default)s",
    )
    serve.add_argument(
        "--now",
        type=parse_timestamp_option,
        metavar="INSTANT",
        help="RFC 3339 time at which the clock starts (default: the wall's)",
    )
    serve.add_argument(
        "--speed",
        type=float,
        default=1.0,
        metavar="X",
        help="virtual seconds per second, 0 freezes; default: %(default)s",
    )


def _add_history_options(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--fixture",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a fixture that takes the place of the vendored one of its API",
    )
    serve.add_argument(
        "--history",
        type=int,
        default=0,
        metavar="N",
        help="begin each API with so many runs more, of the past 30 days",
    )
    serve.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help="an exported world, to be the default one; its seed and clock win",
    )


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit code."""
    from soundstage.cli.deferred_imports import defer_imports

    gc.disable()  # nothing that is made until all is ready is ever garbage
    with defer_imports():
        import connexion.middleware  # noqa: F401 - for those that import it below
        import uvicorn.server  # noqa: F401
    from soundstage.apis.registry import load_services
    from soundstage.openapi.errors import DocumentError
    from soundstage.server.app import Dispatcher
    from soundstage.server.console import AccessLog, build_banner, format_banner
    from soundstage.server.guard import Guard, generate_token, is_loopback
    from soundstage.server.hosts import Worlds
    from soundstage.server.uvicorn_server import HttpServer
    from soundstage.world.errors import WorldError
    from soundstage.world.world import Opening

    try:
        services = load_services(options.api, options.fixture)
        if options.history:
            services = _extend_history(services, options.history)
        opening = Opening(options.seed, options.now, options.speed)
        worlds = Worlds(services, opening)
    except (DocumentError, WorldError, ValueError) as error:
        exit_with_error(str(error))
    if options.log:
        _import_world(worlds, options.log)
    _generate_history(worlds)
    listener = _open_listener(options.host, options.port)
    token = options.control_token
    if token is None and not is_loopback(listener.getsockname()[0]):
        token = generate_token()
    lines = AccessLog(sys.stdout, json=options.json)
    server = HttpServer(Dispatcher(worlds, Guard(token), lines), worlds, listener)
    hello = build_banner(worlds, server.url, token)
    print(json.dumps(hello) if options.json else format_banner(hello), flush=True)
    gc.freeze()
    gc.enable()
    server.run()
    return 0


def _open_listener(host: str, port: int) -> "socket.socket":
    from soundstage.server.uvicorn_server import open_listener

    try:
        return open_listener(host, port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = f"{host}:{port}"
        exit_with_error(
            f"cannot listen on {place}: {reason}; --port 0 takes a free port"
        )


def _extend_history(
    services: dict[str, "Service"], run_count: int
) -> dict[str, "Service"]:
    """The services, each with so many runs more. Raises ``FixtureError``."""
    from soundstage.world.history import lengthened

    if run_count < 0:
        exit_with_error(f"a history has 0 runs or more, not {run_count}")
    return {
        name: replace(service, fixture=lengthened(service.fixture, run_count))
        for name, service in services.items()
    }


def _generate_history(worlds: "Worlds") -> None:
    """Draw long histories before anybody asks, and show on a terminal how far it is."""
    world = worlds.default.world
    begun = {name: world.beginning(name) for name in worlds.fixtures}
    long = {name: each for name, each in begun.items() if each.runs}
    if not long:
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    shown = Console(stderr=True)
    with Progress(
        *Progress.get_default_columns(),
        MofNCompleteColumn(),
        console=shown,
        disable=not shown.is_terminal,
    ) as progress:
        for name, beginning in long.items():
            bar = progress.add_task(f"{name}: runs", total=beginning.runs)
            for done in beginning.drawing():
                progress.update(bar, completed=done)
            progress.update(bar, completed=beginning.runs)


def _import_world(worlds: "Worlds", path: Path) -> None:
    from soundstage.world.errors import WorldError

    try:
        worlds.import_world(worlds.default, json.loads(path.read_bytes()))
    except OSError as error:
        exit_with_error(f"cannot read {path}: {error.strerror}")
    except KeyError as error:
        exit_with_error(
            f"{path} is no log that can be replayed here: there is no {error}"
        )
    except (WorldError, ValueError, TypeError) as error:
        exit_with_error(f"{path} is no log that can be replayed here: {error}")
