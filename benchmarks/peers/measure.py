"""``python -m benchmarks.peers.measure``: peers beside Soundstage.

Each peer serves the effective contract of one API at a time, with as little logging as
it lets itself be told, and generates its answer or takes an example's. None keeps
state, applies filters or pages, or judges its own answers, so that all do less.
"""

import contextlib
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx

from benchmarks.cases import ACCEPTED, Case
from benchmarks.figure import figure, ratio
from benchmarks.load import Load, load, require
from benchmarks.process import SERVER, Process, serving, soundstage
from benchmarks.table import table

HERE = Path(__file__).parent
BIN = HERE / "node_modules/.bin"
KEPT = HERE.parent / "results" / "peers.md"
PATIENCE = 60  # seconds that a peer may take to start
REPEATS, SECONDS, CONNECTIONS = 5, 1, 32


def _words(peer: str, document: Path, port: int) -> list[str]:
    path, number = str(document), str(port)
    match peer:
        case "Prism":
            words = [str(BIN / "prism"), "mock", path, "--errors", "-v", "error"]
            return [*words, "-h", "127.0.0.1", "-p", number]
        case "Mockoon":
            words = [str(BIN / "mockoon-cli"), "start", "--data", path]
            words += ["--disable-log-to-file", "--disable-admin-api"]
            return [*words, "--hostname", "127.0.0.1", "--port", number]
    return ["node", str(HERE / "scalar.mjs"), path, number]


PEERS = ("Prism", "Mockoon", "Scalar")


@contextlib.contextmanager
def _running(peer: str, document: Path) -> Iterator[Process]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["taskset", "-c", str(SERVER), *_words(peer, document, port)]
    with tempfile.TemporaryFile() as said:
        started = subprocess.Popen(words, stdout=said, stderr=said, cwd=HERE)
        try:
            _await(peer, port, started)
            yield Process(peer, f"http://127.0.0.1:{port}", started.pid)
        finally:
            started.terminate()
            started.wait(10)


def _await(peer: str, port: int, started: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and started.poll() is None:
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        time.sleep(0.1)
    raise SystemExit(f"benchmarks: {peer} does not start")


def _alone(case: Case) -> Case:
    """The case for a server of its API only, which has no prefix."""
    return replace(case, target=case.target.removeprefix(f"/{case.api}"))


def measure() -> Iterator[tuple[str, ...]]:
    """Rows: a case, a server, requests a second, CPU, and ours by its."""
    yield ("case", "server", "requests/s", "CPU µs", "Soundstage, times as many")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(serving("Soundstage", soundstage()))
        for api in dict.fromkeys(case.api for case in ACCEPTED):
            document = folder / f"{api}.json"
            found = httpx.get(f"{ours.url}/_soundstage/specs/{api}.json")
            document.write_bytes(found.content)
            # No run has a hundred events here: peers answer from examples.
            cases = [c for c in ACCEPTED if c.api == api and "(100)" not in c.name]
            for peer in PEERS:
                print(f"{peer}, {api} …", file=sys.stderr, flush=True)
                with _running(peer, document) as process:
                    for case in cases:
                        yield from _beside(ours, process, case)


def _beside(ours: Process, peer: Process, case: Case) -> Iterator[tuple[str, ...]]:
    alone = _alone(case)
    answer = httpx.request(
        alone.method,
        peer.url + alone.target,
        headers=alone.headers,
        content=alone.body or None,
        timeout=30,
    )
    if answer.status_code != case.status:
        yield (case.name, peer.name, f"answers {answer.status_code}", "", "")
        return
    mine: list[Load] = []
    theirs: list[Load] = []
    for _ in range(REPEATS):
        mine.append(load(ours, case, CONNECTIONS, SECONDS))
        theirs.append(load(peer, alone, CONNECTIONS, SECONDS))
    for name, loads in (("Soundstage", mine), (peer.name, theirs)):
        rate, cpu = (figure(getattr(one, x) for one in loads) for x in ("rate", "cpu"))
        by = ratio([one.rate for one in mine], [one.rate for one in loads])
        yield (
            case.name,
            name,
            str(rate),
            str(cpu),
            "" if name == "Soundstage" else str(by),
        )


if __name__ == "__main__":
    require()
    if not BIN.exists():
        sys.exit("benchmarks: peers are not installed; make bench-peers does it")
    text = table(measure())
    print(text)
    KEPT.write_text(text)
