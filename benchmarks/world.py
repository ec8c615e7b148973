"""How a world answers as it grows: from its default history to 100,000 runs.

    python -m benchmarks.world [RUNS ...]

Each size is built in a process of its own. Times are of this process's CPU, the least
of several rounds, through the whole server without a socket.
"""

import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from time import process_time
from typing import Any

import yaml

from benchmarks.process import resident_mb
from soundstage import resources
from soundstage.apis.service import load_services
from soundstage.server.dispatch import build_app
from soundstage.server.worlds import Worlds
from soundstage.world.clock import HOUR
from soundstage.world.log import Reset, Start
from soundstage.world.world import Opening

API = "algolia-ingestion"
TASK = "9d2c7a64-0a3e-4bb0-9a1c-1d5a0f3f8a10"  # products
NOW = 1_767_225_600_000 + HOUR
SIZES = (0, 1_000, 10_000, 100_000)
BATCHES = 33  # each is three events
ROUNDS = 7
MANY = 700  # more runs than a world keeps after they were looked at
KEYS = [
    (b"x-algolia-application-id", b"ALGOLIA_APPLICATION_ID"),
    (b"x-algolia-api-key", b"ALGOLIA_API_KEY"),
]
SINCE = "startDate=2025-11-01T00%3A00%3A00Z"
PAGE = f"/1/runs?{SINCE}&status=finished&type=reindex&sort=updatedAt&itemsPerPage=20"
EVENTS = f"/events?{SINCE}&itemsPerPage=10"

Figures = dict[str, float]


def figures(runs: int) -> Figures:
    """What one size costs; call it in a process of its own."""
    services = load_services([API], [fixture(runs)])
    before = round(resident_mb(os.getpid()))
    start = process_time()
    worlds = Worlds(services, Opening(0, NOW, 0))
    state = worlds.default.world.state(API)
    built = process_time() - start
    there = state.collection("runs").children(TASK, NOW)
    ids = [run["runID"] for run in there]
    some = random.Random(0).sample(ids, min(len(ids), MANY))
    client = Client(worlds)
    # A page of as many events in every world: in the default one, those of a run more.
    alike = some[0] if runs else a_run(worlds, 100)
    cold = [f"/1/runs/{run}{EVENTS}" for run in some]
    events = sum(client.get(path)["pagination"]["nbItems"] for path in cold) / len(cold)
    total = client.get(PAGE)["pagination"]["nbItems"]
    return {
        "runs": len(state.runs),
        "events": round(events * len(state.runs)),
        "found": total,
        "build_s": round(built, 2),
        "world_mb": round(resident_mb(os.getpid())) - before,
        "rss_mb": round(resident_mb(os.getpid())),
        "getRun_us": least(client, [f"/1/runs/{run}" for run in some]),
        "listEvents_us": least(client, [f"/1/runs/{alike}{EVENTS}"] * 50),
        "listEvents_first_us": least(client, cold) if runs else 0,
        "listRuns_us": least(client, [PAGE] * 50),
        "listRuns_last_page_us": least(client, [f"{PAGE}&page={total // 20 + 1}"] * 50),
        **changes(worlds),
        "one_run_100_us": one_run(client, worlds, 100),
        "one_run_100000_us": one_run(client, worlds, 100_000),
    }


def changes(worlds: Worlds) -> Figures:
    """What it costs to change a world for the first time, and to bring it back."""
    world = worlds.default.world
    first, reset = [], []
    for _ in range(ROUNDS):
        first.append(timed(lambda: world.apply(Start(API, "products", "idle"))))
        reset.append(timed(lambda: world.apply(Reset())))
    made = [
        timed(lambda name=f"w{n}": worlds.create(name, worlds.opening))
        for n in range(ROUNDS)
    ]
    return {
        "first_change_us": min(first),
        "reset_us": min(reset),
        "creation_us": min(made),
    }


def one_run(client: "Client", worlds: Worlds, events: int) -> float:
    """A filtered and sorted page of the events of a run that has so many."""
    query = f"{EVENTS}&status=succeeded&sort=type&order=desc&page=2"
    return least(client, [f"/1/runs/{a_run(worlds, events)}{query}"] * 20)


def a_run(worlds: Worlds, events: int) -> str:
    """A run that has just come to its end, and has so many events."""
    names = {"batches": events // 3}
    world = worlds.default.world
    run = world.apply(Start(API, "products", "big", names=names))
    world.clock.advance(run.records[0].settled - world.clock.now())
    return run.id


class Client:
    """Requests in the thread of the caller, without a socket."""

    def __init__(self, worlds: Worlds) -> None:
        self._app = build_app(worlds)
        self._runner = asyncio.Runner()

    def get(self, path: str) -> Any:
        """The answer's value. Raises ``RuntimeError`` for one that is not 200."""
        return json.loads(self.send([path])[-1])

    def send(self, paths: Iterable[str]) -> list[bytes]:
        """The answers to these, one after another."""
        return self._runner.run(self._all(paths))

    async def _all(self, paths: Iterable[str]) -> list[bytes]:
        return [await self._one(path) for path in paths]

    async def _one(self, target: str) -> bytes:
        path, _, query = target.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "headers": [(b"host", b"127.0.0.1"), *KEYS],
            "client": ("127.0.0.1", 50000),
            "server": ("127.0.0.1", 4010),
        }
        sent: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        body = b"".join(message.get("body", b"") for message in sent[1:])
        if sent[0]["status"] != 200:
            raise RuntimeError(f"{target}: {sent[0]['status']} {body!r}")
        return body


def least(client: Client, paths: list[str]) -> float:
    """Microseconds of one of these requests, in the best of several rounds."""
    client.send(paths[:1])
    rounds = (timed(lambda: client.send(paths)) for _ in range(ROUNDS))
    return round(min(rounds) / len(paths))


def timed(action: Callable[[], object]) -> float:
    """The microseconds of CPU that something takes."""
    start = process_time()
    action()
    return round((process_time() - start) * 1e6)


def fixture(runs: int) -> Path:
    """The vendored fixture, and so many runs of about 100 events each."""
    text = (resources.fixtures() / f"{API}.yaml").read_text()
    node = yaml.safe_load(text)
    node["scenarios"]["big"] = yaml.safe_load(SCENARIO)
    if runs:
        more = {"task": "products", "scenario": "big", "runs": runs, "for": "30d"}
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


def measured(sizes: Iterable[int] = SIZES) -> Iterator[Figures]:
    """The figures of each size, from a process each."""
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.world", "--one", str(size)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
        yield json.loads(done.stdout)


def table(rows: list[Figures]) -> str:
    """The figures as Markdown, a column for each size."""
    head = "| | " + " | ".join(f"{row['runs']:,.0f} runs" for row in rows) + " |"
    lines = [head, "|---|" + "---:|" * len(rows)]
    for name in rows[0]:
        cells = (f"{row[name]:,.12g}" for row in rows)
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for name in ("getRun_us", "listEvents_us", "listEvents_first_us", "listRuns_us"):
        base = rows[0][name] or rows[0]["listEvents_us"]
        ratios = (f"{row[name] / base:.2f}" for row in rows)
        lines.append(f"| {name}, ratio | " + " | ".join(ratios) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(figures(int(sys.argv[2]))))
    else:
        chosen = [int(argument) for argument in sys.argv[1:]] or list(SIZES)
        print(table(list(measured(chosen))))
