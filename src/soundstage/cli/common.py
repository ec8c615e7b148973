"""What the commands have in common."""

import argparse
import sys
from typing import NoReturn, TypeAlias

from soundstage.world.clock import instant_of

FAILED = 1  # what was checked is wrong
USAGE = 2  # the command cannot be carried out

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse has no other name for it


def add_json(parser: argparse.ArgumentParser, text: str) -> None:
    """``--json``, and what it does."""
    parser.add_argument("--json", action="store_true", help=text)


def instant(text: str) -> int:
    """An instant of RFC 3339, as an argument."""
    try:
        return instant_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def stop(message: str) -> NoReturn:
    """Say why a command cannot be carried out, and end."""
    print(f"soundstage: {message}", file=sys.stderr)
    raise SystemExit(USAGE)
