"""``soundstage check``."""

import argparse
import json
import sys
from pathlib import Path

from soundstage.cli.common import FAILED, Commands, add_json_option


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    check = commands.add_parser(
        "check",
        help="check specs, overlays and fixtures",
        description="Check OpenAPI documents, overlays and fixtures: these files, or "
        "all vendored ones. Exit code 1 if one of them is invalid.",
    )
    check.set_defaults(command=run)
    check.add_argument("files", nargs="*", type=Path, metavar="FILE")
    add_json_option(check, "print the findings as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    from soundstage.tools.check import check

    failed = False
    for finding in check(options.files):
        failed = failed or finding.error is not None
        if options.json:
            print(json.dumps({k: getattr(finding, k) for k in ("file", "what", "error")}))
        elif finding.error is None:
            print(f"ok  {finding.file}: {finding.what}")
        else:
            print(f"soundstage: {finding.error}", file=sys.stderr)
    return FAILED if failed else 0
