"""``soundstage coverage``."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from soundstage.cli.common import FAILED, Commands, add_json_option, exit_with_error

if TYPE_CHECKING:
    from soundstage.exchange.coverage import OperationCoverage
    from soundstage.openapi.contract import Contract


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    coverage = commands.add_parser(
        "coverage",
        help="tell what of the contracts was exercised",
        description="Tell which operations, statuses, parameters and listed values of "
        "the contracts were exercised, out of those that there are: on a running "
        "server, in HTTP Archives, or in tests with --soundstage-coverage. Exit code 1 "
        "if that is less than --fail-under, or if an exception is for nothing.",
        epilog="Example: soundstage coverage --url http://127.0.0.1:4010 "
        "--fail-under 80 --report junit,html --report-dir reports",
    )
    coverage.set_defaults(command=run)
    _add_source_options(coverage)
    coverage.add_argument(
        "--api",
        action="append",
        default=[],
        metavar="NAME",
        help="of this API only; may be repeated (default: those that were called)",
    )
    coverage.add_argument(
        "--except",
        dest="exceptions",
        type=Path,
        metavar="FILE",
        help="YAML with what cannot be covered, and why",
    )
    _add_report_options(coverage)
    add_json_option(coverage, "print the figures as JSON")


def _add_source_options(coverage: argparse.ArgumentParser) -> None:
    coverage.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="HTTP Archives (HAR), and what the pytest plugin has written (default, if "
        "there is no --url: .soundstage-coverage.json)",
    )
    coverage.add_argument(
        "--url",
        action="append",
        default=[],
        help="a running server: all its worlds; may be repeated",
    )
    coverage.add_argument("--world", metavar="NAME", help="one world of the server")
    coverage.add_argument(
        "--control-token",
        metavar="TOKEN",
        help="what the server's control API asks for",
    )
    coverage.add_argument(
        "--spec",
        action="append",
        default=[],
        metavar="FILE",
        help="count archives by this OpenAPI document, or folder with its overlay; may "
        "be repeated (default: the vendored ones)",
    )


def _add_report_options(coverage: argparse.ArgumentParser) -> None:
    coverage.add_argument(
        "--fail-under",
        type=parse_percentage,
        metavar="PERCENT",
        help="exit code 1 if less is covered",
    )
    coverage.add_argument(
        "--report",
        type=parse_report_formats,
        default=(),
        metavar="KINDS",
        help="files to write, of json, junit and html; joined by commas",
    )
    coverage.add_argument(
        "--report-dir",
        type=Path,
        default=Path("soundstage-report"),
        metavar="D",
        help="where to; default: %(default)s",
    )


def parse_percentage(text: str) -> float:
    """From 0 to 100, as an argument."""
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 100:  # noqa: PLR2004 - that is percent
        msg = f"{text!r} is no number from 0 to 100"
        raise argparse.ArgumentTypeError(msg)
    return number


def parse_report_formats(text: str) -> tuple[str, ...]:
    """Kinds of reports, as an argument."""
    chosen = tuple(filter(None, text.split(",")))
    for kind in chosen:
        if kind not in {"json", "junit", "html"}:
            msg = f"{kind!r} is none of json, junit, html"
            raise argparse.ArgumentTypeError(msg)
    return chosen


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit code."""
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.coverage.exceptions import load_exemptions
    from soundstage.tools.coverage.figures import compute_figures, find_shortcomings
    from soundstage.tools.coverage.report_files import serialize_report, write_reports
    from soundstage.tools.coverage.report_text import format_report

    covered, notes = _collect(options)
    try:
        excepted = load_exemptions(options.exceptions) if options.exceptions else []
        figures = compute_figures(covered, options.api, excepted)
    except (DocumentError, ValueError) as error:
        exit_with_error(str(error))
    wrong = find_shortcomings(figures, options.fail_under)
    try:
        folder, failed = options.report_dir, bool(wrong)
        written = write_reports(figures, options.report, folder, failed=failed)
    except OSError as error:
        exit_with_error(f"cannot write to {options.report_dir}: {error.strerror}")
    if options.json:
        print(json.dumps(serialize_report(figures), indent=1))
    else:
        print(format_report(figures))
        for path in written:
            print(f"written: {path}")
    for line in [*notes, *wrong]:
        print(f"soundstage: {line}", file=sys.stderr)
    return FAILED if wrong else 0


def _collect(
    options: argparse.Namespace,
) -> tuple[list["OperationCoverage"], list[str]]:
    """What was covered, and what is to be said of where it came from."""
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.coverage import DEFAULT_DATA_FILE
    from soundstage.tools.coverage.sources import CoverageSourceError, CoverageSources

    sources = CoverageSources(lambda: _load_contracts(options.spec))
    files = options.files
    if not files and not options.url:
        files = [Path(DEFAULT_DATA_FILE)]
        if not files[0].exists():
            exit_with_error(
                f"there is no {DEFAULT_DATA_FILE} here; "
                "run pytest --soundstage-coverage first, or name --url or files"
            )
    try:
        for path in files:
            sources.add_file(path)
        for url in options.url:
            sources.add_server(url, options.world, options.control_token)
    except (CoverageSourceError, DocumentError) as error:
        exit_with_error(str(error))
    strays = sources.unmatched
    more = f" and {len(strays) - 1} more" if strays[1:] else ""
    notes = [f"no operation is there for {strays[0]}{more}"] if strays else []
    return sources.merge(), notes


def _load_contracts(specs: list[str]) -> list["Contract"]:
    from soundstage.apis.registry import list_api_names
    from soundstage.openapi.specs import specification

    return [specification(given).contract() for given in specs or list_api_names()]
