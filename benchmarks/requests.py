"""Requests a second, the slowest in a hundred, and CPU, beside floors."""

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from benchmarks.cases import ACCEPTED, ALGOLIA, REFUSED, RUN, Case
from benchmarks.figure import Held, figure, ratio
from benchmarks.load import Load, load, recorded_to
from benchmarks.process import Process, floor, serving, soundstage

FLOORS = ("bare", "route", "stock")
CONNECTIONS = (1, 32)
OURS = "soundstage"
Samples = dict[tuple[str, str, int], list[Load]]
"""By case, server and connections."""


@dataclass(slots=True)
class Requests:
    """All that was measured of requests."""

    samples: Samples = field(default_factory=dict)

    def of(self, case: str, server: str, connections: int = 32) -> list[Load]:
        """The repeats of one."""
        return self.samples[case, server, connections]


def measure(repeats: int, seconds: int, tell: Callable[[str], None]) -> Requests:
    """Ask all servers for all cases, in turns: what disturbs one disturbs all."""
    found = Requests()
    with _servers() as servers:
        for turn in range(repeats):
            tell(f"requests, turn {turn + 1} of {repeats}")
            for case, server, connections in _plan(servers):
                key = (case.name, server.name, connections)
                sample = load(server, case, connections, seconds)
                found.samples.setdefault(key, []).append(sample)
    return found


def _plan(servers: list[Process]) -> Iterator[tuple[Case, Process, int]]:
    for connections in CONNECTIONS:
        for case in ACCEPTED:
            for server in servers:
                yield case, server, connections
        for case in REFUSED:
            yield case, servers[0], connections


@contextlib.contextmanager
def _servers() -> Iterator[list[Process]]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(serving(OURS, soundstage()))
        _lengthen(ours)
        recorded = recorded_to(folder, [_answer(ours, case) for case in ACCEPTED])
        for case in REFUSED:
            _answer(ours, case)
        floors = [
            stack.enter_context(serving(name, floor(name, recorded))) for name in FLOORS
        ]
        for server in floors:
            for case in ACCEPTED:
                _answer(server, case)
        yield [ours, *floors]


def _lengthen(ours: Process) -> None:
    """Give the run of the page of 100 events so many."""
    events = httpx.get(f"{ours.url}{RUN}/events?itemsPerPage=100", headers=ALGOLIA)
    found = events.json()["events"]
    records = f"{ours.url}/_soundstage/records/algolia-ingestion/events"
    for number in range(100 - len(found)):
        name = f"00000000-0000-4000-8000-{number:012}"
        event = {**found[-1], "eventID": name}
        httpx.put(f"{records}/{name}", json=event).raise_for_status()


def _answer(server: Process, case: Case) -> dict:
    """What a server answers. Raises ``RuntimeError``, if that is not what it should."""
    answer = httpx.request(
        case.method,
        server.url + case.target,
        headers=case.headers,
        content=case.body or None,
    )
    if answer.status_code != case.status:
        msg = f"{server.name}, {case.name}: {answer.status_code} {answer.text}"
        raise RuntimeError(msg)
    return {
        "case": case.name,
        "api": case.api,
        "operation": case.operation,
        "method": case.method,
        "target": case.target,
        "status": answer.status_code,
        "headers": [*answer.headers.multi_items()],
        "body": answer.text,
        "document": answer.json() if case.status == httpx.codes.OK else None,
    }


def held(found: Requests) -> Iterator[Held]:
    """The figures that have targets."""
    for case in ACCEPTED:
        name = case.name
        least = 0.35 if "(100)" in name else 0.45
        yield Held(
            f"{name}: requests/s, of bare ASGI",
            _ratio(found, name, "bare", "rate"),
            "x",
            least=least,
        )
        if "(100)" not in name:
            yield Held(
                f"{name}: requests/s, of stock Connexion",
                _ratio(found, name, "stock", "rate"),
                "x",
                least=15,
            )
        yield Held(
            f"{name}: p99, of bare ASGI's",
            _ratio(found, name, "bare", "p99"),
            "x",
            most=2,
        )
    accepted = [one.cpu for one in found.of("getRun", OURS)]
    for case in REFUSED:
        refused = [one.cpu for one in found.of(case.name, OURS)]
        yield Held(
            f"{case.name}: CPU, of an accepted getRun's",
            ratio(refused, accepted),
            "x",
            most=1,
        )


def _ratio(found: Requests, case: str, floor_name: str, field_name: str):
    ours, theirs = (
        [getattr(one, field_name) for one in found.of(case, server)]
        for server in (OURS, floor_name)
    )
    return ratio(ours, theirs)


def table(found: Requests) -> Iterator[tuple[str, ...]]:
    """Every server by every case: requests a second, p99 and CPU."""
    yield ("case", "server", "connections", "requests/s", "p99 ms", "CPU µs")
    for (case, server, connections), samples in found.samples.items():
        cells = (
            str(figure(getattr(one, name) for one in samples))
            for name in ("rate", "p99", "cpu")
        )
        yield (case, server, str(connections), *cells)
