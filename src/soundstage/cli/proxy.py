"""``soundstage proxy``."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from soundstage.cli.common import FAILED, Commands, add_json, stop

if TYPE_CHECKING:
    import socket

    from soundstage.testing.proxy.tape import Tape
    from soundstage.testing.proxy.terms import Terms
    from soundstage.testing.proxy.upstream import Upstream

SIDES = ("request", "response")


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    proxy = commands.add_parser(
        "proxy",
        help="hold real traffic against a contract, and record it",
        description="Pass requests on to a real service and its answers back, and hold "
        "both against the contract. Stopped by Ctrl-C; the exit code is then 1 if what "
        "--fail-on names was broken.",
        epilog="Example: soundstage proxy https://data.us.algolia.com "
        "--api algolia-ingestion --record run.har",
    )
    proxy.set_defaults(command=run)
    proxy.add_argument("url", metavar="URL", help="where the real service is")
    contract = proxy.add_mutually_exclusive_group(required=True)
    contract.add_argument("--api", metavar="NAME", help="a vendored API's contract")
    contract.add_argument(
        "--spec",
        metavar="FILE",
        help="any OpenAPI document as the contract; a folder's with its overlay",
    )
    proxy.add_argument("--host", default="127.0.0.1", help="default: %(default)s")
    proxy.add_argument(
        "--port",
        type=int,
        default=4011,
        help="0 takes a free one; default: %(default)s",
    )
    _add_options(proxy)
    add_json(proxy, "print JSON lines instead of text")


def _add_options(proxy: argparse.ArgumentParser) -> None:
    proxy.add_argument(
        "--fail-on",
        type=_sides,
        default=[],
        metavar="SIDES",
        help="request, response, or both with a comma: refuse a request that breaks "
        "the contract as the API would, give a 502 instead of such an answer",
    )
    proxy.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="write all exchanges to this HTTP Archive (HAR 1.2)",
    )
    proxy.add_argument(
        "--keep-secrets",
        action="store_true",
        help="do not mask credentials in the archive",
    )
    proxy.add_argument(
        "--silent",
        action="store_true",
        help="do not add the header Soundstage-Violations to answers",
    )
    proxy.add_argument(
        "--timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="the longest silence of the service; default: %(default)g",
    )


def _sides(text: str) -> list[str]:
    sides = [side.strip() for side in text.split(",")]
    if wrong := [side for side in sides if side not in SIDES]:
        msg = f"{wrong[0]!r} is neither request nor response"
        raise argparse.ArgumentTypeError(msg)
    return sides


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit code."""
    terms, upstream = _terms(options), _upstream(options)
    with _listener(options) as listener:
        counts = _listen(options, terms, upstream, listener)
    broken = {"request": counts["requests"], "response": counts["answers"]}
    return FAILED if any(broken[side] for side in options.fail_on) else 0


def _listen(
    options: argparse.Namespace,
    terms: "Terms",
    upstream: "Upstream",
    listener: "socket.socket",
) -> Mapping[str, int]:
    """Pass on what comes until it is enough; gives the counts."""
    from soundstage.server.guard import is_loopback
    from soundstage.server.serve import url_of
    from soundstage.testing.proxy.desk import Desk
    from soundstage.testing.proxy.lines import Lines, greeting
    from soundstage.testing.proxy.notes import Notes
    from soundstage.testing.proxy.process import listen
    from soundstage.testing.proxy.relay import Policy, Relay

    tape = _tape(options.record) if options.record else None
    record = str(options.record) if options.record else None
    lines = Lines(sys.stdout, json=options.json)
    notes = Notes(
        terms, upstream.base_url, lines, tape, keep_secrets=options.keep_secrets
    )
    policy = Policy(
        refuses_requests="request" in options.fail_on,
        refuses_answers="response" in options.fail_on,
        tells=not options.silent,
    )
    lines.greet(
        greeting(url_of(listener), upstream.base_url, terms, record, options.fail_on)
    )
    alone = is_loopback(listener.getsockname()[0])
    desk = Desk(notes.journal, terms.contract) if alone else None
    listen(Relay(terms, upstream, policy, notes, desk), upstream, listener)
    if tape:
        tape.close()
    lines.sum_up(notes.summary())
    return notes.counts


def _terms(options: argparse.Namespace) -> "Terms":
    from soundstage.contract.violation import DocumentError
    from soundstage.testing.proxy.terms import terms_of_api, terms_of_document
    from soundstage.world.errors import WorldError

    try:
        if options.spec:
            return terms_of_document(options.spec)
        return terms_of_api(options.api)
    except (DocumentError, WorldError) as error:
        stop(str(error))


def _upstream(options: argparse.Namespace) -> "Upstream":
    from soundstage.testing.proxy.upstream import Upstream

    if not options.timeout > 0:
        stop(f"--timeout takes seconds, more than 0, not {options.timeout:g}")
    try:
        return Upstream(options.url, options.timeout)
    except ValueError as error:
        stop(str(error))


def _tape(path: Path) -> "Tape":
    from soundstage.testing.proxy.tape import Tape

    try:
        return Tape(path)
    except OSError as error:
        stop(f"cannot write {path}: {error.strerror}")


def _listener(options: argparse.Namespace) -> "socket.socket":
    from soundstage.server.serve import bound

    try:
        return bound(options.host, options.port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = f"{options.host}:{options.port}"
        stop(f"cannot listen on {place}: {reason}; --port 0 takes a free port")
