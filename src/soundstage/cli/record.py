"""``soundstage record``."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from soundstage.cli.common import FAILED, Commands, add_json_option, exit_with_error

if TYPE_CHECKING:
    from soundstage.tools.recorder.recorder import RecordedScenario


def add(commands: Commands) -> None:
    """Add the command to the command line."""
    record = commands.add_parser(
        "record",
        help="turn a recorded run into a scenario",
        description="Reconstruct a run from an HTTP Archive and write it as a scenario "
        "that changes state at the same times on the virtual clock.",
        epilog="Example: soundstage record run.har --api algolia-ingestion "
        "--to fixtures/incident.yaml",
    )
    record.set_defaults(command=run)
    record.add_argument("archive", metavar="HAR", type=Path)
    record.add_argument("--api", required=True, metavar="NAME", help="a vendored API")
    place = record.add_mutually_exclusive_group()
    place.add_argument(
        "--to",
        type=Path,
        metavar="FILE",
        help="write a new fixture that contains only this run (default: print it)",
    )
    place.add_argument(
        "--into",
        type=Path,
        metavar="FIXTURE",
        help="add the scenario to this fixture; the rest of its text does not change",
    )
    _add_options(record)
    add_json_option(record, "print a summary as JSON")


def _add_options(record: argparse.ArgumentParser) -> None:
    record.add_argument(
        "--name",
        type=_parse_name,
        metavar="NAME",
        help="name of the scenario (default: the name of the archive)",
    )
    record.add_argument(
        "--run",
        dest="run_id",
        metavar="ID",
        help="the run to reconstruct, if the archive contains several",
    )
    record.add_argument(
        "--task",
        metavar="NAME",
        help="the task of the run (default: the task whose runs are most similar)",
    )
    record.add_argument(
        "--speed",
        type=float,
        default=1.0,
        metavar="X",
        help="virtual seconds per second during the recording; other than 1 only for "
        "a recording of Soundstage; default: %(default)g",
    )


def _parse_name(text: str) -> str:
    if not re.fullmatch("[a-z][a-z0-9_]*", text):
        msg = f"{text!r} is not a scenario name: lowercase letters, digits and _"
        raise argparse.ArgumentTypeError(msg)
    return text


def run(options: argparse.Namespace) -> int:
    """Run the command and return the exit code."""
    from soundstage.openapi.errors import DocumentError
    from soundstage.tools.recorder import InvalidScenario, UnusableRecording
    from soundstage.tools.recorder.recorder import RecordOptions, record
    from soundstage.world.errors import WorldError

    if not options.speed > 0:
        exit_with_error(f"--speed takes a number above 0, not {options.speed:g}")
    name = options.name or _derive_scenario_name(options.archive)
    selection = options.run_id, options.task, options.speed
    target = options.to, options.into
    try:
        scenario, text = record(
            RecordOptions(options.archive, options.api, name, *target, *selection)
        )
    except InvalidScenario as error:
        print(f"soundstage: {error}", file=sys.stderr)
        return FAILED
    except (DocumentError, WorldError, UnusableRecording) as error:
        exit_with_error(str(error))
    except OSError as error:
        _exit_unwritable(options, error)
    # The fixture goes to standard output and the summary to standard error, so that the
    # output can be redirected to a file.
    if options.to is None and options.into is None and not options.json:
        print(text, end="")
    _print_summary(options, name, scenario)
    return 0


def _exit_unwritable(options: argparse.Namespace, error: OSError) -> NoReturn:
    target = options.to or options.into
    hint = "; see --into" if isinstance(error, FileExistsError) else ""
    exit_with_error(f"cannot write {target}: {error.strerror}{hint}")


def _derive_scenario_name(path: Path) -> str:
    """Derive a scenario name from the name of a file."""
    text = re.sub("[^a-z0-9]+", "_", path.stem.lower()).strip("_")
    return text if re.match("[a-z]", text) else f"recorded_{text}".rstrip("_")


def _print_summary(options: argparse.Namespace, name: str, scenario: "RecordedScenario") -> None:
    """Print a summary of the scenario: JSON, or text on standard error."""
    target = options.to or options.into
    begins = "when a client starts it" if scenario.is_started else "with the world"
    if options.json:
        summary = {
            "run": scenario.run,
            "scenario": name,
            "task": scenario.task,
            "begins": begins,
            "file": str(target) if target else None,
            "states": [{"after_ms": at, "state": state} for at, state in scenario.states],
            "records": scenario.records,
            "notes": scenario.notes,
        }
        print(json.dumps(summary))
        return
    states = ", ".join(f"{state} at {at / 1000:g} s" for at, state in scenario.states)
    others = ", ".join(f"{count} x {kind}" for kind, count in scenario.records.items())
    where = f"; {target}, scenario {name}" if target else ""
    print(
        f"run {scenario.run}: {states or 'no states'}; {others or 'nothing else'}{where}",
        file=sys.stderr,
    )
    if not options.into:
        print(f"  it begins {begins}", file=sys.stderr)
    for note in scenario.notes:
        print(f"  {note}", file=sys.stderr)
