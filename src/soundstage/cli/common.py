"""Options, argument types and exit codes that the commands share."""

import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn, TypeAlias

from soundstage.world.clock import parse_rfc3339

if TYPE_CHECKING:
    import socket

FAILED = 1  # the check found something
USAGE = 2  # the command cannot run
INTERRUPTED = 130  # Ctrl-C: 128 + SIGINT, the convention of shells
TERMINATED = 143  # 128 + SIGTERM

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - argparse has no other name for it


def add_json_option(parser: argparse.ArgumentParser, help_text: str) -> None:
    """Add ``--json`` with this help text."""
    parser.add_argument("--json", action="store_true", help=help_text)


def add_address_options(parser: argparse.ArgumentParser, port: int) -> None:
    """Add ``--host`` and ``--port``; ``port`` is the default."""
    parser.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    parser.add_argument(
        "--port", type=int, default=port, help="0 selects a free port; default: %(default)s"
    )


def add_credential_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--credential``; read its values with ``parse_pairs``."""
    parser.add_argument(
        "--credential",
        action="append",
        default=[],
        metavar="SCHEME=SECRET",
        help="the secret of a security scheme (user:password for Basic); SCHEME=$NAME "
        "reads it from an environment variable; may be repeated",
    )


def add_value_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--value``; read its values with ``parse_values``."""
    parser.add_argument(
        "--value",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a known valid value of a parameter, such as an existing id; may be repeated",
    )


def open_listener(options: argparse.Namespace) -> "socket.socket":
    """Listen on ``--host`` and ``--port``; exits with code 2 if that fails."""
    from soundstage.server.uvicorn_server import open_listener as listen

    try:
        return listen(options.host, options.port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        address = f"{options.host}:{options.port}"
        exit_with_error(f"cannot listen on {address}: {reason}; --port 0 selects a free port")


def parse_pairs(arguments: Iterable[str], option: str) -> Iterator[tuple[str, str]]:
    """Split ``NAME=VALUE`` arguments; a ``$VALUE`` is an environment variable.

    Exits with code 2 for another form and for an unset variable.

    >>> dict(parse_pairs(["apiKey=secret"], "--credential"))
    {'apiKey': 'secret'}
    """
    for text in arguments:
        name, equals, value = text.partition("=")
        if not name or not equals:
            exit_with_error(f"{option}: {text!r} is not of the form NAME=VALUE")
        if value.startswith("$"):
            variable = value[1:]
            if variable not in os.environ:
                exit_with_error(f"{option}: environment variable {variable} is not set")
            value = os.environ[variable]
        yield name, value


def parse_values(arguments: Iterable[str]) -> dict[str, list[str]]:
    """Group the ``PARAMETER=VALUE`` arguments of ``--value`` by parameter.

    >>> parse_values(["id=1", "id=2"])
    {'id': ['1', '2']}
    """
    values: dict[str, list[str]] = {}
    for name, value in parse_pairs(arguments, "--value"):
        values.setdefault(name, []).append(value)
    return values


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
    """Parse an RFC 3339 argument; returns ms since the epoch."""
    try:
        return parse_rfc3339(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def start_timer(seconds: int | None) -> Callable[[], float | None]:
    """Start a countdown; each call returns the seconds left, None without a limit."""
    from soundstage.world.clock import wall_clock_now

    end = wall_clock_now() + seconds * 1_000 if seconds else None
    return lambda: None if end is None else max(end - wall_clock_now(), 0) / 1_000


def exit_on_sigterm() -> None:
    """Exit on SIGTERM through ``SystemExit``, so that child processes are stopped."""
    # Python allows signal handlers in the main thread only; tests run commands in
    # other threads.
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _exit_terminated)


def _exit_terminated(_number: int, _frame: object) -> NoReturn:
    raise SystemExit(TERMINATED)


def exit_with_error(message: str) -> NoReturn:
    """Print the reason on standard error and exit with code 2."""
    print(f"soundstage: {message}", file=sys.stderr)
    raise SystemExit(USAGE)
