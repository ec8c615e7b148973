"""``soundstage verify``."""

import argparse
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from soundstage.cli.common import (
    FAILED,
    INTERRUPTED,
    Commands,
    add_credential_option,
    add_json_option,
    exit_on_sigterm,
    exit_with_error,
    parse_pairs,
    parse_positive,
)
from soundstage.cli.progress import ProgressLine

if TYPE_CHECKING:
    from soundstage.tools.verify.verifier import VerificationPlan, VerificationResult
    from soundstage.types import Document


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    verify = commands.add_parser(
        "verify",
        help="hold a server that runs against a contract",
        description="Hold a real server against a contract: recorded requests are sent "
        "again, and generated ones too; openapi-core judges every answer. Nothing is "
        "written unless --allow-writes is given. Exit code 1 if anything is found.",
        epilog="Example: soundstage verify https://api.example.com --spec openapi.yaml "
        "--credential apiKey='$API_KEY' --har recorded.har --rate 5",
    )
    verify.set_defaults(command=run)
    verify.add_argument("url", metavar="URL", help="where the API is")
    _add_contract_options(verify)
    _add_request_options(verify)
    _add_limit_options(verify)
    verify.add_argument(
        "--waive",
        type=Path,
        metavar="FILE",
        help="YAML with known deviations, each with its reason",
    )
    verify.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="write down what was verified, and go on from there the next time",
    )
    add_json_option(verify, "print one JSON document")


def _add_contract_options(verify: argparse.ArgumentParser) -> None:
    contract = verify.add_mutually_exclusive_group(required=True)
    contract.add_argument("--api", metavar="NAME", help="by a vendored contract")
    contract.add_argument(
        "--spec", type=Path, metavar="FILE", help="by an OpenAPI document of your own"
    )
    verify.add_argument(
        "--vendor",
        action="store_true",
        help="with --api: by the vendor's document, without our overlay",
    )
    add_credential_option(verify)


def _add_request_options(verify: argparse.ArgumentParser) -> None:
    verify.add_argument(
        "--har",
        action="append",
        default=[],
        type=Path,
        metavar="FILE",
        help="an HTTP Archive, or an exported journal, to send again; may be repeated",
    )
    verify.add_argument(
        "--no-generated",
        dest="generated",
        action="store_false",
        help="send recorded requests only",
    )
    verify.add_argument(
        "--allow-writes",
        action="store_true",
        help="send requests that write, too (default: GET, HEAD and OPTIONS only)",
    )
    verify.add_argument(
        "--safe",
        action="append",
        default=[],
        metavar="OPERATION",
        help="an operation that writes nothing although its method might; may be "
        "repeated",
    )
    verify.add_argument(
        "--value",
        action="append",
        default=[],
        metavar="PARAMETER=VALUE",
        help="a value that is known to lead somewhere; may be repeated",
    )


def _add_limit_options(verify: argparse.ArgumentParser) -> None:
    verify.add_argument(
        "--rate", type=_parse_rate, metavar="N", help="requests a second, at most"
    )
    verify.add_argument(
        "--max-time",
        type=parse_positive,
        metavar="SECONDS",
        help="stop after so long, with what was found until then",
    )
    verify.add_argument(
        "--max-examples",
        type=parse_positive,
        default=20,
        metavar="N",
        help="requests that are drawn for each operation; default: %(default)s",
    )
    verify.add_argument(
        "--seed",
        type=int,
        default=0,
        metavar="N",
        help="what requests are drawn from; default: %(default)s",
    )


def _parse_rate(text: str) -> float:
    number = float(text.removesuffix("/s"))
    if not number > 0:
        raise argparse.ArgumentTypeError(f"a number over 0, not {text}")
    return number


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit code."""
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.schemathesis.engine import (
        SchemathesisFailed,
        SchemathesisNotInstalled,
    )
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
    from soundstage.tools.schemathesis.engine import (
        check_reachable,
        require_schemathesis,
    )
    from soundstage.tools.verify.report import format_report, serialize_report
    from soundstage.tools.verify.state import describe_subject, open_state
    from soundstage.tools.verify.verifier import verify
    from soundstage.tools.verify.waivers import apply_waivers, load_waivers

    plan = _build_plan(options)
    if plan.sends_generated:
        require_schemathesis()
    check_reachable(plan.url)
    waivers = load_waivers(options.waive) if options.waive else []
    how = {"seed": plan.seed, "max_examples": plan.max_examples}
    state = open_state(options.resume, describe_subject(plan.url, plan.document, how))
    progress = ProgressLine()

    def show_progress(activity: str, result: "VerificationResult") -> None:
        requests = sum(result.state.cases.values())
        found = len(result.state.findings)
        progress.show(f"{plan.url}: {activity}, {requests} requests, {found} findings")

    try:
        outcome = verify(plan, state, show_progress, _start_timer(options.max_time))
    finally:
        progress.clear()
    waived = apply_waivers(outcome.state.findings, waivers)
    if options.json:
        print(json.dumps(serialize_report(plan, outcome, waived), indent=2))
    else:
        print(format_report(plan, outcome, waived))
    return FAILED if waived.remaining or outcome.errors else 0


def _start_timer(seconds: int | None) -> Callable[[], float | None]:
    """The seconds that are left, each time it is called."""
    from soundstage.world.clock import wall

    end = wall() + seconds * 1_000 if seconds else None
    return lambda: None if end is None else max(end - wall(), 0) / 1_000


def _build_plan(options: argparse.Namespace) -> "VerificationPlan":
    from soundstage.tools.checks.operation_spec import OperationIndex
    from soundstage.tools.verify.recordings import load_recording
    from soundstage.tools.verify.verifier import VerificationPlan
    from soundstage.world.errors import Unknown

    name, document = _load_document(options)
    catalogue = OperationIndex(document)
    for operation in options.safe:
        if catalogue.find(operation) is None:
            known = tuple(one.id for one in catalogue.operations.values())
            raise Unknown("operation", operation, known)
    values: dict[str, list[str]] = {}
    for parameter, value in parse_pairs(options.value, "--value"):
        values.setdefault(parameter, []).append(value)
    return VerificationPlan(
        name=name,
        document=document,
        url=options.url.rstrip("/"),
        secrets={
            **_read_environment_credentials(document),
            **_parse_credentials(options),
        },
        values=values,
        recordings=tuple(one for path in options.har for one in load_recording(path)),
        allow_writes=options.allow_writes,
        safe_operations=tuple(options.safe),
        sends_generated=options.generated,
        rate=options.rate,
        seed=options.seed,
        max_examples=options.max_examples,
    )


def _load_document(options: argparse.Namespace) -> "tuple[str, Document]":
    from soundstage import vendored_files
    from soundstage.openapi.document import load
    from soundstage.tools.fuzz.target import load_api_document

    if options.spec:
        return options.spec.stem, load(options.spec).document
    document = load_api_document(options.api)
    if options.vendor:
        document = load(vendored_files.specs() / options.api / "openapi.yaml").document
    return options.api, document


def _parse_credentials(options: argparse.Namespace) -> dict[str, str]:
    return dict(parse_pairs(options.credential, "--credential"))


def _read_environment_credentials(document: "Document") -> dict[str, str]:
    """``SOUNDSTAGE_CREDENTIAL_APIKEY`` for the security scheme ``apiKey``."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    names = {name: re.sub(r"\W", "_", name).upper() for name in schemes}
    variables = {name: f"SOUNDSTAGE_CREDENTIAL_{text}" for name, text in names.items()}
    return {n: os.environ[v] for n, v in variables.items() if v in os.environ}
