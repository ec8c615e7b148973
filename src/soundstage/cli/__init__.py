"""The ``soundstage`` command line: one module for each command."""

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

COMMANDS = tuple("serve check apis fuzz verify proxy record coverage diff".split())


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command line, ``sys.argv`` by default, and return the exit code."""
    words = sys.argv[1:] if argv is None else argv
    # Only the requested command's module is imported; all of them for `--help`.
    named = [word for word in words[:1] if word in COMMANDS]
    options = build_parser(named or COMMANDS).parse_args(words)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


def build_parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """Build the argument parser of these commands.

    >>> build_parser(["diff"]).parse_args(["diff", "old.yaml", "new.yaml"]).old
    'old.yaml'
    """
    result = argparse.ArgumentParser(
        prog="soundstage",
        description="A stateful mock server and contract-testing tools for OpenAPI: "
        "long-running jobs progress on a virtual clock.",
        epilog="Run soundstage COMMAND --help for the options of a command.",
    )
    result.add_argument(
        "--version", action=_VersionAction, nargs=0, help="print the version and exit"
    )
    commands = result.add_subparsers(required=True, metavar="COMMAND")
    for name in names:
        import_module(f"soundstage.cli.{name}").add(commands)
    return result


class _VersionAction(argparse.Action):
    """Print the version and exit.

    argparse's own action needs the version when the parser is built, which would import
    ``importlib.metadata`` for every command.
    """

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"{parser.prog} {version('soundstage')}")
        parser.exit()
