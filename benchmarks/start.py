"""How long Soundstage takes to start, and what it holds when it has.

``python -m benchmarks.start [REPEATS]`` prints the median of each figure and its
spread. What was there before the first run is a start from nothing (``cold``): its
cache of checked documents is empty. Reads ``/proc``: Linux.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable

from benchmarks.process import cpu_seconds, resident_mb

SOUNDSTAGE = (sys.executable, "-m", "soundstage.cli")

ALGOLIA = {
    "x-algolia-application-id": "ALGOLIA_APPLICATION_ID",
    "x-algolia-api-key": "ALGOLIA_API_KEY",
}
TRIEVE = {
    "Authorization": "tr-e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3e3",
    "TR-Dataset": "e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3",
}
FIRST = {
    "algolia-ingestion": ("/1/runs/6c02aeb1-775e-418e-870b-1faccd4b2c0f", ALGOLIA),
    "runwisp": ("/api/tasks/example/runs?limit=2", {}),
    "trieve": ("/api/dataset/e3e3e3e3-e3e3-e3e3-e3e3-e3e3e3e3e3e3", TRIEVE),
    "trigger-dev": (
        "/api/v1/runs/run_1234/events",
        {"Authorization": "Bearer tr_dev_1234"},
    ),
}
"""A request that each API answers with 200; all four are served in every case."""

Figures = dict[str, float]


def start(api: str, environment: dict[str, str]) -> Figures:
    """One start, up to the first 200 of an API."""
    path, headers = FIRST[api]
    began = time.perf_counter()
    with subprocess.Popen(
        (*SOUNDSTAGE, "serve", "--port", "0", "--json"),
        stdout=subprocess.PIPE,
        env=environment,
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            url = json.loads(process.stdout.readline())["url"]
            request = urllib.request.Request(url + path, headers=headers)  # noqa: S310
            with urllib.request.urlopen(request) as answer:  # noqa: S310 - http
                answer.read()
            seconds = time.perf_counter() - began
            return {
                "seconds": seconds,
                "cpu_seconds": cpu_seconds(process.pid),
                "rss_mb": resident_mb(process.pid),
            }
        finally:
            process.terminate()
            process.wait()


def help_text(environment: dict[str, str]) -> Figures:
    """One ``soundstage --help``."""
    began, before = time.perf_counter(), os.times()
    command = (*SOUNDSTAGE, "--help")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return {"seconds": time.perf_counter() - began, "cpu_seconds": cpu}


def figures(repeats: int = 7) -> dict[str, list[Figures]]:
    """Every repeat of every case: each API first, from nothing, and the help text."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        # Installed packages have their bytecode; so has what is measured.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        warm: Callable[[str], list[Figures]] = lambda api: [  # noqa: E731
            start(api, environment) for _ in range(repeats)
        ]
        return {
            "cold": [start("trigger-dev", environment)],
            **{api: warm(api) for api in FIRST},
            "--help": [help_text(environment) for _ in range(repeats)],
        }


def table(measured: dict[str, list[Figures]]) -> str:
    """Medians, with the least and the greatest, as Markdown."""
    lines = ["| first 200 of | seconds | CPU seconds | RSS MB |", "|---|---|---|---|"]
    for case, runs in measured.items():
        cells = (
            spread([run[key] for run in runs if key in run])
            for key in ("seconds", "cpu_seconds", "rss_mb")
        )
        lines.append(f"| {case} | {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    """``median (least-greatest)``."""
    if not values:
        return ""
    middle = statistics.median(values)
    return f"{middle:.2f} ({min(values):.2f}-{max(values):.2f})"


if __name__ == "__main__":
    print(table(figures(int(sys.argv[1]) if len(sys.argv) > 1 else 7)))
