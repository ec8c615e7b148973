"""Requests per second, p99 and CPU time, compared with floors."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.cases import ACCEPTED, ALGOLIA, REJECTED, RUN, Case
from benchmarks.figure import Result, summarize, summarize_ratios
from benchmarks.load import Load, run_load, write_recorded_responses
from benchmarks.process import Process, floor_command, run_server, soundstage_command

FLOORS = ("bare", "route", "stock")
CONNECTIONS = (1, 32)
OURS = "soundstage"
Samples = dict[tuple[str, str, int], list[Load]]
"""By case, server and connections."""


@dataclass(slots=True)
class Requests:
    """All samples."""

    samples: Samples = field(default_factory=dict)

    def of(self, case: str, server: str, connections: int = 32) -> list[Load]:
        """The repeats of one case at one server."""
        return self.samples[case, server, connections]


def measure(repeats: int, seconds: int, report_progress: Callable[[str], None]) -> Requests:
    """Load all servers with all cases in turns, so that a disturbance affects all."""
    found = Requests()
    with _run_servers() as servers:
        for turn in range(repeats):
            report_progress(f"requests, turn {turn + 1} of {repeats}")
            for case, server, connections in _list_loads(servers):
                key = (case.name, server.name, connections)
                sample = run_load(server, case, connections, seconds)
                found.samples.setdefault(key, []).append(sample)
    return found


def _list_loads(servers: list[Process]) -> Iterator[tuple[Case, Process, int]]:
    for connections in CONNECTIONS:
        for case in ACCEPTED:
            for server in servers:
                yield case, server, connections
        for case in REJECTED:
            yield case, servers[0], connections


@contextlib.contextmanager
def _run_servers() -> Iterator[list[Process]]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(run_server(OURS, soundstage_command()))
        _add_events(ours)
        recorded = write_recorded_responses(folder, [_send(ours, case) for case in ACCEPTED])
        for case in REJECTED:
            _send(ours, case)
        floors = [
            stack.enter_context(run_server(name, floor_command(name, recorded))) for name in FLOORS
        ]
        for server in floors:
            for case in ACCEPTED:
                _send(server, case)
        yield [ours, *floors]


def _add_events(ours: Process) -> None:
    """Add events to the run until a page of 100 is full."""
    events = httpx.get(f"{ours.url}{RUN}/events?itemsPerPage=100", headers=ALGOLIA)
    found = events.json()["events"]
    records = f"{ours.url}/_soundstage/records/algolia-ingestion/events"
    for number in range(100 - len(found)):
        name = f"00000000-0000-4000-8000-{number:012}"
        event = {**found[-1], "eventID": name}
        httpx.put(f"{records}/{name}", json=event).raise_for_status()


def _send(server: Process, case: Case) -> dict:
    """Send one request. Raises ``RuntimeError`` if the status is unexpected."""
    response = httpx.request(
        case.method, server.url + case.target, headers=case.headers, content=case.body or None
    )
    if response.status_code != case.status:
        msg = f"{server.name}, {case.name}: {response.status_code} {response.text}"
        raise RuntimeError(msg)
    return {
        "case": case.name,
        "api": case.api,
        "operation": case.operation,
        "method": case.method,
        "target": case.target,
        "status": response.status_code,
        "headers": [*response.headers.multi_items()],
        "body": response.text,
        "document": response.json() if case.status == httpx.codes.OK else None,
    }


def list_results(found: Requests) -> Iterator[Result]:
    """The figures with their targets."""
    for case in ACCEPTED:
        name = case.name
        least = 0.35 if "(100)" in name else 0.45
        yield Result(
            f"{name}: requests/s, of bare ASGI",
            _summarize_ratio(found, name, "bare", "rate"),
            "x",
            minimum=least,
        )
        if "(100)" not in name:
            yield Result(
                f"{name}: requests/s, of stock Connexion",
                _summarize_ratio(found, name, "stock", "rate"),
                "x",
                minimum=15,
            )
        yield Result(
            f"{name}: p99, of bare ASGI's",
            _summarize_ratio(found, name, "bare", "p99"),
            "x",
            maximum=2,
        )
    accepted = [one.cpu for one in found.of("getRun", OURS)]
    for case in REJECTED:
        refused = [one.cpu for one in found.of(case.name, OURS)]
        yield Result(
            f"{case.name}: CPU, of a successful getRun",
            summarize_ratios(refused, accepted),
            "x",
            maximum=1,
        )


def _summarize_ratio(found: Requests, case: str, floor_name: str, field_name: str):
    ours, theirs = (
        [getattr(one, field_name) for one in found.of(case, server)]
        for server in (OURS, floor_name)
    )
    return summarize_ratios(ours, theirs)


def build_table(found: Requests) -> Iterator[tuple[str, ...]]:
    """A row per case and server: requests per second, p99 and CPU."""
    yield ("case", "server", "connections", "requests/s", "p99 ms", "CPU µs")
    for (case, server, connections), samples in found.samples.items():
        cells = (
            str(summarize(getattr(one, name) for one in samples)) for name in ("rate", "p99", "cpu")
        )
        yield (case, server, str(connections), *cells)
