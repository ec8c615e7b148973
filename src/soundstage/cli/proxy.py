"""``soundstage proxy``."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from soundstage.cli.common import (
    FAILED,
    Commands,
    add_address_options,
    add_json_option,
    exit_with_error,
    open_listener,
)

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
        help="validate real traffic against a contract and record it",
        description="Forward requests to a real service, return its responses, and "
        "validate both against the contract. Ctrl-C stops the proxy; the exit code is "
        "then 1 if a side named by --fail-on violated the contract.",
        epilog="Example: soundstage proxy https://data.us.algolia.com "
        "--api algolia-ingestion --record run.har",
    )
    proxy.set_defaults(command=run)
    proxy.add_argument("url", metavar="URL", help="base URL of the real service")
    contract = proxy.add_mutually_exclusive_group(required=True)
    contract.add_argument("--api", metavar="NAME", help="the vendored contract of this API")
    contract.add_argument(
        "--spec", metavar="FILE", help="an OpenAPI document, or a folder with an overlay"
    )
    add_address_options(proxy, port=4011)
    _add_options(proxy)
    add_json_option(proxy, "print JSON lines instead of text")


def _add_options(proxy: argparse.ArgumentParser) -> None:
    proxy.add_argument(
        "--fail-on",
        type=_parse_sides,
        default=[],
        metavar="SIDES",
        help="request, response, or both separated by a comma: reject an invalid "
        "request as the API would, replace an invalid response by a 502",
    )
    proxy.add_argument(
        "--record",
        type=Path,
        metavar="FILE",
        help="write all exchanges to this HTTP Archive (HAR 1.2)",
    )
    proxy.add_argument(
        "--keep-secrets", action="store_true", help="do not redact credentials in the archive"
    )
    proxy.add_argument(
        "--silent",
        action="store_true",
        help="do not add the header Soundstage-Violations to responses",
    )
    proxy.add_argument(
        "--timeout",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="maximum time without data from the service; default: %(default)g",
    )


def _parse_sides(text: str) -> list[str]:
    sides = [side.strip() for side in text.split(",")]
    if wrong := [side for side in sides if side not in SIDES]:
        msg = f"{wrong[0]!r} is neither request nor response"
        raise argparse.ArgumentTypeError(msg)
    return sides


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    router, upstream = _load_contract_router(options), _create_upstream(options)
    with open_listener(options) as listener:
        counts = _serve(options, router, upstream, listener)
    invalid = {"request": counts["requests"], "response": counts["answers"]}
    return FAILED if any(invalid[side] for side in options.fail_on) else 0


def _serve(
    options: argparse.Namespace,
    router: "ContractRouter",
    upstream: "Upstream",
    listener: "socket.socket",
) -> Mapping[str, int]:
    """Serve until Ctrl-C; returns the number of invalid requests and responses."""
    from soundstage.server.guard import is_loopback
    from soundstage.server.uvicorn_server import format_url
    from soundstage.tools.proxy.console import ProxyConsole, build_startup_info
    from soundstage.tools.proxy.control import ProxyControlApp
    from soundstage.tools.proxy.process import serve
    from soundstage.tools.proxy.reverse_proxy import ProxyPolicy, ReverseProxy
    from soundstage.tools.proxy.traffic_log import TrafficLog

    har_file = _create_har_file(options.record) if options.record else None
    record = str(options.record) if options.record else None
    console = ProxyConsole(sys.stdout, json=options.json)
    log = TrafficLog(
        router, upstream.base_url, console, har_file, keep_secrets=options.keep_secrets
    )
    policy = ProxyPolicy(
        rejects_requests="request" in options.fail_on,
        withholds_responses="response" in options.fail_on,
        adds_violations_header=not options.silent,
    )
    console.print_startup(
        build_startup_info(format_url(listener), upstream.base_url, router, record, options.fail_on)
    )
    # The control API needs no token, so only local clients may reach it.
    is_local = is_loopback(listener.getsockname()[0])
    control_app = ProxyControlApp(log.journal, router.contract) if is_local else None
    serve(ReverseProxy(router, upstream, policy, log, control_app), upstream, listener)
    if har_file:
        har_file.close()
    console.print_summary(log.summarize())
    return log.counts


def _load_contract_router(options: argparse.Namespace) -> "ContractRouter":
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.proxy.contract_router import build_api_router, build_document_router
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
        exit_with_error(f"--timeout takes a number above 0, not {options.timeout:g}")
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
