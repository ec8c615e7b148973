"""Count the work of a request: independent of noise and machine.

``python -m benchmarks guard`` counts, in one process, the calls of Python and C
functions of a request, and its peak of allocated bytes. It fails if a count exceeds the
limit in ``guard.json`` by more than a quarter. ``--keep`` writes the counts as new
limits. (The run whose events are listed has fewer than a hundred events here.)
"""

import gc
import json
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from benchmarks.cases import ACCEPTED, REJECTED, Case
from benchmarks.client import Client
from benchmarks.figure import Result, summarize
from soundstage.apis.registry import load_services
from soundstage.server.hosts import WorldOptions, Worlds
from soundstage.world.clock import parse_rfc3339

LIMITS_FILE = Path(__file__).parent / "guard.json"
MARGIN = 1.25
WARM_UP_REQUESTS = 50
"""Requests before the counted one, which fill all caches."""

Counts = dict[str, int]


def count_requests() -> dict[str, Counts]:
    """Count one request of each case."""
    services = load_services(["algolia-ingestion", "runwisp", "trieve"])
    client = Client(Worlds(services, WorldOptions(0, parse_rfc3339("2026-01-01T00:00:00Z"), 0)))
    return {case.name: _count_case(client, case) for case in (*ACCEPTED, *REJECTED)}


def _count_case(client: Client, case: Case) -> Counts:
    client.send([case] * WARM_UP_REQUESTS)
    gc.collect()
    gc.disable()
    try:
        return {"calls": _count_calls(client, case), "bytes": _measure_bytes(client, case)}
    finally:
        gc.enable()


def _count_calls(client: Client, case: Case) -> int:
    """Calls of 20 requests minus those of 10, which removes the overhead."""
    found = [0, 0]
    for i in (0, 1):

        def note(_frame: FrameType, event: str, _argument: object, i: int = i) -> None:
            found[i] += event in {"call", "c_call"}

        sys.setprofile(note)
        try:
            client.send([case] * (10 + 10 * i))
        finally:
            sys.setprofile(None)
    return (found[1] - found[0]) // 10


def _measure_bytes(client: Client, case: Case) -> int:
    """The peak of one request, above the level before it."""
    tracemalloc.start()
    try:
        client.send([case])
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        client.send([case])
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def read_limits() -> dict[str, Counts]:
    """Read the limits."""
    found: dict[str, Counts] = json.loads(LIMITS_FILE.read_text())
    return found


def write_limits(counted: dict[str, Counts]) -> None:
    """Write counts as the new limits."""
    LIMITS_FILE.write_text(json.dumps(counted, indent=1) + "\n")


def list_results(counted: dict[str, Counts], before: dict[str, Counts]) -> Iterator[Result]:
    """Each count with its limit."""
    for case, counts in counted.items():
        for what, number in counts.items():
            most = round(before.get(case, {}).get(what, 0) * MARGIN)
            yield Result(f"{case}: {what}", summarize([number]), "", maximum=most)
