"""``soundstage proxy``."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from soundstage.cli.common import FAILED, Commands, add_json_option, exit_with_error

if TYPE_CHECKING:
    import socket

    from soundstage.exchange.har import HarFile
    from soundstage.tools.proxy.contract_router import ContractRouter
    from soundstage.tools.proxy.upstream import Upstream

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
    add_json_option(proxy, "print JSON lines instead of text")


def _add_options(proxy: argparse.ArgumentParser) -> None:
    proxy.add_argument(
        "--fail-on",
        type=_parse_sides,
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


def _parse_sides(text: str) -> list[str]:
    sides = [side.strip() for side in text.split(",")]
    if wrong := [side for side in sides if side not in SIDES]:
        msg = f"{wrong[0]!r} is neither request nor response"
        raise argparse.ArgumentTypeError(msg)
    return sides


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit code."""
    terms, upstream = _load_contract_router(options), _create_upstream(options)
    with _open_listener(options) as listener:
        counts = _serve(options, terms, upstream, listener)
    broken = {"request": counts["requests"], "response": counts["answers"]}
    return FAILED if any(broken[side] for side in options.fail_on) else 0


def _serve(
    options: argparse.Namespace,
    router: "ContractRouter",
    upstream: "Upstream",
    listener: "socket.socket",
) -> Mapping[str, int]:
    """Pass on what comes until it is enough; gives the counts."""
    from soundstage.server.guard import is_loopback
    from soundstage.server.uvicorn_server import format_url
    from soundstage.tools.proxy.console import ProxyConsole, build_startup_info
    from soundstage.tools.proxy.control import ProxyControlApp
    from soundstage.tools.proxy.process import serve
    from soundstage.tools.proxy.reverse_proxy import ProxyPolicy, ReverseProxy
    from soundstage.tools.proxy.traffic_log import TrafficLog

    tape = _create_har_file(options.record) if options.record else None
    record = str(options.record) if options.record else None
    lines = ProxyConsole(sys.stdout, json=options.json)
    notes = TrafficLog(
        router, upstream.base_url, lines, tape, keep_secrets=options.keep_secrets
    )
    policy = ProxyPolicy(
        rejects_requests="request" in options.fail_on,
        withholds_responses="response" in options.fail_on,
        adds_violations_header=not options.silent,
    )
    lines.print_startup(
        build_startup_info(
            format_url(listener), upstream.base_url, router, record, options.fail_on
        )
    )
    alone = is_loopback(listener.getsockname()[0])
    desk = ProxyControlApp(notes.journal, router.contract) if alone else None
    serve(ReverseProxy(router, upstream, policy, notes, desk), upstream, listener)
    if tape:
        tape.close()
    lines.print_summary(notes.summarize())
    return notes.counts


def _load_contract_router(options: argparse.Namespace) -> "ContractRouter":
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.proxy.contract_router import (
        build_api_router,
        build_document_router,
    )
    from soundstage.world.errors import WorldError

    try:
        if options.spec:
            return build_document_router(options.spec)
        return build_api_router(options.api)
    except (DocumentError, WorldError) as error:
        exit_with_error(str(error))


def _create_upstream(options: argparse.Namespace) -> "Upstream":
    from soundstage.tools.proxy.upstream import Upstream

    if not options.timeout > 0:
        exit_with_error(
            f"--timeout takes seconds, more than 0, not {options.timeout:g}"
        )
    try:
        return Upstream(options.url, options.timeout)
    except ValueError as error:
        exit_with_error(str(error))


def _create_har_file(path: Path) -> "HarFile":
    from soundstage.exchange.har import HarFile

    try:
        return HarFile(path)
    except OSError as error:
        exit_with_error(f"cannot write {path}: {error.strerror}")


def _open_listener(options: argparse.Namespace) -> "socket.socket":
    from soundstage.server.uvicorn_server import open_listener

    try:
        return open_listener(options.host, options.port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        place = f"{options.host}:{options.port}"
        exit_with_error(
            f"cannot listen on {place}: {reason}; --port 0 takes a free port"
        )
