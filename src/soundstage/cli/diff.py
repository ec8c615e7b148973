"""``soundstage diff``."""

import argparse
import json

from soundstage.cli.common import FAILED, Commands, add_json_option, exit_with_error


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    diff = commands.add_parser(
        "diff",
        help="list the changes between two versions of a contract",
        description="List the changes between two versions of an OpenAPI document and "
        "whether they break clients of the old one. Exit code 1 if they do. A version "
        "is a file, a folder with openapi.yaml and an optional overlay.yaml, or the "
        "name of a vendored API.",
        epilog="Example: soundstage diff trieve openapi-0.14.yaml",
    )
    diff.set_defaults(command=run)
    diff.add_argument("old", metavar="OLD")
    diff.add_argument("new", metavar="NEW")
    diff.add_argument(
        "--allow-breaking", action="store_true", help="exit with code 0 despite breaking changes"
    )
    add_json_option(diff, "print the changes as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    from soundstage.openapi.errors import DocumentError
    from soundstage.openapi.specs import open_spec
    from soundstage.tools.diff.compare import compare
    from soundstage.tools.diff.report import format_changes

    try:
        old, new = open_spec(options.old), open_spec(options.new)
        changes = compare(old.document, new.document)
    except DocumentError as error:
        exit_with_error(str(error))
    if options.json:
        print(json.dumps([change.to_json() for change in changes], indent=1))
    else:
        print(format_changes(changes))
    broken = any(change.is_breaking for change in changes)
    return FAILED if broken and not options.allow_breaking else 0
