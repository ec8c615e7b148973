"""``python -m benchmarks``: run all parts, or the named ones."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import fixture, growth, guard, requests, start, worlds
from benchmarks.figure import Result
from benchmarks.load import require_tools
from benchmarks.machine import describe_machine
from benchmarks.table import Row, format_table

RESULTS = Path(__file__).parent / "results"
HEAD = ("what", "target", "figure", "met")


@dataclass(slots=True)
class Report:
    """The results so far."""

    results: list[Result] = field(default_factory=list)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    guard_results: list[Result] = field(default_factory=list)


def main() -> None:
    """Measure and print; with --save, write all results to ``results/``."""
    options = _parse_options()
    chosen = options.parts or PARTS
    if "requests" in chosen:
        require_tools()
    report = Report()
    for part in chosen:
        _print_progress(f"{part} …")
        PARTS[part](options, report)
    machine = describe_machine()
    text = "\n".join(_format_report(machine, report))
    print(text)
    if options.save and not options.parts:
        _save(machine, report, text)
    if beyond := [one.name for one in report.guard_results if not one.is_met]:
        sys.exit(f"benchmarks: more work than guard.json allows: {', '.join(beyond)}")


def _save(machine: dict[str, str], report: Report, text: str) -> None:
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "results.md").write_text(text)
    found = {
        "machine": machine,
        "figures": [one.as_json() for one in report.results],
        "tables": report.tables,
    }
    (RESULTS / "results.json").write_text(json.dumps(found, indent=1) + "\n")


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="duration of each load")
    parser.add_argument("--save", action="store_true", help=f"write all results to {RESULTS.name}/")
    parser.add_argument(
        "--keep", action="store_true", help="write the counts of guard as new limits"
    )
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"unknown part {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    return options


def _print_progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _requests(options: argparse.Namespace, report: Report) -> None:
    found = requests.measure(options.repeats, options.seconds, _print_progress)
    report.results += requests.list_results(found)
    report.tables["Requests"] = [*requests.build_table(found)]


def _start(options: argparse.Namespace, report: Report) -> None:
    found = start.measure(options.repeats)
    report.results += start.list_results(found)
    report.tables["Start"] = [*start.build_table(found)]


def _worlds(options: argparse.Namespace, report: Report) -> None:
    report.results += worlds.list_results(worlds.measure(options.repeats))


def _fixture(options: argparse.Namespace, report: Report) -> None:
    report.results += fixture.list_results(fixture.measure(options.repeats))


def _growth(options: argparse.Namespace, report: Report) -> None:
    if options.save:
        growth.require_matplotlib()
    found = growth.measure(_print_progress)
    report.results += growth.list_results(found)
    report.tables.update(growth.build_tables(found))
    if options.save:
        RESULTS.mkdir(exist_ok=True)
        growth.draw_curves(found, RESULTS / "growth.svg")


def _guard(options: argparse.Namespace, report: Report) -> None:
    counted = guard.count_requests()
    if options.keep:
        guard.write_limits(counted)
    report.guard_results += guard.list_results(counted, guard.read_limits())
    rows = [one.as_row() for one in report.guard_results]
    report.tables["Guard"] = [("a request", *HEAD[1:]), *rows]


PARTS: dict[str, Callable[[argparse.Namespace, Report], None]] = {
    "requests": _requests,
    "start": _start,
    "worlds": _worlds,
    "fixture": _fixture,
    "growth": _growth,
    "guard": _guard,
}


def _format_report(machine: dict[str, str], report: Report) -> Iterator[str]:
    yield ", ".join(f"{name} {value}" for name, value in machine.items()) + "\n"
    if report.results:
        yield format_table([HEAD, *(one.as_row() for one in report.results)])
    for name, rows in report.tables.items():
        yield f"## {name}\n"
        yield format_table(rows)


if __name__ == "__main__":
    main()
