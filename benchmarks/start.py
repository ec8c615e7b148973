"""Start time and memory of Soundstage.

The first run (``cold``) starts with an empty cache. Reads ``/proc``, so Linux only.
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
from benchmarks.figure import Result, summarize
from benchmarks.process import read_cpu_seconds, read_resident_mb
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
"""A request per API with status 200; all four APIs are served in each case."""

Figures = dict[str, float]


def measure_start(api: str, environment: dict[str, str]) -> Figures:
    """Measure one start until the first 200 of an API."""
    path, headers = FIRST[api]
    began = time.perf_counter()
    with subprocess.Popen(
        (*SOUNDSTAGE, "serve", "--port", "0", "--json"), stdout=subprocess.PIPE, env=environment
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            url = json.loads(process.stdout.readline())["url"]
            request = urllib.request.Request(url + path, headers=headers)  # noqa: S310
            with urllib.request.urlopen(request) as response:  # noqa: S310 - http
                response.read()
            seconds = time.perf_counter() - began
            return {
                "seconds": seconds,
                "cpu_seconds": read_cpu_seconds(process.pid),
                "rss_mb": read_resident_mb(process.pid),
            }
        finally:
            process.terminate()
            process.wait()


def measure_help(environment: dict[str, str]) -> Figures:
    """Measure one ``soundstage --help``."""
    began, before = time.perf_counter(), os.times()
    command = (*SOUNDSTAGE, "--help")
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return {"seconds": time.perf_counter() - began, "cpu_seconds": cpu}


def measure(repeats: int) -> dict[str, list[Figures]]:
    """Measure all repeats: a cold start, a start per API, and the help text."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "XDG_CACHE_HOME": cache}
        # Installed packages have bytecode files, so the measured code has them too.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        warm: Callable[[str], list[Figures]] = lambda api: [  # noqa: E731
            measure_start(api, environment) for _ in range(repeats)
        ]
        return {
            "cold": [measure_start("trigger-dev", environment)],
            **{api: warm(api) for api in FIRST},
            "--help": [measure_help(environment) for _ in range(repeats)],
        }


def list_results(found: dict[str, list[Figures]]) -> Iterator[Result]:
    """The figures with their targets."""
    apis = [run for api in FIRST for run in found[api]]
    seconds, memory = (summarize(run[key] for run in apis) for key in ("seconds", "rss_mb"))
    help_seconds = summarize(run["seconds"] for run in found["--help"])
    yield Result("start: process spawn to first 200, all four APIs", seconds, "s", maximum=0.5)
    yield Result("soundstage --help", help_seconds, "s", maximum=0.15)
    yield Result("memory after the first 200, default world", memory, "MB", maximum=80)


def build_table(found: dict[str, list[Figures]]) -> Iterator[Row]:
    """A row per case; ``cold`` has an empty cache."""
    yield ("first 200 of", "seconds", "CPU seconds", "RSS MB")
    for case, runs in found.items():
        cells = (
            str(summarize(run[key] for run in runs)) if key in runs[0] else ""
            for key in ("seconds", "cpu_seconds", "rss_mb")
        )
        yield (case, *cells)
