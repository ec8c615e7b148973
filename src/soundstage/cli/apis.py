"""``soundstage apis``."""

import argparse
import json

from soundstage.cli.common import Commands, add_json_option, exit_with_error


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    apis = commands.add_parser(
        "apis",
        help="list APIs, operations and scenarios",
        description="List the APIs with their operations, scenarios, tasks and record "
        "types, or print the contract of one API.",
    )
    apis.set_defaults(command=run)
    apis.add_argument(
        "--contract",
        metavar="NAME",
        help="print the effective contract of this API (its overlay applied) as JSON",
    )
    add_json_option(apis, "print the list as JSON")


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    from soundstage.apis.registry import load_services
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.listing import describe_apis, format_listing
    from soundstage.world.errors import WorldError

    try:
        services = load_services([options.contract] if options.contract else [])
    except (DocumentError, WorldError) as error:
        exit_with_error(str(error))
    if options.contract:
        document = services[options.contract].contract.document
        print(json.dumps(document, indent=2, ensure_ascii=False))
    elif options.json:
        print(json.dumps(describe_apis(services), indent=2))
    else:
        print(format_listing(describe_apis(services)))
    return 0
