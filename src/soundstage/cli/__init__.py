"""The command line: a module for each command, which imports late what is heavy."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

COMMANDS = tuple("serve check apis fuzz verify proxy record coverage diff".split())


def main(argv: Sequence[str] | None = None) -> int:
    """Carry out a command line; gives the exit code."""
    words = sys.argv[1:] if argv is None else argv
    named = [word for word in words[:1] if word in COMMANDS]
    options = build_parser(named or COMMANDS).parse_args(words)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def build_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """All that may be said on a command line, of these commands."""
    result = argparse.ArgumentParser(
        prog="soundstage",
        description="A mock server made from OpenAPI contracts, with runs that live.",
        epilog="soundstage COMMAND --help tells more.",
    )
    result.add_argument(
        "--version", action=_VersionAction, nargs=0, help="print the version and exit"
    )
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    for name in names:
        import_module(f"soundstage.cli.{name}").add(commands)
    return result


class _VersionAction(argparse.Action):
    """argparse's own would have the version read for every command."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"{parser.prog} {version('soundstage')}")
        parser.exit()
