"""``soundstage fuzz``."""

import argparse
import json
import shlex
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

from soundstage.cli.common import (
    FAILED,
    INTERRUPTED,
    Commands,
    exit_on_sigterm,
    exit_with_error,
    parse_pairs,
    parse_values,
    start_timer,
)
from soundstage.cli.fuzz_options import add_options
from soundstage.cli.progress import ProgressLine

if TYPE_CHECKING:
    from soundstage.tools.fuzz.fuzzer import FuzzOptions
    from soundstage.tools.fuzz.results import FuzzResults
    from soundstage.tools.fuzz.target import Target
    from soundstage.tools.schemathesis.campaign import Campaign


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    fuzz = commands.add_parser(
        "fuzz",
        help="fuzz a mock or a server and validate every response",
        description="Send valid and invalid generated requests to a mock of each API, "
        "or to another server, and validate every response: all checks and phases of "
        "schemathesis over the effective contract, and semantic checks. Exit code 1 if "
        "a check fails.",
        epilog="Example: soundstage fuzz --api trieve --max-examples 50 --seed 7",
    )
    fuzz.set_defaults(command=run)
    add_options(fuzz)


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.schemathesis.engine import (
        SchemathesisFailed,
        SchemathesisNotInstalled,
        check_reachable,
        require_schemathesis,
    )
    from soundstage.world.errors import WorldError

    _validate_options(options)
    exit_on_sigterm()
    try:
        require_schemathesis()
        if options.url:
            check_reachable(options.url)
        if options.replay:
            return _replay_failures(options)
        return _fuzz_targets(options)
    except (
        DocumentError,
        WorldError,
        ValueError,
        SchemathesisNotInstalled,
        SchemathesisFailed,
    ) as error:
        # Messages of schemathesis name its own option.
        exit_with_error(str(error).replace("--exclude-checks", "--skip-check"))
    except KeyboardInterrupt:
        return INTERRUPTED


def _validate_options(options: argparse.Namespace) -> None:
    """Split comma-separated options; exit with code 2 for invalid combinations."""
    from soundstage.tools.schemathesis.campaign import PHASES, REPORT_FORMATS

    if options.spec and not options.url:
        exit_with_error("--spec needs --url: the server that implements the document")
    if options.spec and options.api:
        exit_with_error("--spec and --api exclude each other")
    if options.replay and len(options.api) != 1 and not options.spec:
        exit_with_error("--replay needs one --api: the API that the failures are from")
    for name, known in (("phases", PHASES), ("report", REPORT_FORMATS)):
        selected = tuple(filter(None, getattr(options, name).split(",")))
        setattr(options, name, selected)
        if unknown := set(selected) - {*known}:
            exit_with_error(f"--{name}: {', '.join(unknown)}: not one of {', '.join(known)}")
    if options.report and not options.report_dir:
        exit_with_error("--report needs --report-dir: the folder for the reports")
    if options.report_dir:
        # schemathesis runs in a folder of its own.
        options.report_dir = options.report_dir.absolute()


def _fuzz_targets(options: argparse.Namespace) -> int:
    """Fuzz and report one target after the other; returns the exit code."""
    from soundstage.tools.fuzz.fuzzer import create_campaign
    from soundstage.tools.fuzz.report import format_report, serialize_report
    from soundstage.tools.fuzz.results import FuzzResults

    reports = []
    remaining_seconds = start_timer(options.max_time)
    is_complete = True
    for context in _iter_targets(options):
        with context as target:
            campaign = create_campaign(target, _build_fuzz_options(options))
            results = FuzzResults()
            is_complete = _run_campaign(target, campaign, results, remaining_seconds())
        commands = _build_commands(options, target)
        reports.append(serialize_report(target, results, commands))
        if not options.json:
            print(format_report(target, results, commands), flush=True)
        if not is_complete:
            break
    ok = all(report["ok"] for report in reports)
    if options.json:
        result = {"ok": ok, "seed": options.seed, "targets": reports}
        print(json.dumps(result, indent=2))
    if not is_complete:
        return INTERRUPTED
    return 0 if ok else FAILED


def _run_campaign(
    target: "Target", campaign: "Campaign", results: "FuzzResults", remaining_seconds: float | None
) -> bool:
    """Fill the results; returns False if Ctrl-C ended the campaign early."""
    from soundstage.tools.fuzz.fuzzer import fuzz

    progress = ProgressLine()

    def show_progress(results: "FuzzResults") -> None:
        cases, failures = sum(results.cases.values()), len(results.failures)
        progress.show(f"{target.name}: {results.phase}, {cases} cases, {failures} kinds of failure")

    try:
        fuzz(campaign, results, show_progress, remaining_seconds)
    except KeyboardInterrupt:
        results.stop_reason = "interrupted"
        return False
    finally:
        progress.clear()
    return True


def _replay_failures(options: argparse.Namespace) -> int:
    from soundstage.tools.fuzz.fuzzer import create_campaign
    from soundstage.tools.schemathesis.engine import replay_failure

    if not options.replay.exists():
        exit_with_error(f"{options.replay} does not exist")
    (context,) = _iter_targets(options)
    with context as target:
        campaign = create_campaign(target, _build_fuzz_options(options))
        code, text = replay_failure(campaign, options.replay.absolute())
    print(text.strip())
    return code


def _iter_targets(options: argparse.Namespace) -> "Iterator[AbstractContextManager[Target]]":
    """Create a context manager per target, so that one mock runs at a time."""
    from soundstage.apis.registry import list_api_names
    from soundstage.server.control import CONTROL_API
    from soundstage.tools.fuzz.target import create_api_target, create_document_target, start_mock
    from soundstage.world.world import WorldOptions

    if options.spec:
        yield nullcontext(create_document_target(options.spec, options.url))
        return
    for name in options.api or [*list_api_names(), CONTROL_API]:
        if options.url:
            yield nullcontext(create_api_target(name, options.url))
        else:
            opening = WorldOptions(options.seed, options.now, options.speed)
            yield start_mock(name, opening, options.fixture)


def _build_fuzz_options(options: argparse.Namespace) -> "FuzzOptions":
    from soundstage.tools.fuzz.fuzzer import FuzzOptions

    return FuzzOptions(
        seed=options.seed,
        max_examples=options.max_examples,
        workers=options.workers,
        phases=options.phases,
        operations=tuple(options.only),
        excluded_checks=tuple(options.skip_check),
        values=parse_values(options.value),
        secrets=dict(parse_pairs(options.credential, "--credential")),
        is_static=options.still,
        reports=options.report,
        report_dir=options.report_dir,
    )


def _build_commands(options: argparse.Namespace, target: "Target") -> dict[str, str]:
    """Build command lines that reproduce the failures, by purpose."""
    from soundstage.tools.fuzz.target import select_apis
    from soundstage.world.clock import format_rfc3339

    world = ["--seed", str(options.seed), "--now", format_rfc3339(options.now)]
    world += ["--speed", f"{options.speed:g}"]
    for fixture in options.fixture:
        world += ["--fixture", str(fixture)]
    api = ["--spec", target.name] if options.spec else ["--api", target.name]
    # The clock and the fixtures belong to the mock: a real server has neither.
    start = world if target.is_mock else world[:2]
    again = ["soundstage", "fuzz", *api, *start, *_build_repeat_arguments(options)]
    commands = {"again": shlex.join(again)}
    if options.report_dir:
        folder = options.report_dir / target.folder_name / "failures"
        commands["alone"] = shlex.join([*again, "--replay", str(folder)])
    if target.is_mock:
        api = [word for name in select_apis(target.name) for word in ("--api", name)]
        commands["serve"] = shlex.join(["soundstage", "serve", *api, *world])
    return commands


def _build_repeat_arguments(options: argparse.Namespace) -> list[str]:
    """Build the arguments that determine the generated cases; secrets are masked."""
    words = ["--max-examples", str(options.max_examples)]
    words += ["--url", options.url] if options.url else []
    words += ["--phases", ",".join(options.phases)]
    words += ["--still"] if options.still else []
    words += ["--workers", str(options.workers)] if options.workers > 1 else []
    for name in ("only", "value", "skip_check"):
        for value in getattr(options, name):
            words += [f"--{name.replace('_', '-')}", value]
    for name, _ in parse_pairs(options.credential, "--credential"):
        words += ["--credential", f"{name}=***"]
    return words
