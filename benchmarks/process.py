"""A server in a process of its own, on a core of its own."""

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
"""Where servers run, and where what asks them does."""

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """A server that listens."""

    name: str
    url: str
    pid: int
    printed: Path | None = None

    def clear(self) -> None:
        """Forget what it has printed, before a disk is to remember it."""
        if self.printed:
            os.truncate(self.printed, 0)

    def rest(self) -> None:
        """Wait until it has done what nobody waits for any more.

        Whoever is asked next would share its core with it.
        """
        used = -1.0
        while used != (used := self.cpu()):
            time.sleep(3 / TICKS)

    def cpu(self) -> float:
        """Seconds of a core that it has used, its children too."""
        return sum(map(cpu_seconds, (self.pid, *children(self.pid))))


def cpu_seconds(pid: int) -> float:
    """User and system time of a process until now."""
    # The name of the program is in parentheses, and may have any sign in it.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident_mb(pid: int) -> float:
    """What a process holds in memory now."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1024


def children(pid: int) -> list[int]:
    """Processes that a process has started."""
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


@contextlib.contextmanager
def serving(
    name: str, words: Sequence[str], *, core: int | None = SERVER
) -> Iterator[Process]:
    """Run a command that says its URL in its first line, until the block is left.

    What it prints goes to a file: whoever reads a pipe would take part in the load.
    """
    pin = ["taskset", "-c", str(core)] if core is not None else []
    with tempfile.NamedTemporaryFile("r") as printed:
        with Path(printed.name).open("a") as out:
            started = subprocess.Popen(
                [*pin, *words],
                stdout=out,
                stderr=subprocess.DEVNULL,
                cwd=Path(__file__).parents[1],
            )
        try:
            url = _url(name, started, printed)
            yield Process(name, url, started.pid, Path(printed.name))
        finally:
            started.send_signal(signal.SIGTERM)
            started.wait(10)


def _url(name: str, started: subprocess.Popen, printed: IO[str]) -> str:
    while not (line := printed.readline()).endswith("\n"):
        if started.poll() is not None:
            raise SystemExit(f"benchmarks: {name} says no URL: {line!r}")
        printed.seek(0)
        time.sleep(0.01)
    found = re.search(r"http://[\w.:]+", line)
    if not found:
        raise SystemExit(f"benchmarks: {name} says no URL: {line!r}")
    return found[0]


def soundstage(*options: str) -> list[str]:
    """Our own server as a user starts it, in a world that stands still."""
    words = [str(Path(sys.executable).with_name("soundstage")), "serve", "--port", "0"]
    return [*words, "--now", "2026-01-01T00:00:00Z", "--speed", "0", *options]


def floor(name: str, recorded: Path) -> list[str]:
    """One of the floors, with what it has to answer."""
    return [sys.executable, "-m", f"benchmarks.floors.{name}", str(recorded)]
