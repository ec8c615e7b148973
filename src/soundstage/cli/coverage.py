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
        help="measure how much of the contracts was exercised",
        description="Report which operations, statuses, parameters and enum values of "
        "the contracts were exercised: on a running server, in HTTP Archives, or in "
        "tests that ran with --soundstage-coverage. Exit code 1 if the percentage is "
        "below --fail-under or an exception matches nothing in the contracts.",
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
        help="report only this API; may be repeated (default: those that were called)",
    )
    coverage.add_argument(
        "--except",
        dest="exceptions",
        type=Path,
        metavar="FILE",
        help="YAML file of items that cannot be covered, each with a reason",
    )
    _add_report_options(coverage)
    add_json_option(coverage, "print the figures as JSON")


def _add_source_options(coverage: argparse.ArgumentParser) -> None:
    coverage.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="FILE",
        help="HTTP Archives (HAR) and data files of the pytest plugin (default without "
        "--url: .soundstage-coverage.json)",
    )
    coverage.add_argument(
        "--url",
        action="append",
        default=[],
        help="a running server, with all its worlds; may be repeated",
    )
    coverage.add_argument("--world", metavar="NAME", help="only this world of the server")
    coverage.add_argument(
        "--control-token", metavar="TOKEN", help="the token that the server's control API requires"
    )
    coverage.add_argument(
        "--spec",
        action="append",
        default=[],
        metavar="FILE",
        help="measure archives by this OpenAPI document, or folder with an overlay; "
        "may be repeated (default: the vendored contracts)",
    )


def _add_report_options(coverage: argparse.ArgumentParser) -> None:
    coverage.add_argument(
        "--fail-under",
        type=parse_percentage,
        metavar="PERCENT",
        help="exit with code 1 if less is covered",
    )
    coverage.add_argument(
        "--report",
        type=parse_report_formats,
        default=(),
        metavar="KINDS",
        help="formats of the reports to write: json, junit, html; separated by commas",
    )
    coverage.add_argument(
        "--report-dir",
        type=Path,
        default=Path("soundstage-report"),
        metavar="D",
        help="folder for the reports; default: %(default)s",
    )


def parse_percentage(text: str) -> float:
    """Parse a percentage from 0 to 100."""
    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= 100:  # noqa: PLR2004 - a percentage
        msg = f"expected a number from 0 to 100, not {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return number


def parse_report_formats(text: str) -> tuple[str, ...]:
    """Parse report formats separated by commas."""
    formats = tuple(filter(None, text.split(",")))
    for kind in formats:
        if kind not in {"json", "junit", "html"}:
            msg = f"{kind!r} is not one of json, junit, html"
            raise argparse.ArgumentTypeError(msg)
    return formats


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.coverage.exceptions import load_exemptions
    from soundstage.tools.coverage.figures import compute_figures, find_shortcomings
    from soundstage.tools.coverage.report_files import serialize_report, write_reports
    from soundstage.tools.coverage.report_text import format_report

    operations, warnings = _collect(options)
    try:
        exemptions = load_exemptions(options.exceptions) if options.exceptions else []
        figures = compute_figures(operations, options.api, exemptions)
    except (DocumentError, ValueError) as error:
        exit_with_error(str(error))
    errors = find_shortcomings(figures, options.fail_under)
    # Reports are written even if the threshold is missed: CI shows them then.
    try:
        folder, failed = options.report_dir, bool(errors)
        written = write_reports(figures, options.report, folder, failed=failed)
    except OSError as error:
        exit_with_error(f"cannot write to {options.report_dir}: {error.strerror}")
    if options.json:
        print(json.dumps(serialize_report(figures), indent=1))
    else:
        print(format_report(figures))
        for path in written:
            print(f"written: {path}")
    for line in [*warnings, *errors]:
        print(f"soundstage: {line}", file=sys.stderr)
    return FAILED if errors else 0


def _collect(options: argparse.Namespace) -> tuple[list["OperationCoverage"], list[str]]:
    """Read all sources: the coverage of each operation, and warnings."""
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.coverage import DEFAULT_DATA_FILE
    from soundstage.tools.coverage.sources import CoverageSourceError, CoverageSources

    # Contracts are slow to compile, and only archives need them.
    sources = CoverageSources(lambda: _load_contracts(options.spec))
    files = options.files
    if not files and not options.url:
        files = [Path(DEFAULT_DATA_FILE)]
        if not files[0].exists():
            exit_with_error(
                f"{DEFAULT_DATA_FILE} does not exist; "
                "run pytest --soundstage-coverage first, or pass --url or files"
            )
    try:
        for path in files:
            sources.add_file(path)
        for url in options.url:
            sources.add_server(url, options.world, options.control_token)
    except (CoverageSourceError, DocumentError) as error:
        exit_with_error(str(error))
    unmatched = sources.unmatched
    more = f" and {len(unmatched) - 1} more" if unmatched[1:] else ""
    warnings = [f"no operation matches {unmatched[0]}{more}"] if unmatched else []
    return sources.merge(), warnings


def _load_contracts(specs: list[str]) -> list["Contract"]:
    from soundstage.apis.registry import list_api_names
    from soundstage.openapi.specs import open_spec

    return [open_spec(spec).compile() for spec in specs or list_api_names()]
