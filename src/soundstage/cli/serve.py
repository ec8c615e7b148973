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
    add_address_options,
    add_json_option,
    exit_with_error,
    open_listener,
    parse_timestamp_option,
)

if TYPE_CHECKING:
    from soundstage.apis.registry import Service
    from soundstage.server.hosts import Worlds


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    serve = commands.add_parser(
        "serve",
        help="serve the APIs on one port",
        description="Serve the vendored APIs on one port. A request is routed by its "
        "path, by the prefix /<api>/, or by the vendor's host name.",
        epilog="Example: soundstage serve --now 2026-01-01T00:00:00Z --speed 60 --seed 7",
    )
    serve.set_defaults(command=run)
    serve.add_argument(
        "--api",
        action="append",
        default=[],
        metavar="NAME",
        help="serve this API only; may be repeated (default: all)",
    )
    add_address_options(serve, port=4010)
    _add_control_options(serve)
    _add_world_options(serve)
    _add_history_options(serve)
    add_json_option(serve, "print JSON lines instead of text")


def _add_control_options(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--control-token",
        metavar="TOKEN",
        help="the token that the control API requires (default: none on a loopback "
        "address, elsewhere a generated one, which is printed)",
    )


def _add_world_options(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of all generated data; default: %(default)s",
    )
    serve.add_argument(
        "--now",
        type=parse_timestamp_option,
        metavar="INSTANT",
        help="start time of the virtual clock, RFC 3339 (default: the current time)",
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
        help="a fixture that replaces the vendored one of its API; may be repeated",
    )
    serve.add_argument(
        "--history",
        type=int,
        default=0,
        metavar="N",
        help="add N runs of the past 30 days to the history of each API",
    )
    serve.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help="start with this exported world; its seed and clock override the options",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    from soundstage.cli.deferred_imports import defer_imports

    # What is created until the server is ready lives as long as the process, so a
    # garbage collection would only cost time.
    gc.disable()
    with defer_imports():
        import connexion.middleware  # noqa: F401 - imported again by the server below
        import uvicorn.server  # noqa: F401
    from soundstage.server.app import Dispatcher
    from soundstage.server.console import AccessLog, build_banner, format_banner
    from soundstage.server.guard import Guard, generate_token, is_loopback
    from soundstage.server.uvicorn_server import HttpServer

    worlds = _create_worlds(options)
    listener = open_listener(options)
    token = options.control_token
    # The control API can change all worlds, so that on a network it needs a token.
    if token is None and not is_loopback(listener.getsockname()[0]):
        token = generate_token()
    access_log = AccessLog(sys.stdout, json=options.json)
    server = HttpServer(Dispatcher(worlds, Guard(token), access_log), worlds, listener)
    banner = build_banner(worlds, server.url, token)
    print(json.dumps(banner) if options.json else format_banner(banner), flush=True)
    gc.freeze()  # later collections skip what exists now
    gc.enable()
    server.run()
    return 0


def _create_worlds(options: argparse.Namespace) -> "Worlds":
    """Create the default world of the APIs, with its history or imported."""
    from soundstage.apis.registry import load_services
    from soundstage.openapi.errors import DocumentError
    from soundstage.server.hosts import Worlds
    from soundstage.world.errors import WorldError
    from soundstage.world.world import WorldOptions

    try:
        services = load_services(options.api, options.fixture)
        if options.history:
            services = _extend_history(services, options.history)
        worlds = Worlds(services, WorldOptions(options.seed, options.now, options.speed))
    except (DocumentError, WorldError, ValueError) as error:
        exit_with_error(str(error))
    if options.log:
        _import_world(worlds, options.log)
    _generate_history(worlds)
    return worlds


def _extend_history(services: dict[str, "Service"], run_count: int) -> dict[str, "Service"]:
    """Add this many runs to the history of each service. Raises ``FixtureError``."""
    from soundstage.world.initial_state import extend_history

    if run_count < 0:
        exit_with_error(f"--history takes a number of 0 or more, not {run_count}")
    return {
        name: replace(service, fixture=extend_history(service.fixture, run_count))
        for name, service in services.items()
    }


def _generate_history(worlds: "Worlds") -> None:
    """Generate long histories now, with a progress bar on a terminal.

    Short ones are generated when the API is first used.
    """
    world = worlds.default.world
    histories = {name: world.initial_state(name) for name in worlds.fixtures}
    long = {name: history for name, history in histories.items() if history.run_count}
    if not long:
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress

    console = Console(stderr=True)
    with Progress(
        *Progress.get_default_columns(),
        MofNCompleteColumn(),
        console=console,
        disable=not console.is_terminal,
    ) as progress:
        for name, history in long.items():
            bar = progress.add_task(f"{name}: runs", total=history.run_count)
            for done in history.generate():
                progress.update(bar, completed=done)
            progress.update(bar, completed=history.run_count)


def _import_world(worlds: "Worlds", path: Path) -> None:
    from soundstage.world.errors import WorldError

    try:
        worlds.import_world(worlds.default, json.loads(path.read_bytes()))
    except OSError as error:
        exit_with_error(f"cannot read {path}: {error.strerror}")
    except KeyError as error:
        exit_with_error(f"cannot replay {path}: {error} is missing")
    except (WorldError, ValueError, TypeError) as error:
        exit_with_error(f"cannot replay {path}: {error}")
