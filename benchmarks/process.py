"""A server in its own process on its own core."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

CORES = sorted(os.sched_getaffinity(0))
SERVER, CLIENT = CORES[0], CORES[-1]
"""The cores of the server and of the client."""

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """A running server."""

    name: str
    url: str
    pid: int
    output_file: Path | None = None

    def truncate_output(self) -> None:
        """Truncate its output, so that writing it to disk does not disturb."""
        if self.output_file:
            os.truncate(self.output_file, 0)

    def wait_until_idle(self) -> None:
        """Wait until it uses no CPU.

        The server that is measured next shares its core.
        """
        used = -1.0
        while used != (used := self.get_cpu_seconds()):
            time.sleep(3 / TICKS)

    def get_cpu_seconds(self) -> float:
        """CPU seconds used so far, with child processes."""
        return sum(map(read_cpu_seconds, (self.pid, *list_children(self.pid))))


def read_cpu_seconds(pid: int) -> float:
    """User and system time of a process, in seconds."""
    # The name of the program is in parentheses and may contain any character.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def read_resident_mb(pid: int) -> float:
    """Resident memory of a process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def list_children(pid: int) -> list[int]:
    """Child processes of a process."""
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


@contextlib.contextmanager
def run_server(name: str, words: Sequence[str], *, core: int | None = SERVER) -> Iterator[Process]:
    """Run a command that prints its URL in its first line.

    Its output goes to a file, because reading a pipe would be part of the load.
    """
    pin = ["taskset", "-c", str(core)] if core is not None else []
    with tempfile.NamedTemporaryFile("r") as printed:
        with Path(printed.name).open("a") as out:
            started = subprocess.Popen(
                [*pin, *words], stdout=out, stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[1]
            )
        try:
            url = _read_url(name, started, printed)
            yield Process(name, url, started.pid, Path(printed.name))
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait(10)


def _read_url(name: str, started: subprocess.Popen, printed: IO[str]) -> str:
    while not (line := printed.readline()).endswith("\n"):
        if started.poll() is not None:
            raise SystemExit(f"benchmarks: {name} printed no URL: {line!r}")
        printed.seek(0)
        time.sleep(0.01)
    found = re.search(r"http://[\w.:]+", line)
    if not found:
        raise SystemExit(f"benchmarks: {name} printed no URL: {line!r}")
    return found[0]


def soundstage_command(*options: str) -> list[str]:
    """The command of our server, with a frozen world."""
    words = [str(Path(sys.executable).with_name("soundstage")), "serve", "--port", "0"]
    return [*words, "--now", "2026-01-01T00:00:00Z", "--speed", "0", *options]


def floor_command(name: str, recorded: Path) -> list[str]:
    """The command of a floor, with its recorded responses."""
    return [sys.executable, "-m", f"benchmarks.floors.{name}", str(recorded)]
