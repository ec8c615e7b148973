"""``python -m benchmarks.peers.measure``: compare other mock servers with Soundstage.

Each peer serves the effective contract of one API at a time, with minimal logging, and
returns generated or example responses. None keeps state, applies filters or pages, or
validates its responses, so all of them do less.
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
from benchmarks.figure import summarize, summarize_ratios
from benchmarks.load import Load, require_tools, run_load
from benchmarks.process import SERVER, Process, run_server, soundstage_command
from benchmarks.table import format_table

HERE = Path(__file__).parent
BIN = HERE / "node_modules/.bin"
RESULTS_FILE = HERE.parent / "results" / "peers.md"
START_TIMEOUT_SECONDS = 60  # seconds that a peer may take to start
REPEATS, SECONDS, CONNECTIONS = 5, 1, 32


def _build_command(peer: str, document: Path, port: int) -> list[str]:
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
def _run_peer(peer: str, document: Path) -> Iterator[Process]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["taskset", "-c", str(SERVER), *_build_command(peer, document, port)]
    with tempfile.TemporaryFile() as output:
        started = subprocess.Popen(words, stdout=output, stderr=output, cwd=HERE)
        try:
            _wait_until_listening(peer, port, started)
            yield Process(peer, f"http://127.0.0.1:{port}", started.pid)
        finally:
            started.terminate()
            started.wait(10)


def _wait_until_listening(peer: str, port: int, started: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_TIMEOUT_SECONDS
    while time.monotonic() < end and started.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.1)
    raise SystemExit(f"benchmarks: {peer} does not start")


def _without_prefix(case: Case) -> Case:
    """The case without the prefix of its API."""
    return replace(case, target=case.target.removeprefix(f"/{case.api}"))


def measure() -> Iterator[tuple[str, ...]]:
    """Yield rows: case, server, requests per second, CPU, and our ratio."""
    yield ("case", "server", "requests/s", "CPU µs", "Soundstage, times as many")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ours = stack.enter_context(run_server("Soundstage", soundstage_command()))
        for api in dict.fromkeys(case.api for case in ACCEPTED):
            document = folder / f"{api}.json"
            found = httpx.get(f"{ours.url}/_soundstage/specs/{api}.json")
            document.write_bytes(found.content)
            # Peers return examples, so no page has a hundred events.
            cases = [c for c in ACCEPTED if c.api == api and "(100)" not in c.name]
            for peer in PEERS:
                print(f"{peer}, {api} …", file=sys.stderr, flush=True)
                with _run_peer(peer, document) as process:
                    for case in cases:
                        yield from _compare(ours, process, case)


def _compare(ours: Process, peer: Process, case: Case) -> Iterator[tuple[str, ...]]:
    alone = _without_prefix(case)
    response = httpx.request(
        alone.method,
        peer.url + alone.target,
        headers=alone.headers,
        content=alone.body or None,
        timeout=30,
    )
    if response.status_code != case.status:
        yield (case.name, peer.name, f"status {response.status_code}", "", "")
        return
    mine: list[Load] = []
    theirs: list[Load] = []
    for _ in range(REPEATS):
        mine.append(run_load(ours, case, CONNECTIONS, SECONDS))
        theirs.append(run_load(peer, alone, CONNECTIONS, SECONDS))
    for name, loads in (("Soundstage", mine), (peer.name, theirs)):
        rate, cpu = (summarize(getattr(one, x) for one in loads) for x in ("rate", "cpu"))
        by = summarize_ratios([one.rate for one in mine], [one.rate for one in loads])
        yield (case.name, name, str(rate), str(cpu), "" if name == "Soundstage" else str(by))


if __name__ == "__main__":
    require_tools()
    if not BIN.exists():
        sys.exit("benchmarks: peers are not installed; make bench-peers does it")
    text = format_table(measure())
    print(text)
    RESULTS_FILE.write_text(text)
