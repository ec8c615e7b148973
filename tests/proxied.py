"""The proxy: as a user starts it, a process of its own; or in a thread of the test."""

import asyncio
import json
import queue
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from served import SOUNDSTAGE, next_line
from soundstage.server.serve import bound, url_of
from soundstage.testing.proxy.desk import Desk
from soundstage.testing.proxy.lines import Lines
from soundstage.testing.proxy.notes import Notes
from soundstage.testing.proxy.process import ProxyServer
from soundstage.testing.proxy.relay import Policy, Relay
from soundstage.testing.proxy.tape import Tape
from soundstage.testing.proxy.terms import Terms
from soundstage.testing.proxy.upstream import Upstream


@dataclass
class Relayed:
    """A proxy in a thread of the test; ``line`` is what it says of an exchange."""

    url: str
    notes: Notes
    said: "queue.Queue[str]" = field(default_factory=queue.Queue)

    def line(self) -> dict:
        return json.loads(self.said.get(timeout=20))

    def write(self, text: str) -> None:
        self.said.put(text)

    def flush(self) -> None:
        pass


@contextmanager
def relayed(
    url: str,
    terms: Terms,
    *,
    timeout: float = 20,
    tape: Path | None = None,
    keep_secrets: bool = False,
    **policy: bool,
) -> Iterator[Relayed]:
    """A proxy before this URL."""
    upstream = Upstream(url, timeout)
    listener = bound("127.0.0.1", 0)
    proxy = Relayed(url_of(listener), None)
    recorder = Tape(tape) if tape else None
    lines = Lines(proxy, json=True)
    proxy.notes = Notes(
        terms, upstream.base_url, lines, recorder, keep_secrets=keep_secrets
    )
    desk = Desk(proxy.notes.journal, terms.contract)
    relay = Relay(terms, upstream, Policy(**policy), proxy.notes, desk)
    server = ProxyServer(relay, upstream)
    serving = threading.Thread(
        target=asyncio.run, args=(server.serve(sockets=[listener]),), daemon=True
    )
    serving.start()
    try:
        yield proxy
    finally:
        server.should_exit = True
        serving.join(20)
        if recorder:
            recorder.close()


@dataclass
class Proxied:
    """A proxy that listens; once it has ended, its exit code and its summary too."""

    url: str
    greeting: dict
    output: IO[str]
    process: subprocess.Popen[str]
    code: int | None = None
    errors: str = ""
    summary: dict = field(default_factory=dict)

    def line(self) -> dict:
        """What is said of the next exchange."""
        return json.loads(next_line(self.output))

    def end(self, how: int = signal.SIGINT) -> None:
        """Interrupt it, and read what else it says."""
        self.process.send_signal(how)
        self.errors = self.process.communicate(timeout=20)[1]
        self.code = self.process.returncode
        rest = self.output.read().splitlines()
        self.summary = json.loads(rest[-1])["summary"] if rest else {}


@contextmanager
def proxied(url: str, *options: str) -> Iterator[Proxied]:
    """A proxy before this URL. It is interrupted at the end, if nobody has done it."""
    command = [*SOUNDSTAGE, "proxy", url, "--port", "0", "--json", *options]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "output"
        with path.open("w") as written, path.open() as output:
            process = subprocess.Popen(
                command, stdout=written, stderr=subprocess.PIPE, text=True
            )
            try:
                greeting = json.loads(next_line(output))
                proxy = Proxied(greeting["url"], greeting, output, process)
                yield proxy
                if proxy.code is None:
                    proxy.end()
            finally:
                process.kill()
                process.communicate(timeout=10)
