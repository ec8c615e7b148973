"""``soundstage diff``."""

import argparse
import json

from soundstage.cli.common import FAILED, Commands, add_json, stop


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    diff = commands.add_parser(
        "diff",
        help="tell what has changed between two versions of a contract",
        description="Tell what has changed between two versions of an OpenAPI "
        "document, and whether it breaks clients of the old one. Exit code 1 if it "
        "does. Each version is a file, a folder with openapi.yaml whose overlay.yaml "
        "is applied, or the name of a vendored API.",
        epilog="Example: soundstage diff trieve openapi-0.14.yaml",
    )
    diff.set_defaults(command=run)
    diff.add_argument("old", metavar="OLD")
    diff.add_argument("new", metavar="NEW")
    diff.add_argument(
        "--allow-breaking",
        action="store_true",
        help="exit code 0 although clients break",
    )
    add_json(diff, "print the changes as JSON")


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit code."""
    from soundstage.contract.violation import DocumentError
    from soundstage.testing.diff.compare import compare
    from soundstage.testing.diff.text import as_text
    from soundstage.testing.specification import specification

    try:
        old, new = specification(options.old), specification(options.new)
        changes = compare(old.document, new.document)
    except DocumentError as error:
        stop(str(error))
    if options.json:
        print(json.dumps([change.as_json() for change in changes], indent=1))
    else:
        print(as_text(changes))
    broken = any(change.breaking for change in changes)
    return FAILED if broken and not options.allow_breaking else 0
