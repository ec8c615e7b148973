"""``soundstage verify``."""

import argparse
import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from soundstage.cli.common import (
    FAILED,
    INTERRUPTED,
    Commands,
    add_credential_option,
    add_json_option,
    add_value_option,
    exit_on_sigterm,
    exit_with_error,
    parse_pairs,
    parse_positive,
    parse_values,
    start_timer,
)
from soundstage.cli.progress import ProgressLine

if TYPE_CHECKING:
    from soundstage.tools.verify.verifier import VerificationPlan, VerificationResult
    from soundstage.types import JsonObject


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    verify = commands.add_parser(
        "verify",
        help="validate a running server against a contract",
        description="Validate a real server against a contract: send recorded and "
        "generated requests and validate every response with openapi-core. Only "
        "requests that read are sent unless --allow-writes is given. Exit code 1 if "
        "there are findings.",
        epilog="Example: soundstage verify https://api.example.com --spec openapi.yaml "
        "--credential apiKey='$API_KEY' --har recorded.har --rate 5",
    )
    verify.set_defaults(command=run)
    verify.add_argument("url", metavar="URL", help="base URL of the API")
    _add_contract_options(verify)
    _add_request_options(verify)
    _add_limit_options(verify)
    verify.add_argument(
        "--waive",
        type=Path,
        metavar="FILE",
        help="YAML file of known deviations, each with a reason",
    )
    verify.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="save the progress in this file and continue from it the next time",
    )
    add_json_option(verify, "print one JSON document")


def _add_contract_options(verify: argparse.ArgumentParser) -> None:
    contract = verify.add_mutually_exclusive_group(required=True)
    contract.add_argument("--api", metavar="NAME", help="the vendored contract of this API")
    contract.add_argument(
        "--spec", type=Path, metavar="FILE", help="an OpenAPI document, or a folder with an overlay"
    )
    verify.add_argument(
        "--vendor",
        action="store_true",
        help="with --api: use the vendor's document without the overlay",
    )
    add_credential_option(verify)


def _add_request_options(verify: argparse.ArgumentParser) -> None:
    verify.add_argument(
        "--har",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="an HTTP Archive or an exported journal to send again; may be repeated",
    )
    verify.add_argument(
        "--no-generated", dest="generated", action="store_false", help="send only recorded requests"
    )
    verify.add_argument(
        "--allow-writes",
        action="store_true",
        help="also send requests that write (default: only GET, HEAD and OPTIONS)",
    )
    verify.add_argument(
        "--safe",
        action="append",
        default=[],
        metavar="OPERATION",
        help="an operation that only reads in spite of its method; may be repeated",
    )
    add_value_option(verify)


def _add_limit_options(verify: argparse.ArgumentParser) -> None:
    verify.add_argument("--rate", type=_parse_rate, metavar="N", help="maximum requests per second")
    verify.add_argument(
        "--max-time",
        type=parse_positive,
        metavar="SECONDS",
        help="stop after this time and report the results so far",
    )
    verify.add_argument(
        "--max-examples",
        type=parse_positive,
        default=20,
        metavar="N",
        help="generated requests per operation; default: %(default)s",
    )
    verify.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="seed of the generated requests; default: %(default)s",
    )


def _parse_rate(text: str) -> float:
    """Parse requests per second, such as ``5`` or ``0.5/s``."""
    try:
        number = float(text.removesuffix("/s"))
    except ValueError:
        number = 0
    if not number > 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, not {text!r}")
    return number


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.schemathesis.engine import SchemathesisFailed, SchemathesisNotInstalled
    from soundstage.tools.verify.state import StateMismatch
    from soundstage.world.errors import WorldError

    exit_on_sigterm()
    try:
        return _verify(options)
    except (
        DocumentError,
        WorldError,
        SchemathesisNotInstalled,
        SchemathesisFailed,
        StateMismatch,
    ) as error:
        exit_with_error(str(error))
    except OSError as error:
        exit_with_error(f"{error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        return INTERRUPTED


def _verify(options: argparse.Namespace) -> int:
    from soundstage.tools.schemathesis.engine import check_reachable, require_schemathesis
    from soundstage.tools.verify.report import format_report, serialize_report
    from soundstage.tools.verify.state import describe_subject, open_state
    from soundstage.tools.verify.verifier import verify
    from soundstage.tools.verify.waivers import apply_waivers, load_waivers

    plan = _build_plan(options)
    # Fail before the first request if schemathesis or the server is missing.
    if plan.sends_generated:
        require_schemathesis()
    check_reachable(plan.url)
    waivers = load_waivers(options.waive) if options.waive else []
    generation = {"seed": plan.seed, "max_examples": plan.max_examples}
    subject = describe_subject(plan.url, plan.document, generation)
    state = open_state(options.resume, subject)
    progress = ProgressLine()

    def show_progress(activity: str, result: "VerificationResult") -> None:
        requests = sum(result.state.cases.values())
        findings = len(result.state.findings)
        progress.show(f"{plan.url}: {activity}, {requests} requests, {findings} findings")

    try:
        result = verify(plan, state, show_progress, start_timer(options.max_time))
    finally:
        progress.clear()
    waived = apply_waivers(result.state.findings, waivers)
    if options.json:
        print(json.dumps(serialize_report(plan, result, waived), indent=2))
    else:
        print(format_report(plan, result, waived))
    return FAILED if waived.remaining or result.errors else 0


def _build_plan(options: argparse.Namespace) -> "VerificationPlan":
    from soundstage.tools.checks.operation_spec import OperationIndex
    from soundstage.tools.verify.recordings import load_recording
    from soundstage.tools.verify.verifier import VerificationPlan
    from soundstage.world.errors import UnknownName

    name, document = _load_document(options)
    index = OperationIndex(document)
    for operation in options.safe:
        if index.find(operation) is None:
            known = tuple(one.id for one in index.operations.values())
            raise UnknownName("operation", operation, known)
    return VerificationPlan(
        name=name,
        document=document,
        url=options.url.rstrip("/"),
        # Options override the environment.
        secrets={
            **_read_environment_credentials(document),
            **dict(parse_pairs(options.credential, "--credential")),
        },
        values=parse_values(options.value),
        recordings=tuple(one for path in options.har for one in load_recording(path)),
        allow_writes=options.allow_writes,
        safe_operations=tuple(options.safe),
        sends_generated=options.generated,
        rate=options.rate,
        seed=options.seed,
        max_examples=options.max_examples,
    )


def _load_document(options: argparse.Namespace) -> "tuple[str, JsonObject]":
    """Load the document to validate by; returns its name and the document."""
    from soundstage import vendored_files
    from soundstage.openapi.specs import open_spec
    from soundstage.tools.fuzz.target import load_api_document

    if options.spec:
        spec = open_spec(str(options.spec))
        return spec.name, spec.document
    document = load_api_document(options.api)  # it also knows the control API
    if options.vendor:
        # A file rather than its folder, so that the overlay is not applied.
        file = vendored_files.specs() / options.api / "openapi.yaml"
        document = open_spec(str(file)).document
    return options.api, document


def _read_environment_credentials(document: "JsonObject") -> dict[str, str]:
    """Read ``SOUNDSTAGE_CREDENTIAL_APIKEY`` for the security scheme ``apiKey``."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    names = {name: re.sub(r"\W", "_", name).upper() for name in schemes}
    variables = {name: f"SOUNDSTAGE_CREDENTIAL_{text}" for name, text in names.items()}
    return {n: os.environ[v] for n, v in variables.items() if v in os.environ}
