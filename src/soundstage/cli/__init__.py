"""The command line: a module for each command, which imports late what is heavy."""

import argparse
from collections.abc import Callable, Sequence

from soundstage.cli import (
    apis,
    check,
    coverage,
    diff,
    fuzz,
    proxy,
    record,
    serve,
    verify,
)

COMMANDS = (serve, check, apis, fuzz, verify, proxy, record, coverage, diff)


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out a command line; gives the exit code."""
    options = parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def parser() -> argparse.ArgumentParser:
    """All that may be said on a command line."""
    result = argparse.ArgumentParser(
        prog="soundstage",
        description="A mock server made from OpenAPI contracts, with runs that live.",
        epilog="soundstage COMMAND --help tells more.",
    )
    result.add_argument(
        "--version", action=_Version, nargs=0, help="print the version and exit"
    )
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return result


class _Version(argparse.Action):
    """argparse's own would have the version read for every command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"{parser.prog} {version('soundstage')}")
        parser.exit()
