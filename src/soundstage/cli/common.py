"""What the commands have in common."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from typing import NoReturn, TypeAlias

from soundstage.world.clock import instant_of

FAILED = 1  # what was checked is wrong
USAGE = 2  # the command cannot be carried out
INTERRUPTED = 130  # by Ctrl-C; 128 and the signal's number, as shells have it
TERMINATED = 143

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse has no other name for it


def add_json_option(parser: argparse.ArgumentParser, help_text: str) -> None:
    """``--json``, and what it does."""
    parser.add_argument("--json", action="store_true", help=help_text)


def add_credential_option(parser: argparse.ArgumentParser) -> None:
    """``--credential``."""
    parser.add_argument(
        "--credential",
        action="append",
        default=[],
        metavar="SCHEME=SECRET",
        help="a secret for a security scheme of the document (user:password for "
        "Basic); SCHEME=$NAME takes it from the environment; may be repeated",
    )


def parse_pairs(arguments: Iterable[str], option: str) -> Iterator[tuple[str, str]]:
    """``NAME=VALUE`` in two; ``$NAME`` is a variable of the environment."""
    for text in arguments:
        name, equals, value = text.partition("=")
        if not name or not equals:
            exit_with_error(f"{option}: {text!r} is not of the form NAME=VALUE")
        if value.startswith("$"):
            if value[1:] not in os.environ:
                exit_with_error(f"{option}: there is no {value[1:]} in the environment")
            value = os.environ[value[1:]]
        yield name, value


def parse_positive(text: str) -> int:
    """Parse a command-line argument as an integer of at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        message = f"expected an integer of at least 1, not {text!r}"
        raise argparse.ArgumentTypeError(message)
    return number


def parse_timestamp_option(text: str) -> int:
    """An instant of RFC 3339, as an argument."""
    try:
        return instant_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def exit_on_sigterm() -> None:
    """Let a signal to end be an exit, on which what was started is ended, too."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _exit_terminated)


def _exit_terminated(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(TERMINATED)


def exit_with_error(message: str) -> NoReturn:
    """Say why a command cannot be carried out, and end."""
    print(f"soundstage: {message}", file=sys.stderr)
    raise SystemExit(USAGE)
