"""``python -m benchmarks``: everything, or the parts that are named."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks import fixture, requests, worlds
from benchmarks.figure import Held
from benchmarks.load import require
from benchmarks.machine import described
from benchmarks.table import Row, table

RESULTS = Path(__file__).parent / "results"
HEAD = ("what", "target", "figure", "met")


def main() -> int:
    """Measure, print, save; exit code 1 if a target is missed and --strict is given."""
    options = _options()
    require()
    held: list[Held] = []
    tables: dict[str, list[Row]] = {}
    for part in options.parts or PARTS:
        tell(f"{part} …")
        PARTS[part](options, held, tables)
    machine = described()
    text = "\n".join(_markdown(machine, held, tables))
    print(text)
    if options.save:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / "results.md").write_text(text)
        found = {"machine": machine, "figures": [one.as_json() for one in held]}
        found["tables"] = tables
        (RESULTS / "results.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], metavar="PART")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1, help="of each load")
    parser.add_argument("--save", action="store_true", help=f"to {RESULTS.name}/")
    return parser.parse_args()


def tell(line: str) -> None:
    """Say how far it is, to people."""
    print(line, file=sys.stderr, flush=True)


def _requests(options, held, tables) -> None:
    found = requests.measure(options.repeats, options.seconds, tell)
    held += requests.held(found)
    tables["requests"] = [*requests.table(found)]


def _worlds(options, held, _tables) -> None:
    held += worlds.held(worlds.measure(options.repeats))


def _fixture(options, held, _tables) -> None:
    held += fixture.held(fixture.measure(options.repeats))


PARTS = {"requests": _requests, "worlds": _worlds, "fixture": _fixture}


def _markdown(machine: dict[str, str], held: list[Held], tables) -> Iterator[str]:
    yield ", ".join(f"{name} {value}" for name, value in machine.items()) + "\n"
    yield table([HEAD, *(one.as_row() for one in held)])
    for name, rows in tables.items():
        yield f"## {name}\n"
        yield table(rows)


if __name__ == "__main__":
    sys.exit(main())
