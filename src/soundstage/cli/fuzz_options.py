"""What may be said to ``soundstage fuzz``."""

import argparse
from pathlib import Path

from soundstage.cli.common import (
    add_credential_option,
    add_json_option,
    parse_positive,
    parse_timestamp_option,
)


def add_options(fuzz: argparse.ArgumentParser) -> None:
    """All of its options."""
    _add_target_options(fuzz)
    _add_world_options(fuzz)
    _add_limit_options(fuzz)
    _add_selection_options(fuzz)
    _add_report_options(fuzz)
    add_json_option(fuzz, "print one JSON document")


def _add_target_options(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--api",
        action="append",
        default=[],
        metavar="NAME",
        help="fuzz this API only, or 'soundstage', the control API; may be repeated "
        "(default: all of them)",
    )
    fuzz.add_argument(
        "--spec", type=Path, metavar="FILE", help="an OpenAPI document of your own"
    )
    fuzz.add_argument(
        "--url",
        metavar="URL",
        help="a server that runs already (default: a mock that is started for it)",
    )
    add_credential_option(fuzz)
    fuzz.add_argument(
        "--value",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a value that is known to lead somewhere; may be repeated",
    )


def _add_world_options(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="what requests and world are drawn from; default: %(default)s",
    )
    fuzz.add_argument(
        "--now",
        type=parse_timestamp_option,
        default=parse_timestamp_option("2026-01-01T00:00:00Z"),
        metavar="INSTANT",
        help="where the mock's clock starts; default: 2026-01-01T00:00:00Z",
    )
    fuzz.add_argument(
        "--speed",
        type=float,
        default=0.0,
        metavar="X",
        help="the mock's virtual seconds per second; default: 0, frozen",
    )
    fuzz.add_argument(
        "--fixture",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="a fixture that takes the place of the vendored one of its API",
    )


def _add_limit_options(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--max-examples",
        type=parse_positive,
        default=100,
        metavar="N",
        help="requests that are drawn for each operation; default: %(default)s",
    )
    fuzz.add_argument(
        "--max-time",
        type=parse_positive,
        metavar="SECONDS",
        help="stop after so long, with what was found until then",
    )
    fuzz.add_argument(
        "--workers",
        type=parse_positive,
        default=1,
        metavar="N",
        help="requests at a time; with more than 1 no case comes again for certain; "
        "default: %(default)s",
    )


def _add_selection_options(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="OPERATION",
        help="fuzz this operation only, by operationId or 'GET /path'; may be repeated",
    )
    fuzz.add_argument(
        "--phases",
        default="examples,coverage,fuzzing,stateful",
        metavar="LIST",
        help="default: %(default)s",
    )
    fuzz.add_argument(
        "--skip-check",
        action="append",
        default=[],
        metavar="CHECK",
        help="do not make this check; may be repeated",
    )
    fuzz.add_argument(
        "--still",
        action="store_true",
        help="with --url: nothing changes there by itself, so that all rules hold",
    )


def _add_report_options(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--report",
        default="",
        metavar="LIST",
        help="reports to write: junit, har, html, json, ndjson, vcr",
    )
    fuzz.add_argument(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="where reports go, and a file for each failure to replay",
    )
    fuzz.add_argument(
        "--replay",
        type=Path,
        metavar="PATH",
        help="send again what failed: a file, or a folder, of DIR/<api>/failures",
    )
