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
    end_when_told,
    pairs_of,
    stop,
)
from soundstage.cli.fuzz_options import add_options
from soundstage.cli.progress import Progress

if TYPE_CHECKING:
    from soundstage.testing.campaign.campaign import Campaign
    from soundstage.testing.fuzz.run import Effort
    from soundstage.testing.fuzz.tally import Tally
    from soundstage.testing.fuzz.target import Target


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
    from soundstage.contract.violation import DocumentError
    from soundstage.testing.campaign.engine import Missing, Stopped, reach, require
    from soundstage.world.errors import WorldError

    _check(options)
    end_when_told()
    try:
        require()
        if options.url:
            reach(options.url)
        if options.replay:
            return _replayed(options)
        return _fuzzed(options)
    except (DocumentError, WorldError, ValueError, Missing, Stopped) as error:
        stop(str(error).replace("--exclude-checks", "--skip-check"))
    except KeyboardInterrupt:
        return INTERRUPTED


def _check(options: argparse.Namespace) -> None:
    """Make lists of lists; stop for what cannot be meant."""
    from soundstage.testing.campaign.campaign import PHASES, REPORTS

    if options.spec and not options.url:
        stop("--spec needs --url: the server that the document is about")
    if options.spec and options.api:
        stop("--spec or --api, not both")
    if options.replay and len(options.api) != 1 and not options.spec:
        stop("--replay needs the --api that it is about")
    for name, known in (("phases", PHASES), ("report", REPORTS)):
        chosen = tuple(filter(None, getattr(options, name).split(",")))
        setattr(options, name, chosen)
        if unknown := set(chosen) - {*known}:
            stop(f"--{name}: {', '.join(unknown)} is not one of {', '.join(known)}")
    if options.report and not options.report_dir:
        stop("--report needs --report-dir: the folder for the reports")
    if options.report_dir:
        options.report_dir = options.report_dir.absolute()


def _fuzzed(options: argparse.Namespace) -> int:
    from soundstage.testing.fuzz.report import as_json, as_text
    from soundstage.testing.fuzz.run import campaign_of
    from soundstage.testing.fuzz.tally import Tally
    from soundstage.world.clock import wall

    found = []
    end = wall() + options.max_time * 1_000 if options.max_time else None
    ended = True
    for opened in _targets(options):
        with opened as target:
            campaign = campaign_of(target, _effort(options))
            left = None if end is None else max(end - wall(), 0) / 1_000
            tally = Tally()
            ended = _watched(target, campaign, tally, left)
        lines = _lines(options, target)
        found.append(as_json(target, tally, lines))
        if not options.json:
            print(as_text(target, tally, lines), flush=True)
        if not ended:
            break
    ok = all(one["ok"] for one in found)
    if options.json:
        print(json.dumps({"ok": ok, "seed": options.seed, "targets": found}, indent=2))
    if not ended:
        return INTERRUPTED
    return 0 if ok else FAILED


def _watched(
    target: "Target", campaign: "Campaign", tally: "Tally", left: float | None
) -> bool:
    """Whether it came to an end; what was counted until Ctrl-C is told, too."""
    from soundstage.testing.fuzz.run import fuzz

    progress = Progress()

    def watch(tally: "Tally") -> None:
        cases, failures = sum(tally.cases.values()), len(tally.failures)
        progress.show(
            f"{target.name}: {tally.phase}, {cases} cases, {failures} kinds of failure"
        )

    try:
        fuzz(campaign, tally, watch, left)
    except KeyboardInterrupt:
        tally.reason = "interrupted"
        return False
    finally:
        progress.clear()
    return True


def _replayed(options: argparse.Namespace) -> int:
    from soundstage.testing.campaign.engine import replayed
    from soundstage.testing.fuzz.run import campaign_of

    if not options.replay.exists():
        stop(f"there is no {options.replay}")
    (opened,) = _targets(options)
    with opened as target:
        campaign = campaign_of(target, _effort(options))
        code, text = replayed(campaign, options.replay.absolute())
    print(text.strip())
    return code


def _targets(
    options: argparse.Namespace,
) -> "Iterator[AbstractContextManager[Target]]":
    """Each opened when its turn comes."""
    from soundstage.apis.service import names
    from soundstage.server.control import NAME
    from soundstage.testing.fuzz.target import mock, of_file, running
    from soundstage.world.world import Opening

    if options.spec:
        yield nullcontext(of_file(options.spec, options.url))
        return
    for name in options.api or [*names(), NAME]:
        if options.url:
            yield nullcontext(running(name, options.url))
        else:
            opening = Opening(options.seed, options.now, options.speed)
            yield mock(name, opening, options.fixture)


def _effort(options: argparse.Namespace) -> "Effort":
    from soundstage.testing.fuzz.run import Effort

    values: dict[str, list[str]] = {}
    for name, value in pairs_of(options.value, "--value"):
        values.setdefault(name, []).append(value)
    return Effort(
        seed=options.seed,
        max_examples=options.max_examples,
        workers=options.workers,
        phases=options.phases,
        only=tuple(options.only),
        without=tuple(options.skip_check),
        values=values,
        secrets=dict(pairs_of(options.credential, "--credential")),
        still=options.still,
        reports=options.report,
        report_dir=options.report_dir,
    )


def _lines(options: argparse.Namespace, target: "Target") -> dict[str, str]:
    """Commands that show a failure again."""
    from soundstage.testing.fuzz.target import served
    from soundstage.world.clock import rfc3339

    world = ["--seed", str(options.seed), "--now", rfc3339(options.now)]
    world += ["--speed", f"{options.speed:g}"]
    for fixture in options.fixture:
        world += ["--fixture", str(fixture)]
    api = ["--spec", target.name] if options.spec else ["--api", target.name]
    begins = world if target.own else world[:2]
    again = ["soundstage", "fuzz", *api, *begins, *_said(options)]
    lines = {"again": shlex.join(again)}
    if options.report_dir:
        folder = options.report_dir / target.folder / "failures"
        lines["alone"] = shlex.join([*again, "--replay", str(folder)])
    if target.own:
        api = [word for name in served(target.name) for word in ("--api", name)]
        lines["serve"] = shlex.join(["soundstage", "serve", *api, *world])
    return lines


def _said(options: argparse.Namespace) -> list[str]:
    """What decides which cases are drawn, as it is said on a command line."""
    words = ["--max-examples", str(options.max_examples)]
    words += ["--url", options.url] if options.url else []
    words += ["--phases", ",".join(options.phases)]
    words += ["--still"] if options.still else []
    words += ["--workers", str(options.workers)] if options.workers > 1 else []
    for name in ("only", "value", "skip_check"):
        for value in getattr(options, name):
            words += [f"--{name.replace('_', '-')}", value]
    for name, _ in pairs_of(options.credential, "--credential"):
        words += ["--credential", f"{name}=***"]
    return words
