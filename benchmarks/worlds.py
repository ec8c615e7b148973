"""The cost of a world: creation, first change, reset."""

import time
from collections.abc import Callable, Iterator

from benchmarks.figure import Figure, Result, summarize
from soundstage.apis.registry import load_services
from soundstage.server.hosts import WorldOptions, Worlds
from soundstage.world.clock import parse_rfc3339
from soundstage.world.commands import Start

WORLDS_PER_REPEAT = 200
"""Worlds per repeat."""


def measure(repeats: int) -> dict[str, Figure]:
    """Milliseconds of process time per world."""
    worlds = Worlds(load_services(), WorldOptions(0, parse_rfc3339("2026-01-01T00:00:00Z"), 0))
    worlds.default.world.now()  # generates the history that all worlds share
    found: dict[str, list[float]] = {"made": [], "changed": [], "reset": []}
    for turn in range(repeats):
        names = [f"w{turn}-{number}" for number in range(WORLDS_PER_REPEAT)]
        found["made"].append(_measure_each(names, worlds.get_or_create))
        found["changed"].append(_measure_each(names, lambda name: _change(worlds, name)))
        found["reset"].append(_measure_each(names, lambda name: worlds.get_or_create(name).reset()))
        for name in names:
            worlds.delete(name)
    return {name: summarize(values) for name, values in found.items()}


def _measure_each(names: list[str], act: Callable[[str], object]) -> float:
    began = time.process_time()
    for name in names:
        act(name)
    return (time.process_time() - began) / len(names) * 1e3


def _change(worlds: Worlds, name: str) -> None:
    command = Start("algolia-ingestion", RUNNABLE)
    worlds.get_or_create(name).world.apply(command)


RUNNABLE = "6c02aeb1-775e-418e-870b-1faccd4b2c0f"
"""A task of the default world."""


def list_results(found: dict[str, Figure]) -> Iterator[Result]:
    """The figures with their targets."""
    for name, label in (("made", "creation"), ("reset", "reset")):
        yield Result(f"{label} of a world", found[name], "ms", maximum=1)
