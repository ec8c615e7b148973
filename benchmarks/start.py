"""How long Soundstage takes to start, and what it holds when it has.

What was there before the first run is a start from nothing (``cold``): its cache of
checked documents is empty. Reads ``/proc``: Linux.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator

from benchmarks.cases import ALGOLIA, EXAMPLE, RUN, RUNWISP, TRIEVE
from benchmarks.figure import Held, figure
from benchmarks.process import cpu_seconds, resident_mb
from benchmarks.table import Row

SOUNDSTAGE = (sys.executable, "-m", "soundstage.cli")

FIRST = {
    "algolia-ingestion": (RUN, ALGOLIA),
    "runwisp": (f"{EXAMPLE}?limit=2", RUNWISP),
    "trieve": (f"/trieve/api/dataset/{TRIEVE['tr-dataset']}", TRIEVE),
    "trigger-dev": (
        "/trigger-dev/api/v1/runs/run_1234/events",
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


def measure(repeats: int) -> dict[str, list[Figures]]:
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


def held(found: dict[str, list[Figures]]) -> Iterator[Held]:
    """The figures that have targets."""
    apis = [run for api in FIRST for run in found[api]]
    seconds, memory = (
        figure(run[key] for run in apis) for key in ("seconds", "rss_mb")
    )
    said = figure(run["seconds"] for run in found["--help"])
    yield Held(
        "start: process spawn to first 200, all four APIs", seconds, "s", most=0.5
    )
    yield Held("soundstage --help", said, "s", most=0.15)
    yield Held("memory after the first 200, default world", memory, "MB", most=80)


def table(found: dict[str, list[Figures]]) -> Iterator[Row]:
    """Every case; ``cold`` is from nothing."""
    yield ("first 200 of", "seconds", "CPU seconds", "RSS MB")
    for case, runs in found.items():
        cells = (
            str(figure(run[key] for run in runs)) if key in runs[0] else ""
            for key in ("seconds", "cpu_seconds", "rss_mb")
        )
        yield (case, *cells)
