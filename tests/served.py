"""The server as a user starts it: a process of its own, on a free port."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

SOUNDSTAGE = (sys.executable, "-m", "soundstage.cli")


@dataclass(frozen=True)
class Served:
    """A server that answers; ``greeting`` is the first line it printed."""

    url: str
    greeting: dict
    output: IO[str]

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])


@contextmanager
def served(*options: str) -> Iterator[Served]:
    command = [*SOUNDSTAGE, "serve", "--port", "0", "--json", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            greeting = json.loads(process.stdout.readline())
            yield Served(greeting["url"], greeting, process.stdout)
        finally:
            process.terminate()
            process.wait(10)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """A command of the command line, to its end."""
    return subprocess.run(
        [*SOUNDSTAGE, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
