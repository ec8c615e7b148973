"""The cost of a world with many runs, and of a run with many events.

    python -m benchmarks.world runs 100000
    python -m benchmarks.world events 100000

print the figures as JSON; ``growth`` calls each in its own process. Times are CPU times
of this process, the minimum of several rounds, through the whole server without a
socket, and in the world alone.
"""

import gc
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import process_time

import yaml

from benchmarks.cases import ALGOLIA, Case
from benchmarks.client import Client
from benchmarks.process import read_resident_mb
from soundstage import vendored_files
from soundstage.apis.registry import load_services
from soundstage.server.hosts import Worlds
from soundstage.world.clock import HOUR
from soundstage.world.collection import Collection
from soundstage.world.commands import Reset, Start
from soundstage.world.query import In, Query
from soundstage.world.world import WorldOptions

API = "algolia-ingestion"
TASK = "9d2c7a64-0a3e-4bb0-9a1c-1d5a0f3f8a10"  # products
NOW = 1_767_225_600_000 + HOUR
BATCHES = 33  # each is three events
ROUNDS = 7
MANY = 700  # more runs than the cache of regenerated runs holds
FEW = 40  # in every world, because a repeated path is parsed faster
SINCE = "startDate=2025-11-01T00%3A00%3A00Z"
PAGE = f"?{SINCE}&status=finished&type=reindex&sort=updatedAt&itemsPerPage=20"
EVENTS = f"/events?{SINCE}&itemsPerPage=10"

Figures = dict[str, float]


def runs(number: int) -> Figures:
    """Measure a world with additional runs."""
    services = load_services([API], [fixture(number)])
    before = round(read_resident_mb(os.getpid()))
    start = process_time()
    worlds = Worlds(services, WorldOptions(0, NOW, 0))
    state = worlds.default.world.state(API)
    built = process_time() - start
    gc.freeze()  # as ``soundstage serve`` does after its start
    listed = state.collection("runs").children(TASK, NOW)
    ids = [run["runID"] for run in listed]
    some = random.Random(0).sample(ids, min(len(ids), MANY))
    client = Client(worlds)
    # The page has the same number of events in each world; the default one gets a run.
    alike = some[0] if number else a_run(worlds, 100)
    cold = [of(run + EVENTS) for run in some]
    events = sum(client.get(each)["pagination"]["nbItems"] for each in cold) / len(cold)
    total = client.get(of(PAGE))["pagination"]["nbItems"]
    return {
        "runs": len(state.runs),
        "events": round(events * len(state.runs)),
        "found": total,
        "build_s": round(built, 2),
        "world_mb": round(read_resident_mb(os.getpid())) - before,
        "rss_mb": round(read_resident_mb(os.getpid())),
        "getRun_us": least(client, [of(run) for run in some[:FEW]] * 10),
        "listEvents_us": least(client, [of(alike + EVENTS)] * 50),
        "listEvents_first_us": least(client, cold) if number else 0,
        "listRuns_us": least(client, [of(PAGE)] * 50),
        "listRuns_last_page_us": least(client, [of(f"{PAGE}&page={total // 20 + 1}")] * 50),
        "listRuns_world_us": alone(state.collection("runs"), FINISHED),
        **changes(worlds),
    }


FINISHED = [
    Query((("status", In(frozenset({"finished"}))),), order, offset=start, limit=20)
    for order in (None, "createdAt")
    for start in (0, 20)
]


def of(path: str) -> Case:
    """Build a request for runs."""
    return Case("", "", "", f"/{API}/1/runs{'' if path[0] == '?' else '/'}{path}", ALGOLIA)


def alone(collection: Collection, queries: list[Query], parent: str | None = None) -> float:
    """Microseconds per query, measured in the world without a server."""

    def all_of_them() -> None:
        for query in queries:
            collection.find(query, NOW, parent)

    all_of_them()
    return round(min(timed(all_of_them) for _ in range(ROUNDS)) / len(queries), 1)


def events(number: int) -> Figures:
    """Measure pages of the events of one run, by all filters and orders.

    The first read of many events builds columns, O(n log n); it is measured
    separately.
    """
    worlds = Worlds(load_services([API], [fixture(0)]), WorldOptions(0, NOW, 0))
    client, run = Client(worlds), a_run(worlds, number)
    gc.freeze()
    listed = [of(f"{run}/events?{SINCE}&{query}") for query in pages(number)]
    first = timed(lambda: client.send(listed[:1]))
    client.send(listed)
    return {"events": number, "page_us": least(client, listed), "first_us": first}


def pages(number: int) -> Iterator[str]:
    """Yield queries for the first, second, middle and last page, by all filters."""
    for filters in ("", "&status=succeeded", "&type=record,fetch"):
        for sort in ("publishedAt", "status", "type"):
            for order in ("asc", "desc"):
                for page in (1, 2, number // 40, number // 20 - 1):
                    place = f"&order={order}&page={page}"
                    yield f"itemsPerPage=10&sort={sort}{place}{filters}"


def changes(worlds: Worlds) -> Figures:
    """Measure the first change of a world and its reset."""
    world = worlds.default.world
    first, reset = [], []
    for _ in range(ROUNDS):
        first.append(timed(lambda: world.apply(Start(API, "products", "idle"))))
        reset.append(timed(lambda: world.apply(Reset())))
    made = [timed(lambda name=f"w{n}": worlds.create(name, worlds.options)) for n in range(ROUNDS)]
    return {"first_change_us": min(first), "reset_us": min(reset), "creation_us": min(made)}


def a_run(worlds: Worlds, events: int) -> str:
    """Start a run with about this number of events, and advance to its end."""
    names = {"batches": events // 3}
    world = worlds.default.world
    run = world.apply(Start(API, "products", "big", names=names))
    world.clock.advance(run.records[0].last_changed_at - world.clock.now())
    return run.id


def least(client: Client, cases: list[Case]) -> float:
    """Microseconds per request, the minimum of several rounds."""
    client.send(cases[:1])
    rounds = (timed(lambda: client.send(cases)) for _ in range(ROUNDS))
    return round(min(rounds) / len(cases))


def timed(action: Callable[[], object]) -> float:
    """CPU time of an action in microseconds."""
    start = process_time()
    action()
    return round((process_time() - start) * 1e6)


def fixture(number: int) -> Path:
    """Write the vendored fixture with additional runs of about 100 events each."""
    text = (vendored_files.fixtures() / f"{API}.yaml").read_text()
    node = yaml.safe_load(text)
    node["scenarios"]["big"] = yaml.safe_load(SCENARIO)
    if number:
        more = {"task": "products", "scenario": "big", "runs": number, "for": "30d"}
        node["history"].append(more)
    path = Path(tempfile.mkdtemp()) / f"{API}.yaml"
    path.write_text(yaml.safe_dump(node, sort_keys=False))
    return path


SCENARIO = f"""
weight: 0
draw: {{batches: {BATCHES - 3}..{BATCHES + 3}, size: 100..1000}}
steps:
  - run: {{status: created}}
  - after: 1s..4s
    run:
      status: started
      startedAt: $at
      progress: {{expectedNbOfEvents: 0, receivedNbOfEvents: 0}}
    event: {{type: fetch, status: started}}
  - repeat: $batches
    steps:
      - after: 1s..2s
        run: {{progress: {{expectedNbOfEvents: {{add: 1}}}}}}
        event: {{type: fetch, status: succeeded, batchSize: $size}}
      - after: 100ms..900ms
        event: {{type: transform, status: succeeded, batchSize: $size}}
      - after: 1s..2s
        run: {{progress: {{receivedNbOfEvents: {{add: 1}}}}}}
        event: {{type: record, status: {{any: [succeeded, failed]}}, batchSize: $size}}
  - after: 1s
    run: {{status: finished, outcome: success, reasonCode: ok, finishedAt: $at}}
"""


if __name__ == "__main__":
    measure = {"runs": runs, "events": events}[sys.argv[1]]
    print(json.dumps(measure(int(sys.argv[2]))))
