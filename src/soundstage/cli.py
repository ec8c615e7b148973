"""The command line. Heavy modules are imported by the command that needs them."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from soundstage.world.clock import instant_of

if TYPE_CHECKING:
    from soundstage.server.worlds import Worlds

FAILED = 1  # what was checked is wrong
USAGE = 2  # the command cannot be carried out


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line; gives the exit code."""
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="soundstage",
        description="A mock server made from OpenAPI contracts, with runs that live.",
        epilog="soundstage COMMAND --help tells more.",
    )
    parser.add_argument(
        "--version", action="version", version=f"soundstage {version('soundstage')}"
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_serve(commands)
    _add_check(commands)
    _add_apis(commands)
    return parser


def _add_serve(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    serve = commands.add_parser(
        "serve",
        help="serve the APIs on one port",
        description="Serve the vendored APIs on one port. Each is found by its paths, "
        "under /<api>/, and by its vendor's host name.",
        epilog="Example: "
        "soundstage serve --now 2026-01-01T00:00:00Z --speed 60 --seed 7",
    )
    serve.set_defaults(command=_serve)
    serve.add_argument(
        "--api",
        action="append",
        default=[],
        metavar="NAME",
        help="serve this API only; may be repeated (default: all)",
    )
    _add_address(serve)
    _add_world(serve)
    _add_json(serve, "print JSON lines instead of text")


def _add_address(serve: argparse.ArgumentParser) -> None:
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


def _add_world(serve: argparse.ArgumentParser) -> None:
    serve.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="what all chance is drawn from; default: %(default)s",
    )
    serve.add_argument(
        "--now",
        type=_instant,
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
    serve.add_argument(
        "--fixture",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a fixture that takes the place of the vendored one of its API",
    )
    serve.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help="an exported world, to be the default one; its seed and clock win",
    )


def _add_check(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    check = commands.add_parser(
        "check",
        help="check specs, overlays and fixtures",
        description="Check OpenAPI documents, overlays and fixtures: these files, "
        "or all that are vendored. Exit code 1 if one cannot be used.",
    )
    check.set_defaults(command=_check)
    check.add_argument("files", nargs="*", type=Path, metavar="FILE")
    _add_json(check, "print the findings as JSON")


def _add_apis(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    apis = commands.add_parser(
        "apis",
        help="list APIs, operations and scenarios",
        description="List the APIs with their operations, scenarios, tasks and kinds "
        "of record; or print the contract of one.",
    )
    apis.set_defaults(command=_apis)
    apis.add_argument(
        "--contract",
        metavar="NAME",
        help="print the effective contract of this API (its overlay applied) as JSON",
    )
    _add_json(apis, "print the list as JSON")


def _add_json(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--json", action="store_true", help=text)


def _instant(text: str) -> int:
    try:
        return instant_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _serve(options: argparse.Namespace) -> int:
    from soundstage.apis.service import load_services
    from soundstage.contract.violation import DocumentError
    from soundstage.server.worlds import Worlds
    from soundstage.world.errors import WorldError
    from soundstage.world.world import Opening

    try:
        services = load_services(options.api, options.fixture)
        opening = Opening(options.seed, options.now, options.speed)
        worlds = Worlds(services, opening)
    except (DocumentError, WorldError, ValueError) as error:
        _stop(str(error))
    if options.log:
        _restore(worlds, options.log)
    from soundstage.server.dispatch import build_app
    from soundstage.server.guard import Guard, is_loopback, new_token
    from soundstage.server.lines import AccessLines, as_text, greeting
    from soundstage.server.serve import Listening, bound

    try:
        listener = bound(options.host, options.port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = f"{options.host}:{options.port}"
        _stop(f"cannot listen on {place}: {reason}; --port 0 takes a free port")
    token = options.control_token
    if token is None and not is_loopback(listener.getsockname()[0]):
        token = new_token()
    lines = AccessLines(sys.stdout, json=options.json)
    server = Listening(build_app(worlds, Guard(token), lines), worlds, listener)
    hello = greeting(worlds, server.url, token)
    print(json.dumps(hello) if options.json else as_text(hello), flush=True)
    server.run()
    return 0


def _restore(worlds: "Worlds", path: Path) -> None:
    from soundstage.world.errors import WorldError

    try:
        worlds.restore(worlds.default, json.loads(path.read_bytes()))
    except OSError as error:
        _stop(f"cannot read {path}: {error.strerror}")
    except KeyError as error:
        _stop(f"{path} is no log that can be replayed here: there is no {error}")
    except (WorldError, ValueError, TypeError) as error:
        _stop(f"{path} is no log that can be replayed here: {error}")


def _check(options: argparse.Namespace) -> int:
    from soundstage.testing.check import check

    failed = False
    for finding in check(options.files):
        failed = failed or finding.error is not None
        if options.json:
            print(
                json.dumps({k: getattr(finding, k) for k in ("file", "what", "error")})
            )
        elif finding.error is None:
            print(f"ok  {finding.file}: {finding.what}")
        else:
            print(f"soundstage: {finding.error}", file=sys.stderr)
    return FAILED if failed else 0


def _apis(options: argparse.Namespace) -> int:
    from soundstage.apis.service import load_services
    from soundstage.contract.violation import DocumentError
    from soundstage.testing.listing import as_text, listing
    from soundstage.world.errors import WorldError

    try:
        chosen = [options.contract] if options.contract else []
        services = load_services(chosen)
    except (DocumentError, WorldError) as error:
        _stop(str(error))
    if options.contract:
        document = services[options.contract].contract.document
        print(json.dumps(document, indent=2, ensure_ascii=False))
    elif options.json:
        print(json.dumps(listing(services), indent=2))
    else:
        print(as_text(listing(services)))
    return 0


def _stop(message: str) -> NoReturn:
    print(f"soundstage: {message}", file=sys.stderr)
    raise SystemExit(USAGE)


if __name__ == "__main__":
    sys.exit(main())
