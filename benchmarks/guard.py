"""How much work a request is, counted: what no noise can hide, and no machine changes.

``python -m benchmarks guard`` counts, in one process, the calls of Python functions and
of C's that a request makes, and the bytes that it holds at most beyond what was there,
and fails if one is beyond what ``guard.json`` keeps by more than a quarter. ``--keep``
keeps what was counted. (The run whose events are listed has fewer than a hundred here.)
"""

import gc
import json
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from benchmarks.cases import ACCEPTED, REFUSED, Case
from benchmarks.client import Client
from benchmarks.figure import Held, figure
from soundstage.apis.registry import load_services
from soundstage.server.hosts import WorldOptions, Worlds
from soundstage.world.clock import parse_rfc3339

KEPT = Path(__file__).parent / "guard.json"
MARGIN = 1.25
WARM = 50
"""Requests before one is counted: by then, what is remembered is remembered."""

Counts = dict[str, int]


def count() -> dict[str, Counts]:
    """What one request of each case is."""
    services = load_services(["algolia-ingestion", "runwisp", "trieve"])
    client = Client(
        Worlds(services, WorldOptions(0, parse_rfc3339("2026-01-01T00:00:00Z"), 0))
    )
    return {case.name: _counted(client, case) for case in (*ACCEPTED, *REFUSED)}


def _counted(client: Client, case: Case) -> Counts:
    client.send([case] * WARM)
    gc.collect()
    gc.disable()
    try:
        return {"calls": _calls(client, case), "bytes": _bytes(client, case)}
    finally:
        gc.enable()


def _calls(client: Client, case: Case) -> int:
    """Of twenty requests less those of ten: what is around them falls away."""
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


def _bytes(client: Client, case: Case) -> int:
    """At the peak of one request, beyond those before it."""
    tracemalloc.start()
    try:
        client.send([case])
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        client.send([case])
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def kept() -> dict[str, Counts]:
    """What was counted when it was last kept."""
    found: dict[str, Counts] = json.loads(KEPT.read_text())
    return found


def keep(counted: dict[str, Counts]) -> None:
    """Hold all that is counted from now on to this."""
    KEPT.write_text(json.dumps(counted, indent=1) + "\n")


def held(counted: dict[str, Counts], before: dict[str, Counts]) -> Iterator[Held]:
    """Each count beside what it may be."""
    for case, counts in counted.items():
        for what, number in counts.items():
            most = round(before.get(case, {}).get(what, 0) * MARGIN)
            yield Held(f"{case}: {what}", figure([number]), "", most=most)
