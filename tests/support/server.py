"""The server as a user starts it: a process of its own, on a free port."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

SOUNDSTAGE = (sys.executable, "-m", "soundstage.cli")


@dataclass(frozen=True)
class RunningServer:
    """A server that answers; ``greeting`` is the first line it printed."""

    url: str
    greeting: dict
    output: IO[str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextmanager
def running_server(*options: str, errors: Path | None = None) -> Iterator[RunningServer]:
    """A server whose lines go to a file: a pipe that nobody reads would stop it.

    ``errors`` is where its standard error goes, if it is not the test's own.
    """
    command = [*SOUNDSTAGE, "serve", "--port", "0", "--json", *options]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "output"
        with (
            path.open("w") as written,
            path.open() as output,
            errors.open("w") if errors else nullcontext() as wrong,
        ):
            process = subprocess.Popen(command, stdout=written, stderr=wrong)
            try:
                greeting = json.loads(next_line(output))
                yield RunningServer(greeting["url"], greeting, output)
            finally:
                process.terminate()
                process.wait(10)


def next_line(output: IO[str]) -> str:
    """The next line that the server prints."""
    for _ in range(3_000):
        if line := output.readline():
            return line
        time.sleep(0.01)
    raise TimeoutError("the server printed nothing for half a minute")


def run_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the command line, to its end."""
    return subprocess.run(
        [*SOUNDSTAGE, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
