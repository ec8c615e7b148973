"""How a world answers as it grows: curves over its runs, and over one run's events."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from benchmarks.figure import Held, figure
from benchmarks.table import Row

RUNS = (0, 1_000, 10_000, 100_000)
EVENTS = (100, 1_000, 10_000, 100_000)

Figures = dict[str, float]

RATIOS = {"getRun": 1.2, "listEvents": 1.2, "listRuns": 10.0}
"""How much longer a request may take in the greatest world than in the default one."""
LONGER = 3.0
"""And a page of one run's events, than that of a run of a hundred."""


@dataclass(frozen=True, slots=True)
class Growth:
    """The figures of each size, the least first."""

    runs: list[Figures]
    events: list[Figures]


def measure(tell: Callable[[str], None]) -> Growth:
    """Each size in a process of its own."""
    return Growth(
        [_figures("runs", size, tell) for size in RUNS],
        [_figures("events", size, tell) for size in EVENTS],
    )


def _figures(what: str, size: int, tell: Callable[[str], None]) -> Figures:
    tell(f"growth, {size:,} {what}")
    words = [sys.executable, "-m", "benchmarks.world", what, str(size)]
    done = subprocess.run(words, check=True, stdout=subprocess.PIPE)
    found: Figures = json.loads(done.stdout)
    return found


def held(found: Growth) -> Iterator[Held]:
    """The figures that have targets: the greatest beside the least."""
    small, big = found.runs[0], found.runs[-1]
    for name, most in RATIOS.items():
        ratio = big[f"{name}_us"] / small[f"{name}_us"]
        said = f"100,000 runs: CPU of {name}, of that in the default world"
        yield Held(said, figure([ratio]), "x", most=most)
    yield Held("100,000 runs: memory", figure([big["rss_mb"] / 1024]), "GB", most=1.5)
    yield Held("100,000 runs: built in", figure([big["build_s"]]), "s", most=60)
    ratio = found.events[-1]["page_us"] / found.events[0]["page_us"]
    said = "a page of one run's 100,000 events, of one of 100"
    yield Held(said, figure([ratio]), "x", most=LONGER)


def tables(found: Growth) -> Iterator[tuple[str, list[Row]]]:
    """A column for each size."""
    for what, rows in (("runs", found.runs), ("events", found.events)):
        head = ("", *(f"{row[what]:,.0f} {what}" for row in rows))
        names = [name for name in rows[0] if name != what]
        cells = [(name, *(f"{row[name]:,.12g}" for row in rows)) for name in names]
        yield f"Growth, by {what}", [head, *cells]


def require() -> None:
    """End with what to do, if there is nothing to draw with."""
    if find_spec("matplotlib") is None:
        raise SystemExit("benchmarks: no matplotlib; pip install 'soundstage[bench]'")


def picture(found: Growth, path: Path) -> None:
    """Draw the curves, and how far they may go; the same figures give the same file."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams.update(STYLE)
    drawing = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = drawing.subplots(1, 2)
    for name, color in zip(RATIOS, COLORS, strict=True):
        sizes = [row["runs"] for row in found.runs]
        _curve(left, sizes, [row[f"{name}_us"] for row in found.runs], name, color)
        most = found.runs[0][f"{name}_us"] * RATIOS[name]
        _bound(left, sizes[-1], most, RATIOS[name], color)
    pages = [row["page_us"] for row in found.events]
    sizes = [row["events"] for row in found.events]
    _curve(right, sizes, pages, "listEvents, any page, filter and sort", COLORS[1])
    _bound(right, sizes[-1], pages[0] * LONGER, LONGER, COLORS[1])
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


def _curve(
    axes, sizes: list[float], values: list[float], name: str, color: str
) -> None:
    axes.plot(sizes, values, marker="o", markersize=4, color=color, label=name)


def _bound(axes, size: float, at: float, times: float, color: str) -> None:
    """A target, as a line that says by how much the least may be exceeded."""
    axes.axhline(at, color=color, linestyle="--", linewidth=1)
    said = f"target: at most {times:g} times the first"
    axes.text(size, at * 1.04, said, color=color, ha="right", fontsize="small")
