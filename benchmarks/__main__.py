"""``python -m benchmarks``: everything, or the parts that are named."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import fixture, growth, guard, requests, start, worlds
from benchmarks.figure import Held
from benchmarks.load import require
from benchmarks.machine import described
from benchmarks.table import Row, table

RESULTS = Path(__file__).parent / "results"
HEAD = ("what", "target", "figure", "met")


@dataclass(slots=True)
class Report:
    """What was measured so far."""

    held: list[Held] = field(default_factory=list)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    guarded: list[Held] = field(default_factory=list)


def main() -> None:
    """Measure and print; with --save, keep the whole of it in ``results/``."""
    options = _options()
    chosen = options.parts or PARTS
    if "requests" in chosen:
        require()
    report = Report()
    for part in chosen:
        _tell(f"{part} …")
        PARTS[part](options, report)
    machine = described()
    text = "\n".join(_markdown(machine, report))
    print(text)
    if options.save and not options.parts:
        _save(machine, report, text)
    if beyond := [one.what for one in report.guarded if not one.is_met]:
        sys.exit(f"benchmarks: more work than guard.json keeps: {', '.join(beyond)}")


def _save(machine: dict[str, str], report: Report, text: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "results.md").write_text(text)
    found = {
        "machine": machine,
        "figures": [one.as_json() for one in report.held],
        "tables": report.tables,
    }
    (RESULTS / "results.json").write_text(json.dumps(found, indent=1) + "\n")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of each load")
    parser.add_argument(
        "--save", action="store_true", help=f"all of it, to {RESULTS.name}/"
    )
    parser.add_argument(
        "--keep", action="store_true", help="what guard counts, to hold it to that"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(
            f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}"
        )
    return options


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _requests(options: argparse.Namespace, report: Report) -> None:
    found = requests.measure(options.repeats, options.seconds, _tell)
    report.held += requests.held(found)
    report.tables["Requests"] = [*requests.table(found)]


def _start(options: argparse.Namespace, report: Report) -> None:
    found = start.measure(options.repeats)
    report.held += start.held(found)
    report.tables["Start"] = [*start.table(found)]


def _worlds(options: argparse.Namespace, report: Report) -> None:
    report.held += worlds.held(worlds.measure(options.repeats))


def _fixture(options: argparse.Namespace, report: Report) -> None:
    report.held += fixture.held(fixture.measure(options.repeats))


def _growth(options: argparse.Namespace, report: Report) -> None:
    if options.save:
        growth.require()
    found = growth.measure(_tell)
    report.held += growth.held(found)
    report.tables.update(growth.tables(found))
    if options.save:
        RESULTS.mkdir(exist_ok=True)
        growth.picture(found, RESULTS / "growth.svg")


def _guard(options: argparse.Namespace, report: Report) -> None:
    counted = guard.count()
    if options.keep:
        guard.keep(counted)
    report.guarded += guard.held(counted, guard.kept())
    rows = [one.as_row() for one in report.guarded]
    report.tables["Guard"] = [("a request", *HEAD[1:]), *rows]


PARTS: dict[str, Callable[[argparse.Namespace, Report], None]] = {
    "requests": _requests,
    "start": _start,
    "worlds": _worlds,
    "fixture": _fixture,
    "growth": _growth,
    "guard": _guard,
}


def _markdown(machine: dict[str, str], report: Report) -> Iterator[str]:
    yield ", ".join(f"{name} {value}" for name, value in machine.items()) + "\n"
    if report.held:
        yield table([HEAD, *(one.as_row() for one in report.held)])
    for name, rows in report.tables.items():
        yield f"## {name}\n"
        yield table(rows)


if __name__ == "__main__":
    main()
