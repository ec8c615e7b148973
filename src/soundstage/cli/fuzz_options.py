"""What may be said to ``soundstage fuzz``."""

import argparse
from pathlib import Path

from soundstage.cli.common import add_json, add_secrets, instant, positive


def add_options(fuzz: argparse.ArgumentParser) -> None:
    """All of its options."""
    _add_target(fuzz)
    _add_world(fuzz)
    _add_effort(fuzz)
    _add_choice(fuzz)
    _add_reports(fuzz)
    add_json(fuzz, "print one JSON document")


def _add_target(fuzz: argparse.ArgumentParser) -> None:
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
    add_secrets(fuzz)
    fuzz.add_argument(
        "--value",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a value that is known to lead somewhere; may be repeated",
    )


def _add_world(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="what requests and world are drawn from; default: %(default)s",
    )
    fuzz.add_argument(
        "--now",
        type=instant,
        default=instant("2026-01-01T00:00:00Z"),
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


def _add_effort(fuzz: argparse.ArgumentParser) -> None:
    fuzz.add_argument(
        "--max-examples",
        type=positive,
        default=100,
        metavar="N",
        help="requests that are drawn for each operation; default: %(default)s",
    )
    fuzz.add_argument(
        "--max-time",
        type=positive,
        metavar="SECONDS",
        help="stop after so long, with what was found until then",
    )
    fuzz.add_argument(
        "--workers",
        type=positive,
        default=1,
        metavar="N",
        help="requests at a time; with more than 1 no case comes again for certain; "
        "default: %(default)s",
    )


def _add_choice(fuzz: argparse.ArgumentParser) -> None:
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


def _add_reports(fuzz: argparse.ArgumentParser) -> None:
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
