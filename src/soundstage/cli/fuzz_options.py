"""The options of ``soundstage fuzz``."""

import argparse
from pathlib import Path

from soundstage.cli.common import (
    add_credential_option,
    add_json_option,
    add_value_option,
    parse_positive,
    parse_timestamp_option,
)


def add_options(fuzz: argparse.ArgumentParser) -> None:
    """Add all options of the command."""
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
        help="fuzz only this API, or 'soundstage' for the control API; may be repeated "
        "(default: all)",
    )
    fuzz.add_argument("--spec", type=Path, metavar="FILE", help="fuzz by this OpenAPI document")
    fuzz.add_argument(
        "--url", metavar="URL", help="fuzz this running server (default: start a mock and fuzz it)"
    )
    add_credential_option(fuzz)
    add_value_option(fuzz)


def _add_world_options(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the generated requests and of the mock; default: %(default)s",
    )
    fuzz.add_argument(
        "--now",
        type=parse_timestamp_option,
        default=parse_timestamp_option("2026-01-01T00:00:00Z"),
        metavar="INSTANT",
        help="start time of the mock's clock; default: 2026-01-01T00:00:00Z",
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
        help="a fixture that replaces the vendored one of its API; may be repeated",
    )


def _add_limit_options(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--max-examples",
        type=parse_positive,
        default=100,
        metavar="N",
        help="generated requests per operation; default: %(default)s",
    )
    fuzz.add_argument(
        "--max-time",
        type=parse_positive,
        metavar="SECONDS",
        help="stop after this time and report the results so far",
    )
    fuzz.add_argument(
        "--workers",
        type=parse_positive,
        default=1,
        metavar="N",
        help="concurrent requests; with more than 1 a run is not reproducible; "
        "default: %(default)s",
    )


def _add_selection_options(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="OPERATION",
        help="fuzz only this operation, by operationId or 'GET /path'; may be repeated",
    )
    fuzz.add_argument(
        "--phases",
        default="examples,coverage,fuzzing,stateful",
        metavar="LIST",
        help="test phases of schemathesis; default: %(default)s",
    )
    fuzz.add_argument(
        "--skip-check",
        action="append",
        default=[],
        metavar="CHECK",
        help="skip this check; may be repeated",
    )
    fuzz.add_argument(
        "--still",
        action="store_true",
        help="with --url: assert that data changes only through requests; enables more checks",
    )


def _add_report_options(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--report",
        default="",
        metavar="LIST",
        help="formats of the reports to write: junit, har, html, json, ndjson, vcr",
    )
    fuzz.add_argument(
        "--report-dir",
        type=Path,
        metavar="DIR",
        help="folder for the reports and for a replayable file of each failure",
    )
    fuzz.add_argument(
        "--replay",
        type=Path,
        metavar="PATH",
        help="send failed requests again: a file in DIR/<api>/failures, or the folder",
    )
