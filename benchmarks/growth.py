"""The cost of requests in growing worlds, by runs, and by events of one run."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.figure import Result, summarize
from benchmarks.table import Row

RUNS = (0, 1_000, 10_000, 100_000)
EVENTS = (100, 1_000, 10_000, 100_000)

Figures = dict[str, float]

MAX_RATIOS = {"getRun": 1.2, "listEvents": 1.2, "listRuns": 10.0}
"""The maximum ratio of a request in the largest world to the default world."""
MAX_PAGE_RATIO = 3.0
"""The maximum ratio of a page of events to that of a run with 100 events."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The figures of each size, in ascending order."""

    runs: list[Figures]
    events: list[Figures]


def measure(report_progress: Callable[[str], None]) -> Growth:
    """Measure each size in its own process."""
    return Growth(
        [_measure_size("runs", size, report_progress) for size in RUNS],
        [_measure_size("events", size, report_progress) for size in EVENTS],
    )


def _measure_size(kind: str, size: int, report_progress: Callable[[str], None]) -> Figures:
    report_progress(f"growth, {size:,} {kind}")
    words = [sys.executable, "-m", "benchmarks.world", kind, str(size)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE)
    found: Figures = json.loads(done.stdout)
    return found


def list_results(found: Growth) -> Iterator[Result]:
    """The ratios of the largest to the smallest size, with their targets."""
    small, big = found.runs[0], found.runs[-1]
    for name, most in MAX_RATIOS.items():
        ratio = big[f"{name}_us"] / small[f"{name}_us"]
        label = f"100,000 runs: CPU of {name}, of that in the default world"
        yield Result(label, summarize([ratio]), "x", maximum=most)
    yield Result("100,000 runs: memory", summarize([big["rss_mb"] / 1024]), "GB", maximum=1.5)
    yield Result("100,000 runs: built in", summarize([big["build_s"]]), "s", maximum=60)
    ratio = found.events[-1]["page_us"] / found.events[0]["page_us"]
    label = "a page of one run's 100,000 events, of one of 100"
    yield Result(label, summarize([ratio]), "x", maximum=MAX_PAGE_RATIO)


def build_tables(found: Growth) -> Iterator[tuple[str, list[Row]]]:
    """A table with a column for each size."""
    for what, rows in (("runs", found.runs), ("events", found.events)):
        head = ("", *(f"{row[what]:,.0f} {what}" for row in rows))
        names = [name for name in rows[0] if name != what]
        cells = [(name, *(f"{row[name]:,.12g}" for row in rows)) for name in names]
        yield f"Growth, by {what}", [head, *cells]


def require_matplotlib() -> None:
    """Exit with advice if matplotlib is missing."""
    if find_spec("matplotlib") is None:
        raise SystemExit("benchmarks: no matplotlib; pip install 'soundstage[bench]'")


def draw_curves(found: Growth, path: Path) -> None:
    """Draw the curves with their targets; equal figures give an equal file."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update(STYLE)
    drawing = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for name, color in zip(MAX_RATIOS, COLORS, strict=True):
        sizes = [row["runs"] for row in found.runs]
        _draw_curve(left, sizes, [row[f"{name}_us"] for row in found.runs], name, color)
        most = found.runs[0][f"{name}_us"] * MAX_RATIOS[name]
        _draw_target(left, sizes[-1], most, MAX_RATIOS[name], color)
    pages = [row["page_us"] for row in found.events]
    sizes = [row["events"] for row in found.events]
    _draw_curve(right, sizes, pages, "listEvents, any page, filter and sort", COLORS[1])
    _draw_target(right, sizes[-1], pages[0] * MAX_PAGE_RATIO, MAX_PAGE_RATIO, COLORS[1])
    left.set(title="as a world has more runs", xlabel="runs", ylabel="CPU µs a request")
    right.set(title="as one run has more events", xlabel="events")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", ylim=(20, 6_000))
        axes.yaxis.set_major_formatter("{x:,.0f}")
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.grid(alpha=0.3)
        axes.legend(loc="upper left", frameon=False)
    drawing.savefig(path, metadata={"Date": None})


COLORS = ("#1b6ca8", "#c8553d", "#3a7d44")
STYLE = {"svg.hashsalt": "soundstage", "svg.fonttype": "none", "font.size": 9}


def _draw_curve(axes, sizes: list[float], values: list[float], name: str, color: str) -> None:
    axes.plot(sizes, values, marker="o", markersize=4, color=color, label=name)


def _draw_target(axes, size: float, at: float, times: float, color: str) -> None:
    """Draw a target as a line with its ratio."""
    axes.axhline(at, color=color, linestyle="--", linewidth=1)
    label = f"target: at most {times:g} times the first"
    axes.text(size, at * 1.04, label, color=color, ha="right", fontsize="small")
