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
    add_json,
    add_secrets,
    end_when_told,
    pairs_of,
    positive,
    stop,
)
from soundstage.cli.progress import Progress

if TYPE_CHECKING:
    from soundstage.testing.verify.run import Outcome, Plan
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
    _add_contract(verify)
    _add_requests(verify)
    _add_bounds(verify)
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
    add_json(verify, "print one JSON document")


def _add_contract(verify: argparse.ArgumentParser) -> None:
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
    add_secrets(verify)


def _add_requests(verify: argparse.ArgumentParser) -> None:
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


def _add_bounds(verify: argparse.ArgumentParser) -> None:
    verify.add_argument(
        "--rate", type=_rate, metavar="N", help="requests a second, at most"
    )
    verify.add_argument(
        "--max-time",
        type=positive,
        metavar="SECONDS",
        help="stop after so long, with what was found until then",
    )
    verify.add_argument(
        "--max-examples",
        type=positive,
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


def _rate(text: str) -> float:
    number = float(text.removesuffix("/s"))
    if not number > 0:
        raise argparse.ArgumentTypeError(f"a number over 0, not {text}")
    return number


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit code."""
    from soundstage.contract.violation import DocumentError
    from soundstage.testing.campaign.engine import Missing, Stopped
    from soundstage.testing.verify.state import Unfit
    from soundstage.world.errors import WorldError

    end_when_told()
    try:
        return _verified(options)
    except (DocumentError, WorldError, Missing, Stopped, Unfit) as error:
        stop(str(error))
    except OSError as error:
        stop(f"{error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        return INTERRUPTED


def _verified(options: argparse.Namespace) -> int:
    from soundstage.testing.campaign.engine import reach, require
    from soundstage.testing.verify.report import as_json, as_text
    from soundstage.testing.verify.run import verify
    from soundstage.testing.verify.state import about_of, opened
    from soundstage.testing.verify.waiver import load_waivers, waive

    plan = _plan(options)
    if plan.generated:
        require()
    reach(plan.url)
    waivers = load_waivers(options.waive) if options.waive else []
    how = {"seed": plan.seed, "max_examples": plan.max_examples}
    state = opened(options.resume, about_of(plan.url, plan.document, how))
    progress = Progress()

    def watch(what: str, outcome: "Outcome") -> None:
        requests = sum(outcome.state.cases.values())
        found = len(outcome.state.findings)
        progress.show(f"{plan.url}: {what}, {requests} requests, {found} findings")

    try:
        outcome = verify(plan, state, watch, _clock(options.max_time))
    finally:
        progress.clear()
    waived = waive(outcome.state.findings, waivers)
    if options.json:
        print(json.dumps(as_json(plan, outcome, waived), indent=2))
    else:
        print(as_text(plan, outcome, waived))
    return FAILED if waived.open or outcome.errors else 0


def _clock(seconds: int | None) -> Callable[[], float | None]:
    """The seconds that are left, each time it is called."""
    from soundstage.world.clock import wall

    end = wall() + seconds * 1_000 if seconds else None
    return lambda: None if end is None else max(end - wall(), 0) / 1_000


def _plan(options: argparse.Namespace) -> "Plan":
    from soundstage.testing.semantics.described import Catalogue
    from soundstage.testing.verify.recording import load_recording
    from soundstage.testing.verify.run import Plan
    from soundstage.world.errors import Unknown

    name, document = _document(options)
    catalogue = Catalogue(document)
    for operation in options.safe:
        if catalogue.named(operation) is None:
            known = tuple(one.id for one in catalogue.operations.values())
            raise Unknown("operation", operation, known)
    values: dict[str, list[str]] = {}
    for parameter, value in pairs_of(options.value, "--value"):
        values.setdefault(parameter, []).append(value)
    return Plan(
        name=name,
        document=document,
        url=options.url.rstrip("/"),
        secrets={**_of_environment(document), **_given(options)},
        values=values,
        recorded=tuple(one for path in options.har for one in load_recording(path)),
        allow_writes=options.allow_writes,
        safe=tuple(options.safe),
        generated=options.generated,
        rate=options.rate,
        seed=options.seed,
        max_examples=options.max_examples,
    )


def _document(options: argparse.Namespace) -> "tuple[str, Document]":
    from soundstage import resources
    from soundstage.contract.document import load
    from soundstage.testing.fuzz.target import described

    if options.spec:
        return options.spec.stem, load(options.spec).document
    document = described(options.api)
    if options.vendor:
        document = load(resources.specs() / options.api / "openapi.yaml").document
    return options.api, document


def _given(options: argparse.Namespace) -> dict[str, str]:
    return dict(pairs_of(options.credential, "--credential"))


def _of_environment(document: "Document") -> dict[str, str]:
    """``SOUNDSTAGE_CREDENTIAL_APIKEY`` for the security scheme ``apiKey``."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    names = {name: re.sub(r"\W", "_", name).upper() for name in schemes}
    variables = {name: f"SOUNDSTAGE_CREDENTIAL_{text}" for name, text in names.items()}
    return {n: os.environ[v] for n, v in variables.items() if v in os.environ}
