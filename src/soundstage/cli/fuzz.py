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
        help="send generated requests, good and bad, and hold the answers to account",
        description="Fuzz a mock of each API, or another server: schemathesis with all "
        "its checks and phases over the effective contract, and rules of our own. "
        "Exit code 1 if anything is found.",
        epilog="Example: soundstage fuzz --api trieve --max-examples 50 --seed 7",
    )
    fuzz.set_defaults(command=run)
    add_options(fuzz)


def run(options: argparse.Namespace) -> int:
    """Carry it out; gives the exit code."""
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
        exit_with_error(str(error).replace("--exclude-checks", "--skip-check"))
    except KeyboardInterrupt:
        return INTERRUPTED


def _validate_options(options: argparse.Namespace) -> None:
    """Make lists of lists; stop for what cannot be meant."""
    from soundstage.tools.schemathesis.campaign import PHASES, REPORT_FORMATS

    if options.spec and not options.url:
        exit_with_error("--spec needs --url: the server that the document is about")
    if options.spec and options.api:
        exit_with_error("--spec or --api, not both")
    if options.replay and len(options.api) != 1 and not options.spec:
        exit_with_error("--replay needs the --api that it is about")
    for name, known in (("phases", PHASES), ("report", REPORT_FORMATS)):
        chosen = tuple(filter(None, getattr(options, name).split(",")))
        setattr(options, name, chosen)
        if unknown := set(chosen) - {*known}:
            exit_with_error(
                f"--{name}: {', '.join(unknown)} is not one of {', '.join(known)}"
            )
    if options.report and not options.report_dir:
        exit_with_error("--report needs --report-dir: the folder for the reports")
    if options.report_dir:
        options.report_dir = options.report_dir.absolute()


def _fuzz_targets(options: argparse.Namespace) -> int:
    from soundstage.tools.fuzz.fuzzer import create_campaign
    from soundstage.tools.fuzz.report import format_report, serialize_report
    from soundstage.tools.fuzz.results import FuzzResults
    from soundstage.world.clock import wall

    found = []
    end = wall() + options.max_time * 1_000 if options.max_time else None
    ended = True
    for opened in _iter_targets(options):
        with opened as target:
            campaign = create_campaign(target, _build_fuzz_options(options))
            left = None if end is None else max(end - wall(), 0) / 1_000
            tally = FuzzResults()
            ended = _run_campaign(target, campaign, tally, left)
        lines = _build_commands(options, target)
        found.append(serialize_report(target, tally, lines))
        if not options.json:
            print(format_report(target, tally, lines), flush=True)
        if not ended:
            break
    ok = all(one["ok"] for one in found)
    if options.json:
        print(json.dumps({"ok": ok, "seed": options.seed, "targets": found}, indent=2))
    if not ended:
        return INTERRUPTED
    return 0 if ok else FAILED


def _run_campaign(
    target: "Target",
    campaign: "Campaign",
    results: "FuzzResults",
    remaining_seconds: float | None,
) -> bool:
    """Whether it came to an end; what was counted until Ctrl-C is told, too."""
    from soundstage.tools.fuzz.fuzzer import fuzz

    progress = ProgressLine()

    def show_progress(results: "FuzzResults") -> None:
        cases, failures = sum(results.cases.values()), len(results.failures)
        progress.show(
            f"{target.name}: {results.phase}, {cases} cases, "
            f"{failures} kinds of failure"
        )

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
        exit_with_error(f"there is no {options.replay}")
    (opened,) = _iter_targets(options)
    with opened as target:
        campaign = create_campaign(target, _build_fuzz_options(options))
        code, text = replay_failure(campaign, options.replay.absolute())
    print(text.strip())
    return code


def _iter_targets(
    options: argparse.Namespace,
) -> "Iterator[AbstractContextManager[Target]]":
    """Each opened when its turn comes."""
    from soundstage.apis.registry import list_api_names
    from soundstage.server.control import CONTROL_API
    from soundstage.tools.fuzz.target import (
        create_api_target,
        create_document_target,
        start_mock,
    )
    from soundstage.world.world import Opening

    if options.spec:
        yield nullcontext(create_document_target(options.spec, options.url))
        return
    for name in options.api or [*list_api_names(), CONTROL_API]:
        if options.url:
            yield nullcontext(create_api_target(name, options.url))
        else:
            opening = Opening(options.seed, options.now, options.speed)
            yield start_mock(name, opening, options.fixture)


def _build_fuzz_options(options: argparse.Namespace) -> "FuzzOptions":
    from soundstage.tools.fuzz.fuzzer import FuzzOptions

    values: dict[str, list[str]] = {}
    for name, value in parse_pairs(options.value, "--value"):
        values.setdefault(name, []).append(value)
    return FuzzOptions(
        seed=options.seed,
        max_examples=options.max_examples,
        workers=options.workers,
        phases=options.phases,
        operations=tuple(options.only),
        excluded_checks=tuple(options.skip_check),
        values=values,
        secrets=dict(parse_pairs(options.credential, "--credential")),
        is_static=options.still,
        reports=options.report,
        report_dir=options.report_dir,
    )


def _build_commands(options: argparse.Namespace, target: "Target") -> dict[str, str]:
    """Commands that show a failure again."""
    from soundstage.tools.fuzz.target import select_apis
    from soundstage.world.clock import rfc3339

    world = ["--seed", str(options.seed), "--now", rfc3339(options.now)]
    world += ["--speed", f"{options.speed:g}"]
    for fixture in options.fixture:
        world += ["--fixture", str(fixture)]
    api = ["--spec", target.name] if options.spec else ["--api", target.name]
    begins = world if target.is_mock else world[:2]
    again = ["soundstage", "fuzz", *api, *begins, *_build_repeat_arguments(options)]
    lines = {"again": shlex.join(again)}
    if options.report_dir:
        folder = options.report_dir / target.folder_name / "failures"
        lines["alone"] = shlex.join([*again, "--replay", str(folder)])
    if target.is_mock:
        api = [word for name in select_apis(target.name) for word in ("--api", name)]
        lines["serve"] = shlex.join(["soundstage", "serve", *api, *world])
    return lines


def _build_repeat_arguments(options: argparse.Namespace) -> list[str]:
    """What decides which cases are drawn, as it is said on a command line."""
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
